//! What is promised, a sentence each. Every one is played in a project of its own.

pub mod access_rules;
pub mod attachments;
pub mod disasters;
pub mod edges;
pub mod life_cycle;
pub mod login;
pub mod metadata;
pub mod overlap;
pub mod paging;
pub mod policies;
pub mod quota;
pub mod report;
pub mod restore;
pub mod roles;
pub mod storage;
pub mod tracing;

use futures::future::BoxFuture;

use crate::tenancy::Tenancy;

/// One promise.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// The file and the sentence, such as `paging::every_page_is_followed`.
    pub name: &'static str,
    /// Plays it; panics where the promise is broken.
    pub play: for<'a> fn(&'a mut Tenancy) -> BoxFuture<'a, ()>,
}

/// Hands the list of all scenarios to a macro.
#[macro_export]
macro_rules! for_each_scenario {
    ($with:ident) => {
        $with! {
            access_rules {
                the_least_access_rules_suffice_and_none_can_be_spared,
                an_administrator_needs_one_rule_more_to_force,
            }
            attachments {
                volumes_in_use_and_shared_ones_are_taken,
            }
            edges {
                calls_that_go_wrong_are_refused_in_the_cloud_s_own_way,
                volumes_are_made_from_snapshots_in_the_cloud_s_own_way,
            }
            life_cycle {
                a_volume_is_tagged_taken_once_a_window_and_cleared_of_what_expired,
                a_dry_run_tells_the_plan_and_changes_nothing,
                what_is_held_or_not_ours_is_never_deleted,
            }
            login {
                password_and_application_credential_by_id_and_by_name_all_work,
                a_token_revoked_between_two_passes_is_replaced,
                a_wrong_secret_and_an_unknown_credential_fail_with_a_way_out,
            }
            metadata {
                keys_and_values_at_their_length_limits_survive,
                names_and_values_in_any_script_survive,
                a_key_that_another_writer_changed_meanwhile_is_mended,
                two_subscriptions_at_once_both_last,
                a_missing_volume_is_an_error,
            }
            overlap {
                two_passes_at_once_leave_one_snapshot_a_window,
            }
            paging {
                every_page_is_followed_and_a_quiet_pass_asks_for_nothing_else,
                a_listing_whose_marker_vanishes_begins_again,
            }
            policies {
                every_policy_is_taken_in_its_own_zone,
                hours_times_of_a_day_and_years_are_windows_too,
                a_limit_by_number_lets_the_oldest_go_and_never_the_last,
                a_policy_that_cannot_be_read_stops_no_other,
            }
            quota {
                a_used_up_quota_is_told_and_every_window_is_tried,
            }
            report {
                a_report_says_how_every_volume_stands_page_by_page_and_changes_nothing,
            }
            restore {
                the_volumes_of_a_server_come_back_once_and_nothing_else_is_touched,
            }
            roles {
                a_member_deletes_normally_and_is_refused_force,
                an_administrator_deletes_by_force_what_is_stuck,
                a_reader_sees_and_is_refused_the_rest,
            }
            storage {
                a_slow_snapshot_is_waited_for,
                a_snapshot_that_outlasts_the_pass_is_pending_and_not_taken_twice,
                a_snapshot_that_fails_is_told_and_removed,
                a_busy_snapshot_is_deleted_by_a_later_pass,
                a_deletion_that_fails_later_is_seen_by_the_next_pass,
                a_stuck_snapshot_does_not_serve_its_window,
            }
            tracing {
                the_request_id_of_a_run_is_in_the_logs_of_cinder,
            }
        }
    };
}

macro_rules! list {
    ($($file:ident { $($sentence:ident,)* })*) => {
        [$($(Scenario {
            name: concat!(stringify!($file), "::", stringify!($sentence)),
            play: |tenancy| Box::pin($file::$sentence(tenancy)),
        },)*)*]
    };
}

/// Hands the list of those that take a part of the cloud away from everybody to a macro: only
/// one of them at a time, and nothing beside it.
#[macro_export]
macro_rules! for_each_disaster {
    ($with:ident) => {
        $with! {
            disasters {
                a_dead_backend_costs_one_leftover_a_window_and_its_return_serves_all,
                a_backend_that_stands_still_gets_no_second_snapshot_and_is_seen,
                without_a_scheduler_snapshots_wait_and_are_not_taken_twice,
                a_message_queue_that_dies_makes_no_second_snapshot,
                a_warm_sandbox_outlives_the_loss_of_keystone,
                what_a_dead_backend_leaves_behind_holds_quota_until_it_is_back,
            }
        }
    };
}

/// All that take a part of the cloud away.
pub fn disasters() -> Vec<Scenario> {
    for_each_disaster!(list).into()
}

/// All that can be played side by side.
pub fn all() -> Vec<Scenario> {
    for_each_scenario!(list).into()
}

/// Fails with the whole answer unless its counts are these.
#[track_caller]
fn assert_counts(answer: &serde_json::Value, counts: &[(&str, usize)]) {
    for (name, expected) in counts {
        let (part, field) = name.split_once('.').unwrap_or(("snapshots", name));
        assert_eq!(answer[part][field], *expected, "{name} in {answer:#}");
    }
}

/// Fails with the whole answer unless it came to this.
#[track_caller]
fn assert_outcome(answer: &serde_json::Value, outcome: &str) {
    assert_eq!(answer["outcome"], outcome, "{answer:#}");
}

/// Waits until what is made from now on is newer than what there is: Cinder cuts its times to
/// whole seconds.
async fn next_second() {
    let into = chrono::Utc::now().timestamp_subsec_millis();
    let left = 1000_u32.saturating_sub(into).max(1);
    tokio::time::sleep(std::time::Duration::from_millis(left.into())).await;
}
