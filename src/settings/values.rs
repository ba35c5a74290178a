//! Single values: how they are written, and how they are read from several layers, the first that
//! has one winning.

use std::fmt;
use std::time::Duration;

use super::layers::Layer;
use crate::event::Phase;

pub(super) const ACCEPTED_BOOLEAN: &str = "true or false";
pub(super) const ACCEPTED_DURATION: &str =
    "a whole number and ms, s, m or h, such as 500ms, 2s, 5m or 6h";

/// Ten years: longer than anything meant, and far from where clocks overflow.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A whole number and one unit: `500ms`, `2s`, `5m`, `6h`. At most ten years.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    let duration = Duration::from_millis(number.checked_mul(milliseconds)?);
    (duration <= LONGEST).then_some(duration)
}

/// A decimal number without sign.
pub(super) fn whole(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// `true` or `false` in the spellings that OpenStack's tools and YAML use.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Some(true),
        "false" | "no" | "off" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}

/// The phases of a list such as `report,restore`; `None` where one of them is none.
pub fn served_phases(text: &str) -> Option<Vec<Phase>> {
    text.split(',')
        .map(|name| Phase::named(name.trim()))
        .collect()
}

/// What such a list may be, in words.
pub(super) fn accepted_phases() -> String {
    format!("phases with commas between: {}", Phase::all_in_words())
}

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

/// An interface of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interface {
    /// For everyone.
    #[default]
    Public,
    /// For the cloud's own network.
    Internal,
    /// For administrators.
    Admin,
}

const NAMES: [&str; 2] = ["OS_INTERFACE", "OS_ENDPOINT_TYPE"];
const ACCEPTED: &str = "public, internal or admin, also with the suffix URL";

impl Interface {
    /// The name in the catalogue.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }

    /// Both variables name the same thing, so the first source that has either one decides.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let Some(layer) = reader.find_any(&NAMES) else {
            return Self::default();
        };
        let mut found = Vec::new();
        for name in NAMES {
            let Some(text) = layer.trimmed(name) else {
                continue;
            };
            match Self::named(text) {
                Some(interface) => found.push(interface),
                None => reader.faults.push(format!(
                    "{} is not accepted; accepted is {ACCEPTED}",
                    layer.shown(name)
                )),
            }
        }
        if let [one, other] = found.as_slice()
            && one != other
        {
            reader.faults.push(format!(
                "{}, {} contradict each other; set only one of them",
                layer.shown(NAMES[0]),
                layer.shown(NAMES[1])
            ));
        }
        found.first().copied().unwrap_or_default()
    }

    fn named(text: &str) -> Option<Self> {
        let name = text.strip_suffix("URL").unwrap_or(text);
        [Self::Public, Self::Internal, Self::Admin]
            .into_iter()
            .find(|interface| interface.as_str() == name)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_with_one_of_four_units() {
        let rows = [
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("5m", Some(300_000)),
            ("6h", Some(21_600_000)),
            ("87600h", Some(315_360_000_000)),
            ("87601h", None),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1.5s", None),
            ("-1s", None),
            ("+1s", None),
            ("1h30m", None),
            ("2 s", None),
            ("2S", None),
            ("1d", None),
            ("99999999999999999999h", None),
            ("18446744073709551615h", None),
        ];
        for (text, milliseconds) in rows {
            assert_eq!(
                duration(text),
                milliseconds.map(Duration::from_millis),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_whole_number_is_decimal_and_has_no_sign() {
        assert_eq!(whole("16"), Some(16));
        assert_eq!(whole("0"), Some(0));
        for text in ["", "-1", "+1", "1.0", "0x10", "1e3", " 1", "4294967296"] {
            assert_eq!(whole(text), None, "{text:?}");
        }
    }
}
