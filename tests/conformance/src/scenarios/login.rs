//! Ways in, and what happens at a closed door.

use http::Method;
use serde_json::json;

use super::{assert_counts, assert_outcome};
use crate::tenancy::{Env, Login, NewVolume, Tenancy};

/// Each login sees the same project.
pub async fn password_and_application_credential_by_id_and_by_name_all_work(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data").policy("daily")).await;
    for (login, created) in [
        (Login::Password, 1),
        (Login::Credential, 0),
        (Login::CredentialByName, 0),
    ] {
        let told = t.function_with(&t.env(login), &[]).await.snapshot().await;
        assert_outcome(&told, "complete");
        assert_counts(&told, &[("volumes.managed", 1), ("created", created)]);
    }
    assert_eq!(t.api.snapshots_of(&volume).await.len(), 1);
}

/// A sandbox that stayed warm finds its token refused, and fetches another.
pub async fn a_token_revoked_between_two_passes_is_replaced(t: &mut Tenancy) {
    t.add_volume(NewVolume::named("data").policy("daily")).await;
    let mut function = t.function().await;
    assert_counts(&function.snapshot().await, &[("created", 1)]);
    assert_eq!(t.logins(), 1);
    t.revoke_last_token().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("created", 0)]);
    // All that were refused with the old one share the new one.
    assert_eq!(t.logins(), 2);
}

/// Both are the invocation's own failure, and neither shows the secret.
pub async fn a_wrong_secret_and_an_unknown_credential_fail_with_a_way_out(t: &mut Tenancy) {
    let wrong = "not-a-secret-and-wrong";
    let good = t.env(Login::Credential);
    let with = |variable: &str, value: &str| -> Env {
        let mut env = good.clone();
        for (name, old) in &mut env {
            if name == variable {
                value.clone_into(old);
            }
        }
        env
    };
    let unknown = "0".repeat(32);
    for (login, status) in [
        (with("OS_APPLICATION_CREDENTIAL_SECRET", wrong), "401"),
        (with("OS_APPLICATION_CREDENTIAL_ID", &unknown), "404"),
    ] {
        let mut function = t.function_with(&login, &[]).await;
        let told = function.invoke(json!({ "phase": "snapshot" })).await;
        let failure = told.failure();
        assert_eq!(failure.error_type, "AuthenticationFailed", "{failure:?}");
        assert!(failure.error_message.contains(status), "{failure:?}");
        assert!(!told.log.join("\n").contains(wrong));
    }
    assert_eq!(t.count(&Method::GET, "/detail"), 0);
}
