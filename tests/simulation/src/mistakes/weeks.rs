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
        changes: &[
            Change {
                file: "src/pass/slots.rs",
                find: ".entry(other.volume_type.clone())",
                put: ".entry(None)",
            },
            Change {
                file: "src/pass/slots.rs",
                find: "self.taken.entry(of.clone()).or_default() += 1;",
                put: "self.taken.entry(of.clone().and(None)).or_default() += 1;",
            },
            Change {
                file: "src/pass/slots.rs",
                find: "self.taken.get_mut(of)",
                put: "self.taken.get_mut(&of.clone().and(None))",
            },
            Change {
                file: "src/pass/slots.rs",
                find: "self.taken.get(of).unwrap_or(&0)",
                put: "self.taken.get(&None).unwrap_or(&0)",
            },
            Change {
                file: "src/pass/slots.rs",
                find: ".map(|(of, _)| of.clone())",
                put: ".map(|(of, _)| of.clone().and(None))",
            },
        ],
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
      EvaluationPeriods: !If [HasSnapshotShards, 6, 3]
      DatapointsToAlarm: !If [HasSnapshotShards, 6, 3]
      Threshold: !Ref SnapshotPassesPerTick
      ComparisonOperator: LessThanThreshold
      TreatMissingData: breaching",
            put: "Statistic: SampleCount
      Period: !Ref SnapshotTickSeconds
      EvaluationPeriods: !If [HasSnapshotShards, 6, 3]
      DatapointsToAlarm: !If [HasSnapshotShards, 6, 3]
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
    Mistake {
        name: "each-try-waits-no-longer-than-the-last",
        says: "However many tries have left something behind, ten minutes later there is another.",
        changes: &[Change {
            file: "src/plan/due_window.rs",
            find: "const FACTOR: i32 = 3;",
            put: "const FACTOR: i32 = 1;",
        }],
    },
    Mistake {
        name: "the-first-leftover-counts",
        says: "How long to wait goes by the oldest of what tries have left behind.",
        changes: &[Change {
            file: "src/plan/due_window.rs",
            find: "left().filter_map(|one| one.created_at).max()?",
            put: "left().filter_map(|one| one.created_at).min()?",
        }],
    },
    Mistake {
        name: "leftovers-never-grow-old",
        says: "Where two tries have left something behind there is no third.",
        changes: &[Change {
            file: "src/plan/due_window.rs",
            find: "let until = youngest.checked_add_signed(wait_after(count))",
            put: "let wait = if count > 1 { TimeDelta::MAX } else { wait_after(count) };
        let until = youngest.checked_add_signed(wait)",
        }],
    },
    Mistake {
        name: "the-window-before-is-forgotten",
        says: "With each window that begins the age of what is missing begins anew.",
        changes: &[Change {
            file: "src/plan/snapshot.rs",
            find: "let since = if self.has_available(policy.kind(), &before) {",
            put: "let since = if self.has_available(policy.kind(), &before) || policy.window_at(window.start) == *window {",
        }],
    },
    Mistake {
        name: "a-failed-pass-prints-zeros",
        says: "A pass that has seen nothing says that nothing is missing.",
        changes: &[Change {
            file: "src/handler/invocation.rs",
            find: "Err(error) => (Err(error), Figures::Nothing),",
            put: "Err(error) => (Err(error), Figures::Pass(Box::default())),",
        }],
    },
    Mistake {
        name: "force-after-a-refusal",
        says: "Whoever may not force one deletion tries it with the next.",
        changes: &[Change {
            file: "src/pass/delete.rs",
            find: "(!self.is_denied()).then_some(finds_out)",
            put: "Some(finds_out)",
        }],
    },
    Mistake {
        name: "twins-by-window",
        says: "Two snapshots in one window are twins, whatever windows they were taken for.",
        changes: &[Change {
            file: "src/plan/duplicates.rs",
            find: "stays.entry(start)",
            put: "stays.entry(window.start)",
        }],
    },
    Mistake {
        name: "clocks-are-trusted",
        says: "Where the clocks are hours apart what looks expired is deleted.",
        changes: &[Change {
            file: "src/pass/remarks.rs",
            find: "difference.filter(|difference| difference.abs() > TRUSTED)?",
            put: "difference.filter(|difference| difference.abs() > TRUSTED * 100)?",
        }],
    },
    Mistake {
        name: "what-is-stuck-serves-for-ever",
        says: "A snapshot of which nothing will come keeps its window from being taken.",
        changes: &[Change {
            file: "src/plan/snapshot.rs",
            find: "moving && since.is_some_and(|since| now - since > stuck_after)",
            put: "moving && since.is_some_and(|since| now - since > stuck_after * 1_000)",
        }],
    },
    Mistake {
        name: "lost-volumes-ring-in-hundreds",
        says: "The alarm about lost volumes lets a hundred pass.",
        changes: &[Change {
            file: "template.yaml",
            find: "MetricName: VolumesLost
      Dimensions:
        - { Name: !If [ServeManyClouds, Fleet, Project], Value: !Ref AWS::StackName }
        - { Name: Phase, Value: expire }
      Statistic: Maximum
      Period: !Ref ExpireTickSeconds
      EvaluationPeriods: !If [SeveralExpirePasses, 2, 1]
      DatapointsToAlarm: 1
      Threshold: 1",
            put: "MetricName: VolumesLost
      Dimensions:
        - { Name: !If [ServeManyClouds, Fleet, Project], Value: !Ref AWS::StackName }
        - { Name: Phase, Value: expire }
      Statistic: Maximum
      Period: !Ref ExpireTickSeconds
      EvaluationPeriods: !If [SeveralExpirePasses, 2, 1]
      DatapointsToAlarm: 1
      Threshold: 100",
        }],
    },
    Mistake {
        name: "unreadable-policies-of-another-phase",
        says: "The alarm about policies that cannot be read looks where nobody counts them.",
        changes: &[Change {
            file: "template.yaml",
            find: "MetricName: VolumesInvalid
      Dimensions:
        - { Name: !If [ServeManyClouds, Fleet, Project], Value: !Ref AWS::StackName }
        - { Name: Phase, Value: snapshot }",
            put: "MetricName: VolumesInvalid
      Dimensions:
        - { Name: !If [ServeManyClouds, Fleet, Project], Value: !Ref AWS::StackName }
        - { Name: Phase, Value: expire }",
        }],
    },
];
