//! What `template.yaml` deploys, as far as time and alarms go: schedules, settings and alarms are
//! read from the file itself, so that what is judged is what is deployed.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use super::alarms::{Alarm, Comparison, Missing, Query, Series, Statistic};

const TEXT: &str = include_str!("../../../../template.yaml");

/// When something is invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    /// Seconds from midnight UTC to the first.
    pub first: i64,
    /// Seconds between two.
    pub every: i64,
}

/// The template, with its parameters at their defaults.
#[derive(Clone, Debug)]
pub struct Template {
    document: Value,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// Reads the file that was there when this was built.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub fn read() -> &'static Self {
        static READ: LazyLock<Template> = LazyLock::new(Template::parsed);
        &READ
    }

    fn parsed() -> Self {
        let document: Value = serde_saphyr::from_str(TEXT).expect("template.yaml is YAML");
        let parameters = document["Parameters"].as_object();
        let parameters = parameters.expect("the template has parameters");
        let parameters = parameters
            .iter()
            .map(|(name, of)| (name.clone(), of["Default"].clone()))
            .collect();
        Self {
            document,
            parameters,
        }
    }

    /// A parameter's default as a number; a duration is in seconds.
    ///
    /// # Panics
    /// Where there is none.
    pub fn number(&self, name: &str) -> f64 {
        let value = self.resolved(&Value::String(name.to_owned()));
        value.unwrap_or_else(|| panic!("template.yaml has no number {name}"))
    }

    /// The parameter's default, as a duration.
    pub fn duration(&self, name: &str) -> Duration {
        Duration::from_secs_f64(self.number(name))
    }

    /// When a phase is invoked.
    ///
    /// # Panics
    /// Where its schedule is of a kind that is not known here.
    pub fn ticks(&self, phase: &str) -> Ticks {
        let (schedule, tick) = match phase {
            "snapshot" => ("SnapshotSchedule", "SnapshotTickSeconds"),
            _ => ("ExpireSchedule", "ExpireTickSeconds"),
        };
        let text = self.parameters[schedule].as_str().unwrap_or_default();
        let minutes = text
            .strip_prefix("cron(")
            .and_then(|rest| rest.split(' ').next())
            .unwrap_or_else(|| panic!("{schedule} is {text:?}, and no cron of minutes"));
        let first = minutes.split('/').next().unwrap_or_default();
        let first: i64 = first.parse().expect("minutes of a cron are a number");
        Ticks {
            first: first * 60,
            every: self.number(tick) as i64,
        }
    }

    /// The alarms on what passes print and on the function itself.
    pub fn alarms(&self) -> Vec<Alarm> {
        let resources = self.document["Resources"].as_object();
        let resources = resources.into_iter().flatten();
        resources
            .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
            // Those of many clouds are of no stack with its parameters at their defaults.
            .filter(|(_, resource)| resource["Condition"] != "ServeManyClouds")
            .filter_map(|(_, resource)| self.alarm(&resource["Properties"]))
            .collect()
    }

    /// None for one of a namespace of which nothing is known here.
    fn alarm(&self, of: &Value) -> Option<Alarm> {
        let name = of["AlarmName"].as_str()?;
        let name = name.rsplit("${AWS::StackName}-").next()?.to_owned();
        let queries = match of["Metrics"].as_array() {
            Some(queries) => queries
                .iter()
                .map(|query| self.query(query))
                .collect::<Option<Vec<_>>>()?,
            None => vec![self.statistic(of, of, "m", true)?],
        };
        let number = |key: &str| self.resolved(&of[key]);
        let periods = number("EvaluationPeriods")? as usize;
        Some(Alarm {
            queries,
            threshold: number("Threshold")?,
            comparison: match of["ComparisonOperator"].as_str()? {
                "GreaterThanThreshold" => Comparison::Above,
                "GreaterThanOrEqualToThreshold" => Comparison::AtLeast,
                "LessThanThreshold" => Comparison::Below,
                "LessThanOrEqualToThreshold" => Comparison::AtMost,
                other => panic!("{name} compares in a way that is not known here: {other}"),
            },
            periods,
            to_alarm: number("DatapointsToAlarm").map_or(periods, |number| number as usize),
            missing: match of["TreatMissingData"].as_str().unwrap_or("missing") {
                "breaching" => Missing::Breaching,
                "notBreaching" => Missing::NotBreaching,
                "ignore" => Missing::Ignore,
                _ => Missing::Missing,
            },
            name,
        })
    }

    fn query(&self, query: &Value) -> Option<Query> {
        let id = query["Id"].as_str()?;
        let returns = query["ReturnData"].as_bool().unwrap_or(true);
        if let Some(text) = query["Expression"].as_str() {
            return Some(Query::Expression {
                id: id.to_owned(),
                text: self.substituted(text),
                returns,
            });
        }
        let of = &query["MetricStat"];
        let metric = &of["Metric"];
        let mut merged = of.clone();
        merged["Statistic"] = of["Stat"].clone();
        self.statistic(&merged, metric, id, returns)
    }

    fn statistic(&self, of: &Value, metric: &Value, id: &str, returns: bool) -> Option<Query> {
        let namespace = metric["Namespace"].as_str()?;
        if !["SnapSentry", "AWS/Lambda", "AWS/SQS"].contains(&namespace) {
            return None;
        }
        let dimensions = metric["Dimensions"].as_array();
        let phase = dimensions.into_iter().flatten().find_map(|dimension| {
            let is_it = dimension["Name"] == "Phase";
            is_it.then(|| dimension["Value"].as_str().unwrap_or_default().to_owned())
        });
        Some(Query::Statistic {
            id: id.to_owned(),
            series: Series {
                namespace: namespace.to_owned(),
                metric: metric["MetricName"].as_str()?.to_owned(),
                phase: phase.unwrap_or_default(),
            },
            statistic: match of["Statistic"].as_str()? {
                "Sum" => Statistic::Sum,
                "Maximum" => Statistic::Maximum,
                "Minimum" => Statistic::Minimum,
                "SampleCount" => Statistic::SampleCount,
                other => panic!("a statistic that is not known here: {other}"),
            },
            period: self.resolved(&of["Period"])? as i64,
            returns,
        })
    }

    /// A number as it is written, or that of the parameter that is named.
    fn resolved(&self, value: &Value) -> Option<f64> {
        match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match self.parameters.get(text) {
                Some(default) => self.resolved(default),
                None => seconds(text),
            },
            // An `!If`: no condition on which a number depends holds while parameters are at their defaults.
            Value::Array(parts) => match parts.as_slice() {
                [_, _, otherwise] => self.resolved(otherwise),
                _ => None,
            },
            _ => None,
        }
    }

    /// A text with the parameters that it names in `${…}`.
    fn substituted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, default) in &self.parameters {
            let default = match default {
                Value::String(default) => default.clone(),
                other => other.to_string(),
            };
            text = text.replace(&format!("${{{name}}}"), &default);
        }
        text
    }
}

/// A number, or a duration such as `6h`.
fn seconds(text: &str) -> Option<f64> {
    let at = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    let unit = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_when_passes_come_and_what_rings() {
        let template = Template::read();
        let snapshot = template.ticks("snapshot");
        assert_eq!(snapshot.every, 600);
        assert!(snapshot.first < snapshot.every);
        assert_eq!(template.ticks("expire").every, 3600);
        assert_eq!(template.duration("StuckAfter"), Duration::from_secs(21_600));
        let alarms = template.alarms();
        let named = |name: &str| {
            let found = alarms.iter().find(|alarm| alarm.name == name);
            found.unwrap_or_else(|| panic!("no alarm {name}"))
        };
        let age = named("oldest-due-age");
        assert_eq!(age.threshold, template.number("OldestDueAgeLimitSeconds"));
        assert_eq!(age.missing, Missing::Ignore);
        assert_eq!(named("no-snapshot-pass").missing, Missing::Breaching);
        assert_eq!(named("no-snapshot-pass").periods, 3);
        assert_eq!(named("no-expire-pass").periods, 3);
    }
}
