//! Mistakes that only weeks show, also such in what is deployed.

use super::{Change, Mistake};

/// Each of them is found by some seed of weeks.
pub const OF_WEEKS: &[Mistake] = &[
    Mistake {
        name: "no-waiting-for-leftovers",
        says: "A window is tried with every pass, whatever earlier tries have left behind.",
        changes: &[Change {
            file: "src/plan/due_window.rs",
            find: "(now < until).then_some(Self {",
            put: "(now < until && count > 1_000).then_some(Self {",
        }],
    },
    Mistake {
        name: "what-is-being-created-is-as-good-as-there",
        says: "A backend that hangs is not seen in the age of what is missing.",
        changes: &[Change {
            file: "src/plan/age.rs",
            find: "Afterwards::Creating(since) => oldest.due = oldest.due.max(seconds(since)),",
            put: "Afterwards::Creating(_) => {}",
        }],
    },
    Mistake {
        name: "blocked-counts-as-missing",
        says: "A volume that allows no snapshot pins the alarm about missing recovery points.",
        changes: &[Change {
            file: "src/plan/age.rs",
            find: "Afterwards::Blocked => oldest.blocked = oldest.blocked.max(seconds(missing_since)),",
            put: "Afterwards::Blocked => oldest.due = oldest.due.max(seconds(missing_since)),",
        }],
    },
    Mistake {
        name: "one-set-of-slots-for-all-types",
        says: "A backend that hangs keeps the slots of the healthy ones.",
        changes: &[Change {
            file: "src/pass/slots.rs",
            find: "self.taken.get(of).unwrap_or(&0) + count > self.limit",
            put: "self.taken.values().sum::<usize>() + count > self.limit && self.taken.contains_key(of)",
        }],
    },
    Mistake {
        name: "what-others-create-takes-no-slot",
        says: "Each pass begins with all slots free.",
        changes: &[Change {
            file: "src/pass/slots.rs",
            find: "for other in under_way {",
            put: "for other in under_way.into_iter().take(0) {",
        }],
    },
    Mistake {
        name: "lost-volumes-are-not-counted",
        says: "What has fallen out of management is not counted.",
        changes: &[Change {
            file: "src/pass/expire_summary.rs",
            find: "lost: 1,",
            put: "lost: 0,",
        }],
    },
    Mistake {
        name: "no-age-of-what-has-expired",
        says: "What has expired and will not go has no age.",
        changes: &[Change {
            file: "src/pass/expire_summary.rs",
            find: "oldest_expired_age: plan.oldest_expired_age(pass.now),",
            put: "oldest_expired_age: plan.oldest_expired_age(pass.now) / 100_000,",
        }],
    },
    Mistake {
        name: "no-alarm-without-passes",
        says: "The alarm about passes that do not come takes no news for good news.",
        changes: &[Change {
            file: "template.yaml",
            find: "Statistic: SampleCount
      Period: !Ref SnapshotTickSeconds
      EvaluationPeriods: 3
      DatapointsToAlarm: 3
      Threshold: !Ref SnapshotPassesPerTick
      ComparisonOperator: LessThanThreshold
      TreatMissingData: breaching",
            put: "Statistic: SampleCount
      Period: !Ref SnapshotTickSeconds
      EvaluationPeriods: 3
      DatapointsToAlarm: 3
      Threshold: !Ref SnapshotPassesPerTick
      ComparisonOperator: LessThanThreshold
      TreatMissingData: notBreaching",
        }],
    },
    Mistake {
        name: "an-alarm-that-rings-without-end",
        says: "The alarm about passes that do not come wants hundreds of them in a tick.",
        changes: &[Change {
            file: "template.yaml",
            find: "Threshold: !Ref SnapshotPassesPerTick
      ComparisonOperator: LessThanThreshold
      TreatMissingData: breaching",
            put: "Threshold: !Ref SnapshotTickSeconds
      ComparisonOperator: LessThanThreshold
      TreatMissingData: breaching",
        }],
    },
];
