//! Where failures are reported to.

use secrecy::SecretString;
use url::Url;

use super::values::Reader;
use crate::webhook::Webhook;

const URL: &str = "SNAPSENTRY_WEBHOOK_URL";
const USERNAME: &str = "SNAPSENTRY_WEBHOOK_USERNAME";
const PASSWORD: &str = "SNAPSENTRY_WEBHOOK_PASSWORD";

impl Webhook {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let username = reader.text(USERNAME);
        let password = reader.find(PASSWORD).and_then(|layer| layer.get(PASSWORD));
        let label = |variable| reader.find(variable).map(|layer| layer.label(variable));
        let mut faults = Vec::new();
        if let (Some(username), Some(label)) = (username, label(USERNAME))
            && username.contains(':')
        {
            faults.push(format!(
                "{label}: contains a colon, which basic authentication cannot carry"
            ));
        }
        if let (None, Some(label)) = (username, label(PASSWORD)) {
            faults.push(format!(
                "{label}: set without {USERNAME}; set both or neither"
            ));
        }
        let url = match label(URL) {
            Some(label) => match reader.text(URL).map(address).transpose() {
                Ok(url) => url,
                Err(problem) => {
                    faults.push(format!(
                        "{label}: its value (not shown) {problem}; accepted is an http or https \
                         address"
                    ));
                    None
                }
            },
            None => {
                if let Some(label) = label(USERNAME).or_else(|| label(PASSWORD)) {
                    faults.push(format!(
                        "{label}: set without {URL}; set that, or remove it"
                    ));
                }
                None
            }
        };
        reader.faults.append(&mut faults);
        Some(Self {
            // As it is sent: an address with umlauts or blanks is none to the HTTP library.
            url: SecretString::from(String::from(url?)),
            username: username.map(SecretString::from),
            password: password.map(SecretString::from),
        })
    }
}

/// The address, or what is wrong with it without a word of it.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err("is neither http nor https".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("contains a user; use {USERNAME} and {PASSWORD}"));
    }
    Ok(url)
}
