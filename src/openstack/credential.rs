//! Who we are to Keystone.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

/// Where to log in, and as whom.
#[derive(Clone, Debug)]
pub struct Auth {
    /// Keystone's address, ending in `/v3`.
    pub url: Url,
    /// How.
    pub method: AuthMethod,
}

/// A way to prove who we are. Secrets stay out of `Debug`.
#[derive(Clone, Debug)]
pub enum AuthMethod {
    /// An application credential: it carries its project.
    ApplicationCredential {
        /// Which one.
        credential: ApplicationCredential,
        /// Its secret.
        secret: SecretString,
    },
    /// A user's password, with the project to work in.
    Password {
        /// Who.
        user: User,
        /// The password.
        password: SecretString,
        /// The project.
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
        /// Whose it is.
        user: User,
    },
}

/// A user, by id or by name in a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By id.
    Id(String),
    /// By name.
    Name {
        /// The user's name.
        name: String,
        /// The domain that the name is unique in.
        domain: Domain,
    },
}

/// A project, by id or by name in a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Project {
    /// By id.
    Id(String),
    /// By name.
    Name {
        /// The project's name.
        name: String,
        /// The domain that the name is unique in.
        domain: Domain,
    },
}

/// A domain, by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
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
