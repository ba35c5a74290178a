//! How long the cloud's answers take.

use std::time::Duration;

use simcloud::Latency;

/// The latencies under which cases are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weather {
    /// Answers come at once.
    Still,
    /// 20 ms each.
    Fixed,
    /// Log-normal, half of them faster than 50 ms.
    LogNormal,
}

const SIGMA: f64 = 0.5;

impl Weather {
    /// Its name in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Still => "0",
            Self::Fixed => "20 ms",
            Self::LogNormal => "ln 50 ms",
        }
    }

    /// What the cloud has to be told. Its timer rounds up to whole milliseconds, so that every
    /// answer comes `late`: a measured mean, which is taken off here.
    pub(super) fn latency(self, late: Duration) -> Latency {
        match self {
            Self::Still => Latency::None,
            Self::Fixed => Latency::Fixed(Duration::from_millis(20).saturating_sub(late)),
            Self::LogNormal => Latency::LogNormal {
                median: Duration::from_millis(50).saturating_sub(late),
                sigma: SIGMA,
            },
        }
    }

    /// What one answer takes on average.
    pub(super) fn mean(self) -> Duration {
        match self {
            Self::Still => Duration::ZERO,
            Self::Fixed => Duration::from_millis(20),
            // The mean of a log-normal distribution lies above its median.
            Self::LogNormal => Duration::from_millis(50).mul_f64((SIGMA * SIGMA / 2.0).exp()),
        }
    }
}
