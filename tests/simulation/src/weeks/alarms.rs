//! Alarms as CloudWatch evaluates them: over the datapoints of the last periods, of which some may
//! be missing.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// Datapoints older than this are forgotten: no alarm looks back as far.
const LONGEST: TimeDelta = TimeDelta::hours(30);

/// Which datapoints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub metric: String,
    /// The dimension `Phase`; empty without one.
    pub phase: String,
}

/// What is made of the datapoints of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// They are added up.
    Sum,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// How many there are.
    SampleCount,
}

/// One line of what an alarm is about.
#[derive(Clone, Debug)]
pub enum Query {
    /// Datapoints of a metric.
    Statistic {
        /// How expressions name it.
        id: String,
        /// Which.
        series: Series,
        /// What is made of them.
        statistic: Statistic,
        /// Seconds.
        period: i64,
        /// Whether the alarm is on this.
        returns: bool,
    },
    /// Metric math.
    Expression {
        /// How other expressions name it.
        id: String,
        /// The expression.
        text: String,
        /// Whether the alarm is on this.
        returns: bool,
    },
}

/// How a datapoint is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Breaching above it.
    Above,
    /// Breaching at it and above.
    AtLeast,
    /// Breaching below it.
    Below,
    /// Breaching at it and below.
    AtMost,
}

/// What a missing datapoint counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// As one that is breaching.
    Breaching,
    /// As one that is not.
    NotBreaching,
    /// As nothing: the alarm stays as it was.
    Ignore,
    /// As nothing: without any the alarm has no opinion.
    Missing,
}

/// An alarm.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// Its name after that of the stack.
    pub name: String,
    /// What it is about.
    pub queries: Vec<Query>,
    /// What datapoints are compared with.
    pub threshold: f64,
    /// And how.
    pub comparison: Comparison,
    /// Over so many periods.
    pub periods: usize,
    /// So many of them have to be breaching.
    pub to_alarm: usize,
    /// And if there is no datapoint.
    pub missing: Missing,
}

/// What was told of a series, and when.
type Datapoint = (DateTime<Utc>, f64);

/// All alarms with the datapoints that have come.
#[derive(Debug)]
pub struct Alarms {
    alarms: Vec<Alarm>,
    ringing: Vec<bool>,
    /// Of every series that an alarm is about, in order.
    datapoints: Vec<(Series, VecDeque<Datapoint>)>,
}

/// What a line of metrics declares, as far as any alarm is about it.
#[derive(Clone, Debug, Default)]
pub struct Printed(Vec<Point>);

#[derive(Clone, Copy, Debug)]
struct Point {
    /// Which of the series.
    place: usize,
    /// Whether it grows with time alone.
    is_age: bool,
    value: f64,
}

impl Alarms {
    /// None of them rings yet.
    pub fn new(alarms: Vec<Alarm>) -> Self {
        let queries = alarms.iter().flat_map(|alarm| &alarm.queries);
        let series = queries.filter_map(|query| match query {
            Query::Statistic { series, .. } => Some((series.clone(), VecDeque::new())),
            Query::Expression { .. } => None,
        });
        let mut datapoints: Vec<_> = series.collect();
        datapoints.sort_by(|(one, _), (other, _)| one.cmp(other));
        datapoints.dedup_by(|(one, _), (other, _)| one == other);
        Self {
            ringing: vec![false; alarms.len()],
            alarms,
            datapoints,
        }
    }

    /// A datapoint comes. One that no alarm is about is not kept.
    pub fn put(&mut self, series: &Series, at: DateTime<Utc>, value: f64) {
        if let Some(place) = self.place(series) {
            self.put_at(place, at, value);
        }
    }

    fn put_at(&mut self, place: usize, at: DateTime<Utc>, value: f64) {
        let of = &mut self.datapoints[place].1;
        while of.front().is_some_and(|(first, _)| *first < at - LONGEST) {
            of.pop_front();
        }
        of.push_back((at, value));
    }

