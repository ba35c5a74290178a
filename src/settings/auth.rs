//! Who logs in, and where: read from the one layer that has it.

use secrecy::SecretString;
use url::Url;

use super::layers::Layer;
use crate::openstack::{ApplicationCredential, Auth, AuthMethod, Domain, Project, User};

impl Auth {
    /// The login that one layer describes, or everything that is wrong with it.
    pub(super) fn read(layer: &Layer) -> Result<Self, Vec<String>> {
        let mut login = Login {
            layer,
            missing: Vec::new(),
            faults: Vec::new(),
        };
        let auth_url = login.auth_url();
        let method = login.method();
        let missing = (!login.missing.is_empty()).then(|| {
            format!(
                "{}: missing {}, where the other login variables are",
                login.missing.join(", "),
                layer.place()
            )
        });
        match (auth_url, method) {
            (Some(auth_url), Some(method)) if missing.is_none() && login.faults.is_empty() => {
                Ok(Self { auth_url, method })
            }
            _ => Err(missing.into_iter().chain(login.faults).collect()),
        }
    }
}

const BY_ID: &str = "OS_APPLICATION_CREDENTIAL_ID";
const BY_NAME: &str = "OS_APPLICATION_CREDENTIAL_NAME";
const SECRET: &str = "OS_APPLICATION_CREDENTIAL_SECRET";

enum AuthType {
    ApplicationCredential,
    Password,
}

/// One layer's login variables while they are read.
struct Login<'a> {
    layer: &'a Layer,
    missing: Vec<String>,
    faults: Vec<String>,
}

impl Login<'_> {
    fn auth_url(&mut self) -> Option<Url> {
        let text = self.required("OS_AUTH_URL")?;
        match keystone_url(&text) {
            Ok(url) => Some(url),
            Err(problem) => {
                let shown = self.layer.shown("OS_AUTH_URL");
                self.faults.push(format!("{shown} {problem}"));
                None
            }
        }
    }

    fn method(&mut self) -> Option<AuthMethod> {
        match self.kind()? {
            AuthType::ApplicationCredential => {
                let credential = self.application_credential();
                let secret = self.required_secret(SECRET);
                Some(AuthMethod::ApplicationCredential {
                    credential: credential?,
                    secret: secret?,
                })
            }
            AuthType::Password => {
                let user = self.user();
                let password = self.required_secret("OS_PASSWORD");
                let project = self.project();
                Some(AuthMethod::Password {
                    user: user?,
                    password: password?,
                    project: project?,
                })
            }
        }
    }

    fn kind(&mut self) -> Option<AuthType> {
        let set = |variables: &[&'static str]| -> Vec<&'static str> {
            let set = variables.iter().filter(|v| self.layer.get(v).is_some());
            set.copied().collect()
        };
        let credential = set(&[BY_ID, BY_NAME, SECRET]);
        let password = set(&["OS_PASSWORD"]);
        let user = set(&["OS_USERNAME", "OS_USER_ID"]);
        match self
            .layer
            .trimmed("OS_AUTH_TYPE")
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("v3applicationcredential") => Some(AuthType::ApplicationCredential),
            Some("v3password" | "password") => Some(AuthType::Password),
            Some(_) => {
                let shown = self.layer.shown("OS_AUTH_TYPE");
                self.faults.push(format!(
                    "{shown} is not accepted; accepted are v3applicationcredential, v3password \
                     and password, or leave it unset"
                ));
                None
            }
            None if credential.is_empty() && password.is_empty() && user.is_empty() => {
                let name = |variable| self.layer.name(variable);
                self.missing.push(format!(
                    "{} and {}, or {}, {}, {} and {}",
                    name(BY_ID),
                    name(SECRET),
                    name("OS_USERNAME"),
                    name("OS_USER_DOMAIN_NAME"),
                    name("OS_PASSWORD"),
                    name("OS_PROJECT_ID")
                ));
                None
            }
            None if credential.is_empty() => Some(AuthType::Password),
            None if password.is_empty() => Some(AuthType::ApplicationCredential),
            None => {
                self.faults.push(format!(
                    "{}: both an application credential and a password are set {}; remove one \
                     of the two, or say by OS_AUTH_TYPE (v3applicationcredential or v3password) \
                     which it is",
                    [credential, password].concat().join(", "),
                    self.layer.place()
                ));
                None
            }
        }
    }

    /// By id where there is one, else by name.
    fn application_credential(&mut self) -> Option<ApplicationCredential> {
        if let Some(id) = self.optional(BY_ID) {
            return Some(ApplicationCredential::Id(id));
        }
        let Some(name) = self.optional(BY_NAME) else {
            let either = self.either(BY_ID, BY_NAME);
            self.missing.push(format!("{either} with the user"));
            return None;
        };
        let user = self.user()?;
        Some(ApplicationCredential::Name { name, user })
    }

    fn user(&mut self) -> Option<User> {
        if let Some(id) = self.optional("OS_USER_ID") {
            return Some(User::Id(id));
        }
        let name = self.optional("OS_USERNAME");
        if name.is_none() {
            self.missing.push(self.either("OS_USERNAME", "OS_USER_ID"));
        }
        let domain = self.domain("OS_USER_DOMAIN_NAME", "OS_USER_DOMAIN_ID");
        Some(User::Name {
            name: name?,
            domain: domain?,
        })
    }

    fn project(&mut self) -> Option<Project> {
        if let Some(id) = self.optional("OS_PROJECT_ID") {
            return Some(Project::Id(id));
        }
        let Some(name) = self.optional("OS_PROJECT_NAME") else {
            let project = self.either("OS_PROJECT_ID", "OS_PROJECT_NAME");
            let domain = self.either("OS_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID");
            self.missing.push(format!("{project} with {domain}"));
            return None;
        };
        let domain = self.domain("OS_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID")?;
        Some(Project::Name { name, domain })
    }

    fn domain(&mut self, by_name: &str, by_id: &str) -> Option<Domain> {
        let id = self.optional(by_id).map(Domain::Id);
        let domain = id.or_else(|| self.optional(by_name).map(Domain::Name));
        if domain.is_none() {
            self.missing.push(self.either(by_name, by_id));
        }
        domain
    }

    /// Two variables of which one is enough, as who has to set it looks for them.
    fn either(&self, one: &str, other: &str) -> String {
        format!("{} or {}", self.layer.name(one), self.layer.name(other))
    }

    fn optional(&self, variable: &str) -> Option<String> {
        self.layer.trimmed(variable).map(str::to_owned)
    }

    fn required(&mut self, variable: &str) -> Option<String> {
        let value = self.optional(variable);
        if value.is_none() {
            self.missing.push(self.layer.name(variable));
        }
        value
    }

    /// Untrimmed: a password may begin or end with a blank.
    fn required_secret(&mut self, variable: &str) -> Option<SecretString> {
        let value = self.layer.get(variable).map(SecretString::from);
        if value.is_none() {
            self.missing.push(self.layer.name(variable));
        }
        value
    }
}

/// Keystone's v3 address from any of its usual spellings, or what is wrong with it.
fn keystone_url(text: &str) -> Result<Url, String> {
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
