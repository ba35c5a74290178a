//! Reads settings from several layers, the first that has one winning, and gathers the faults.

use std::time::Duration;

use super::layer::Layer;
use super::values::{ACCEPTED_BOOLEAN, ACCEPTED_DURATION, boolean, duration, whole};

/// The layers in order of precedence, and what was found wrong in them.
pub(super) struct Reader<'a> {
    pub(super) layers: Vec<&'a Layer>,
    pub(super) faults: Vec<String>,
}

impl<'a> Reader<'a> {
    /// The first layer that has the variable.
    pub(super) fn find(&self, variable: &str) -> Option<&'a Layer> {
        self.find_any(&[variable])
    }

    /// The first layer that has any of these variables.
    pub(super) fn find_any(&self, variables: &[&str]) -> Option<&'a Layer> {
        let has = |layer: &Layer| variables.iter().any(|v| layer.trimmed(v).is_some());
        self.layers.iter().copied().find(|layer| has(layer))
    }

    pub(super) fn text(&self, variable: &str) -> Option<&'a str> {
        self.find(variable)?.trimmed(variable)
    }

    /// The variable, read by `read`; the default where it is unset or at fault.
    pub(super) fn value<T>(
        &mut self,
        variable: &str,
        default: T,
        accepted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some((layer, text)) = self
            .find(variable)
            .and_then(|l| Some((l, l.trimmed(variable)?)))
        else {
            return default;
        };
        read(text).unwrap_or_else(|| {
            let shown = layer.shown(variable);
            self.faults
                .push(format!("{shown} is not accepted; accepted is {accepted}"));
            default
        })
    }

    pub(super) fn count(&mut self, variable: &str, default: u32, least: u32, most: u32) -> u32 {
        let accepted = format!("a whole number from {least} to {most}");
        self.value(variable, default, &accepted, |text| {
            whole(text).filter(|number| (least..=most).contains(number))
        })
    }

    pub(super) fn duration(&mut self, variable: &str, default: Duration) -> Duration {
        self.value(variable, default, ACCEPTED_DURATION, duration)
    }

    /// A duration that cannot be nothing.
    pub(super) fn span(&mut self, variable: &str, default: Duration) -> Duration {
        let accepted = format!("{ACCEPTED_DURATION}, more than nothing");
        self.value(variable, default, &accepted, |text| {
            duration(text).filter(|span| !span.is_zero())
        })
    }

    pub(super) fn boolean(&mut self, variable: &str) -> bool {
        self.value(variable, false, ACCEPTED_BOOLEAN, boolean)
    }
}