    fn place(&self, series: &Series) -> Option<usize> {
        let found = self.datapoints.binary_search_by(|(one, _)| one.cmp(series));
        found.ok()
    }

    /// Reads a line of metrics that a pass has printed: what it declares, and nothing else.
    pub fn read(&self, line: &Value) -> Printed {
        let phase = line["Phase"].as_str().unwrap_or_default();
        let directives = line["_aws"]["CloudWatchMetrics"].as_array();
        let directives = directives.into_iter().flatten();
        let declared = directives.flat_map(|one| one["Metrics"].as_array().into_iter().flatten());
        let points = declared.filter_map(|declared| {
            let metric = declared["Name"].as_str()?;
            let series = Series {
                namespace: "SnapSentry".into(),
                metric: metric.to_owned(),
                phase: phase.to_owned(),
            };
            Some(Point {
                place: self.place(&series)?,
                is_age: metric.ends_with("AgeSeconds"),
                value: line[metric].as_f64()?,
            })
        });
        Printed(points.collect())
    }

    /// The datapoints of a line come.
    pub fn take_in(&mut self, printed: &Printed, at: DateTime<Utc>) {
        for point in &printed.0 {
            self.put_at(point.place, at, point.value);
        }
    }

    /// Evaluates all at an instant; gives those that begin to ring (`true`) and that end.
    pub fn evaluate(&mut self, at: DateTime<Utc>) -> Vec<(&str, bool)> {
        let mut turns = Vec::new();
        for n in 0..self.alarms.len() {
            let rings = self.state(&self.alarms[n], self.ringing[n], at);
            if std::mem::replace(&mut self.ringing[n], rings) != rings {
                turns.push((n, rings));
            }
        }
        turns
            .into_iter()
            .map(|(n, rings)| (self.alarms[n].name.as_str(), rings))
            .collect()
    }

    /// Whether an alarm rings. One that the template does not have does not.
    pub fn rings(&self, name: &str) -> bool {
        self.ringing().any(|ringing| ringing == name)
    }

    /// Those that ring.
    pub fn ringing(&self) -> impl Iterator<Item = &str> {
        let both = self.alarms.iter().zip(&self.ringing);
        both.filter(|(_, rings)| **rings)
            .map(|(alarm, _)| alarm.name.as_str())
    }

    fn state(&self, alarm: &Alarm, rang: bool, at: DateTime<Utc>) -> bool {
        let (mut breaching, mut missing) = (0, 0);
        for back in 0..alarm.periods as i64 {
            let value = alarm
                .queries
                .iter()
                .find(|query| query.returns())
                .and_then(|query| self.value(alarm, query, at, back));
            match (value, alarm.missing) {
                (Some(value), _) => breaching += usize::from(alarm.is_breached_by(value)),
                (None, Missing::Breaching) => breaching += 1,
                (None, Missing::NotBreaching) => {}
                (None, Missing::Ignore | Missing::Missing) => missing += 1,
            }
        }
        if breaching >= alarm.to_alarm {
            return true;
        }
        // Where those that are missing could have decided it, it stays as it was.
        rang && breaching + missing >= alarm.to_alarm
            && missing > 0
            && alarm.missing == Missing::Ignore
    }

    /// The value of a query in a period, counted back from the one that ends now.
    fn value(&self, alarm: &Alarm, query: &Query, at: DateTime<Utc>, back: i64) -> Option<f64> {
        match query {
            Query::Statistic {
                series,
                statistic,
                period,
                ..
            } => {
                let period = TimeDelta::seconds(*period);
                let until = at - period * back as i32;
                let of = &self.datapoints[self.place(series)?].1;
                let newest_first = of.iter().rev().skip_while(|(when, _)| *when >= until);
                // A period has its first instant, and not its last.
                let values = newest_first.take_while(|(when, _)| *when >= until - period);
                statistic.of(values.map(|(_, value)| *value))
            }
            Query::Expression { text, .. } => {
                let look_up = |id: &str| {
                    let query = alarm.queries.iter().find(|query| query.id() == id)?;
                    Some(self.value(alarm, query, at, back))
                };
                math::evaluated(text, &look_up)
            }
        }
    }
}

