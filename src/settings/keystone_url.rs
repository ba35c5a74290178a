//! Keystone's address in its usual spellings: with or without version, slash and path prefix.

use url::Url;

/// Keystone's v3 address from any of its usual spellings, or what is wrong with it.
pub(super) fn read(text: &str) -> Result<Url, String> {
    const ACCEPTED: &str = "accepted is Keystone's address, like https://cloud.example:5000/v3";
    let refused = |problem: &str| format!("{problem}; {ACCEPTED}");
    let mut url = Url::parse(text).map_err(|error| refused(&format!("is not a URL ({error})")))?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err(refused("is not an http or https address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("contains a user or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("has a query or fragment"));
    }
    let path = url.path().trim_end_matches('/');
    let path = match path.rsplit_once('/') {
        Some((prefix, "v3")) => prefix.trim_end_matches('/'),
        Some((_, "v2.0" | "v2")) => {
            return Err(refused(
                "is the address of Keystone's old API, and v3 is needed",
            ));
        }
        _ => path,
    };
    let path = format!("{path}/v3");
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keystones_address_may_be_written_with_or_without_v3_slash_and_prefix() {
        let rows = [
            (
                "https://cloud.example:5000",
                "https://cloud.example:5000/v3",
            ),
            (
                "https://cloud.example:5000/",
                "https://cloud.example:5000/v3",
            ),
            (
                "https://cloud.example:5000/v3",
                "https://cloud.example:5000/v3",
            ),
            (
                "https://cloud.example:5000/v3/",
                "https://cloud.example:5000/v3",
            ),
            (
                "https://cloud.example:5000//v3//",
                "https://cloud.example:5000/v3",
            ),
            (
                "https://cloud.example/identity",
                "https://cloud.example/identity/v3",
            ),
            (
                "https://cloud.example/identity/",
                "https://cloud.example/identity/v3",
            ),
            (
                "https://cloud.example/identity/v3",
                "https://cloud.example/identity/v3",
            ),
            ("http://127.0.0.1:5000/v3", "http://127.0.0.1:5000/v3"),
            ("http://[::1]:5000", "http://[::1]:5000/v3"),
        ];
        for (written, url) in rows {
            assert_eq!(
                read(written).map(String::from),
                Ok(url.to_owned()),
                "{written}"
            );
        }
    }

    #[test]
    fn an_address_that_cannot_be_keystones_is_refused_with_its_reason() {
        let rows = [
            ("cloud.example:5000", "http or https"),
            ("cloud.example", "not a URL"),
            ("ftp://cloud.example", "http or https"),
            ("https://", "not a URL"),
            ("https://user:word@cloud.example/v3", "user or password"),
            ("https://cloud.example/v3?token=word", "query"),
            ("https://cloud.example/v2.0", "v3 is needed"),
            ("https://cloud.example/v2.0/", "v3 is needed"),
        ];
        for (written, reason) in rows {
            let problem = read(written).expect_err(written);
            assert!(problem.contains(reason), "{written}: {problem}");
            assert!(
                problem.contains("https://cloud.example:5000/v3"),
                "{written}: {problem}"
            );
        }
    }
}
