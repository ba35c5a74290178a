//! What a program needs to be told to log in here, and what it must never tell.

use crate::Cloud;
use crate::state::State;

/// Which variables [`Cloud::os_env`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Application credential by its id.
    AppCred,
    /// Application credential by its name and the user's.
    AppCredByName,
    /// Name, password and project.
    Password,
}

impl Cloud {
    /// The `OS_*` variables for logging in at a cloud served at `url`.
    pub fn os_env(&self, url: &str, login: Login) -> Vec<(String, String)> {
        let state = self.lock();
        let mut variables = vec![("OS_AUTH_URL", format!("{url}/identity/v3"))];
        variables.extend(login_variables(&state, login));
        if let [first, _, ..] = state.config.regions.as_slice() {
            variables.push(("OS_REGION_NAME", first.clone()));
        }
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Every secret of this cloud that must never be seen in a log: password, application
    /// credential secret and all tokens.
    pub fn secrets(&self) -> Vec<String> {
        let state = self.lock();
        let mut secrets = vec![state.config.password.clone()];
        let credentials = state.application_credentials();
        secrets.extend(credentials.map(|credential| credential.secret.clone()));
        secrets.extend(state.tokens.keys().cloned());
        secrets.sort();
        secrets
    }
}

fn login_variables(state: &State, login: Login) -> Vec<(&'static str, String)> {
    let config = &state.config;
    let credential = &config.application_credential;
    let user = [
        ("OS_USERNAME", config.user_name.clone()),
        ("OS_USER_DOMAIN_NAME", config.domain_name.clone()),
    ];
    let secret = (
        "OS_APPLICATION_CREDENTIAL_SECRET",
        credential.secret.clone(),
    );
    let mut variables = match login {
        Login::AppCred => vec![
            ("OS_APPLICATION_CREDENTIAL_ID", credential.id.clone()),
            secret,
        ],
        Login::AppCredByName => {
            vec![
                ("OS_APPLICATION_CREDENTIAL_NAME", credential.name.clone()),
                secret,
            ]
        }
        Login::Password => vec![
            ("OS_PASSWORD", config.password.clone()),
            ("OS_PROJECT_NAME", config.project_name.clone()),
            ("OS_PROJECT_DOMAIN_NAME", config.domain_name.clone()),
        ],
    };
    let kind = match login {
        Login::Password => "v3password",
        Login::AppCred | Login::AppCredByName => "v3applicationcredential",
    };
    if login != Login::AppCred {
        variables.extend(user);
    }
    variables.push(("OS_AUTH_TYPE", kind.into()));
    variables
}