impl Printed {
    /// The same line so much later, where nothing has changed but the time: an age that is not 0
    /// has gone on.
    pub fn aged(&self, by: TimeDelta) -> Self {
        let mut aged = self.clone();
        for point in &mut aged.0 {
            if point.is_age && point.value > 0.0 {
                point.value += by.as_seconds_f64();
            }
        }
        aged
    }

    /// Whether both say the same, but for a second or two in an age.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |(one, other): (&Point, &Point)| {
            let slack = if one.is_age { 2.0 } else { 0.0 };
            one.place == other.place && (one.value - other.value).abs() <= slack
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl Query {
    fn id(&self) -> &str {
        match self {
            Self::Statistic { id, .. } | Self::Expression { id, .. } => id,
        }
    }

    fn returns(&self) -> bool {
        match self {
            Self::Statistic { returns, .. } | Self::Expression { returns, .. } => *returns,
        }
    }
}

impl Alarm {
    fn is_breached_by(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Above => value > self.threshold,
            Comparison::AtLeast => value >= self.threshold,
            Comparison::Below => value < self.threshold,
            Comparison::AtMost => value <= self.threshold,
        }
    }
}

impl Statistic {
    fn of(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let mut count = 0.0;
        let folded = values
            .inspect(|_| count += 1.0)
            .reduce(|one, other| match self {
                Self::Sum | Self::SampleCount => one + other,
                Self::Maximum => one.max(other),
                Self::Minimum => one.min(other),
            });
        match self {
            Self::SampleCount => folded.map(|_| count),
            _ => folded,
        }
    }
}

/// As much of metric math as the template needs.
mod math {
    /// The value of an expression; none where it has none in this period.
    pub(super) fn evaluated(
        text: &str,
        look_up: &dyn Fn(&str) -> Option<Option<f64>>,
    ) -> Option<f64> {
        let mut parser = Parser {
            rest: text.trim(),
            look_up,
        };
        let value = parser.comparison();
        assert!(
            parser.rest.trim().is_empty(),
            "an expression that is not known here: {text}"
        );
        value
    }

