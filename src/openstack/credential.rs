//! Who we are to Keystone: the shapes that it knows.
//!
//! Whatever Keystone would refuse for being incomplete has no shape here: a user's name has a
//! domain, a password has a project.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

/// The login at Keystone.
#[derive(Clone, Debug)]
pub struct Auth {
    /// Keystone's v3 API: the path ends in `/v3`, without a slash after it.
    pub auth_url: Url,
    /// By what to log in.
    pub method: AuthMethod,
}

/// What proves who logs in. Secrets stay out of `Debug`.
#[derive(Clone, Debug)]
pub enum AuthMethod {
    /// An application credential; its project is its own and no scope may be asked for.
    ApplicationCredential {
        /// Which credential.
        credential: ApplicationCredential,
        /// Its secret.
        secret: SecretString,
    },
    /// A user's password, scoped to a project.
    Password {
        /// Whose password.
        user: User,
        /// The password.
        password: SecretString,
        /// The scope.
        project: Project,
    },
}

/// How an application credential is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationCredential {
    /// By its id.
    Id(String),
    /// By its name, which is unique to its user only.
    Name {
        /// The credential's name.
        name: String,
        /// Its owner.
        user: User,
    },
}

/// How a user is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By id.
    Id(String),
    /// By name, which is unique to a domain only.
    Name {
        /// The user's name.
        name: String,
        /// Its domain.
        domain: Domain,
    },
}

/// How a project is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Project {
    /// By id.
    Id(String),
    /// By name, which is unique to a domain only.
    Name {
        /// The project's name.
        name: String,
        /// Its domain.
        domain: Domain,
    },
}

/// How a domain is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

impl Auth {
    /// A text without the secret, should some cloud repeat it in an error.
    pub(super) fn without_secrets(&self, text: String) -> String {
        let (AuthMethod::ApplicationCredential { secret, .. }
        | AuthMethod::Password {
            password: secret, ..
        }) = &self.method;
        text.replace(secret.expose_secret(), "***")
    }

    /// Where tokens are issued.
    pub fn tokens_url(&self) -> Url {
        let mut url = self.auth_url.clone();
        url.set_path(&format!("{}/auth/tokens", self.auth_url.path()));
        url
    }
}

impl Domain {
    fn to_json(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "id": id }),
            Self::Name(name) => json!({ "name": name }),
        }
    }
}

impl User {
    fn to_json(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "id": id }),
            Self::Name { name, domain } => json!({ "name": name, "domain": domain.to_json() }),
        }
    }
}

impl Project {
    fn to_json(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "id": id }),
            Self::Name { name, domain } => json!({ "name": name, "domain": domain.to_json() }),
        }
    }
}

impl AuthMethod {
    /// The body of `POST /v3/auth/tokens`. It holds the secret: nobody may log it.
    ///
    /// An application credential gets no scope: Keystone refuses one, since the credential
    /// itself belongs to a project.
    pub(super) fn token_request(&self) -> Value {
        match self {
            Self::ApplicationCredential { credential, secret } => {
                let mut body = match credential {
                    ApplicationCredential::Id(id) => json!({ "id": id }),
                    ApplicationCredential::Name { name, user } => {
                        json!({ "name": name, "user": user.to_json() })
                    }
                };
                body["secret"] = secret.expose_secret().into();
                json!({"auth": {"identity": {
                    "methods": ["application_credential"],
                    "application_credential": body,
                }}})
            }
            Self::Password {
                user,
                password,
                project,
            } => {
                let mut user = user.to_json();
                user["password"] = password.expose_secret().into();
                json!({"auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": project.to_json()},
                }})
            }
        }
    }
}
