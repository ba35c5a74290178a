//! What can be set, and where it stands: the environment, the secret or an entry of a `clouds.yaml`.
//!
//! Each source is a layer of variables under their environment names, whatever it calls them
//! itself. A layer knows how to speak of its variables, so that a fault points to where the
//! value has to be changed, and whether their values may be shown.

use std::collections::BTreeMap;

use super::clouds_yaml;
use super::environment::{Environment, VARIABLES, Variable};
use crate::text::cut;

/// The source of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The process's environment variables.
    Environment,
    /// The JSON object of variables in the secret.
    Secret,
    /// An entry of a `clouds.yaml`: in a file of this path, or in the secret.
    Cloud { file: Option<String>, entry: String },
}

/// One source's variables, none of them empty.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Layer {
    origin: Origin,
    values: BTreeMap<String, String>,
    /// What an entry of a `clouds.yaml` calls the variable.
    own_names: BTreeMap<String, String>,
}

impl Layer {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            values: BTreeMap::new(),
            own_names: BTreeMap::new(),
        }
    }

    pub(super) fn of_environment(environment: &Environment) -> Self {
        let mut layer = Self::new(Origin::Environment);
        for Variable { name, .. } in VARIABLES {
            if let Some(value) = environment.get(name) {
                layer.set(name, value);
            }
        }
        layer
    }

    pub(super) fn set(&mut self, variable: &str, value: &str) {
        if !value.is_empty() {
            self.values.insert(variable.to_owned(), value.to_owned());
        }
    }

    pub(super) fn set_named(&mut self, variable: &str, own_name: &str, value: &str) {
        self.set(variable, value);
        self.own_names
            .insert(variable.to_owned(), own_name.to_owned());
    }

    pub(super) fn get(&self, variable: &str) -> Option<&str> {
        self.values.get(variable).map(String::as_str)
    }

    /// The value without the blanks around it, which no name, number or address has.
    pub(super) fn trimmed(&self, variable: &str) -> Option<&str> {
        self.get(variable)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// The login variables that are set here.
    pub(super) fn login_variables(&self) -> Vec<&str> {
        let login = VARIABLES.iter().filter(|variable| variable.is_login);
        let names = login.map(|variable| variable.name);
        names.filter(|name| self.get(name).is_some()).collect()
    }

    /// Where this layer is, as the end of a sentence.
    pub(super) fn place(&self) -> String {
        match &self.origin {
            Origin::Environment => "in the environment".to_owned(),
            Origin::Secret => "in the secret".to_owned(),
            Origin::Cloud { file, entry } => clouds_yaml::place(file.as_deref(), entry),
        }
    }

    /// What somebody who has to set the variable here looks for.
    pub(super) fn name(&self, variable: &str) -> String {
        match (&self.origin, clouds_yaml::key_of(variable)) {
            (Origin::Cloud { .. }, Some(key)) => format!("{key} ({variable})"),
            _ => variable.to_owned(),
        }
    }

    /// The variable and, where it is not in the environment, where it stands.
    pub(super) fn label(&self, variable: &str) -> String {
        match (&self.origin, self.own_names.get(variable)) {
            (Origin::Environment, _) => variable.to_owned(),
            (_, None) => format!("{variable} ({})", self.place()),
            (_, Some(own_name)) => format!("{variable} ({own_name} {})", self.place()),
        }
    }

    /// The label and, where it may be shown, the value: the subject of a fault's sentence.
    pub(super) fn shown(&self, variable: &str) -> String {
        let label = self.label(variable);
        match self.get(variable) {
            Some(value) if self.may_show(variable, value) => format!("{label}: {}", quoted(value)),
            _ => format!("{label}: its value (not shown)"),
        }
    }

    fn may_show(&self, variable: &str, value: &str) -> bool {
        let public = !matches!(
            self.origin,
            Origin::Secret | Origin::Cloud { file: None, .. }
        );
        let is_hidden = Variable::named(variable).is_some_and(|variable| variable.is_hidden);
        // An address may carry a password before an `@`.
        public && !is_hidden && !(variable == "OS_AUTH_URL" && value.contains('@'))
    }
}

/// A value in quotes, on one line and not too long.
pub(super) fn quoted(value: &str) -> String {
    let (beginning, rest) = cut(value, 100);
    format!("{beginning:?}{rest}")
}