    struct Parser<'a> {
        rest: &'a str,
        look_up: &'a dyn Fn(&str) -> Option<Option<f64>>,
    }

    impl Parser<'_> {
        fn takes(&mut self, token: &str) -> bool {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix(token) {
                Some(rest) => {
                    self.rest = rest;
                    true
                }
                None => false,
            }
        }

        fn comparison(&mut self) -> Option<f64> {
            let left = self.sum();
            for (token, holds) in [
                ("<=", (|a, b| a <= b) as fn(f64, f64) -> bool),
                (">=", |a, b| a >= b),
                ("==", |a, b| a == b),
                ("<", |a, b| a < b),
                (">", |a, b| a > b),
            ] {
                if self.takes(token) {
                    let right = self.sum();
                    return Some(f64::from(u8::from(holds(left?, right?))));
                }
            }
            left
        }

        fn sum(&mut self) -> Option<f64> {
            let mut value = self.product();
            loop {
                if self.takes("+") {
                    let more = self.product();
                    value = value.and_then(|value| Some(value + more?));
                } else if self.takes("-") {
                    let less = self.product();
                    value = value.and_then(|value| Some(value - less?));
                } else {
                    return value;
                }
            }
        }

        fn product(&mut self) -> Option<f64> {
            let mut value = self.atom();
            loop {
                if self.takes("*") {
                    let by = self.atom();
                    value = value.and_then(|value| Some(value * by?));
                } else if self.takes("/") {
                    let by = self.atom();
                    value = value.and_then(|value| Some(value / by?));
                } else {
                    return value;
                }
            }
        }

        fn atom(&mut self) -> Option<f64> {
            if self.takes("(") {
                let value = self.comparison();
                assert!(
                    self.takes(")"),
                    "a bracket is missing before {:?}",
                    self.rest
                );
                return value;
            }
            self.rest = self.rest.trim_start();
            let word = |letter: char| letter.is_ascii_alphanumeric() || "._".contains(letter);
            let end = self.rest.find(|letter| !word(letter));
            let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest;
            if let Ok(number) = name.parse() {
                return Some(number);
            }
            if !self.takes("(") {
                let found = (self.look_up)(name);
                return found.unwrap_or_else(|| panic!("{name:?} is no query of this alarm"));
            }
            let mut arguments = Vec::new();
            while !self.takes(")") {
                arguments.push(self.comparison());
                self.takes(",");
            }
            match (name, arguments.as_slice()) {
                ("FILL", [value, filler]) => value.or(*filler),
                ("IF", [condition, yes, no]) => {
                    if (*condition)? != 0.0 {
                        *yes
                    } else {
                        *no
                    }
                }
                ("MAX", _) => arguments.into_iter().flatten().reduce(f64::max),
                ("MIN", _) => arguments.into_iter().flatten().reduce(f64::min),
                _ => panic!("a function that is not known here: {name}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(n)
    }

    fn series() -> Series {
        Series {
            namespace: "SnapSentry".into(),
            metric: "Age".into(),
            phase: "snapshot".into(),
        }
    }

    fn alarm(statistic: Statistic, missing: Missing, (to_alarm, periods): (usize, usize)) -> Alarm {
        Alarm {
            name: "age".into(),
            queries: vec![Query::Statistic {
                id: "m".into(),
                series: series(),
                statistic,
                period: 600,
                returns: true,
            }],
            threshold: 100.0,
            comparison: Comparison::Above,
            periods,
            to_alarm,
            missing,
        }
    }

    #[test]
    fn an_alarm_rings_at_m_of_n_and_a_missing_datapoint_counts_as_it_says() {
        for (missing, rings) in [
            (Missing::Ignore, true),
            (Missing::NotBreaching, false),
            (Missing::Breaching, true),
        ] {
            let mut alarms = Alarms::new(vec![alarm(Statistic::Maximum, missing, (1, 1))]);
            alarms.put(&series(), minute(5), 101.0);
            assert_eq!(alarms.evaluate(minute(10)), [("age", true)]);
            alarms.evaluate(minute(30));
            assert_eq!(alarms.rings("age"), rings, "{missing:?}");
            alarms.put(&series(), minute(35), 100.0);
            alarms.evaluate(minute(40));
            assert!(!alarms.rings("age"));
        }
        let mut alarms = Alarms::new(vec![alarm(Statistic::Sum, Missing::NotBreaching, (2, 3))]);
        for (at, value, rings) in [
            (1, 60.0, false),
            (2, 60.0, false),
            (12, 5.0, false),
            (22, 200.0, true),
        ] {
            alarms.put(&series(), minute(at), value);
            alarms.evaluate(minute(at / 10 * 10 + 10));
            assert_eq!(alarms.rings("age"), rings, "after {at}");
        }
    }

    #[test]
    fn expressions_are_worked_out() {
        let look_up = |id: &str| match id {
            "m1" => Some(Some(3.0)),
            "m2" => Some(None),
            _ => None,
        };
        for (text, value) in [
            ("FILL(m2, 0) + m1 * 2", Some(6.0)),
            ("IF(m1 < 4, 1, 0)", Some(1.0)),
            ("m1 + m2", None),
            ("MAX(m1, 5) - m1", Some(2.0)),
        ] {
            assert_eq!(math::evaluated(text, &look_up), value, "{text}");
        }
    }
}
