//! Deleting one snapshot: normally first, and by force where the caller says so.
//!
//! Force skips Cinder's own checks and needs an administrator's role, so it is never the first try.

use http::StatusCode;

use super::client::Client;
use super::connection::Kind;
use super::error::Error;
use super::request::ApiRequest;
use super::response::request_id;
use super::snapshot::{Snapshot, path_to};
use crate::deadline::Deadline;

/// A deletion that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The cloud took our request on.
    Accepted {
        /// Its id for the request.
        request_id: Option<String>,
    },
    /// Somebody else's request was there first.
    ByOther,
}

/// What to do about a snapshot whose deletion the cloud refuses, once it was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRefusal {
    /// Delete it by force, which needs the right role.
    Force,
    /// Somebody else's deletion is under way: that is as good.
    LeaveToOther,
    /// Accept the refusal.
    GiveUp,
}

impl Client {
    /// Deletes a snapshot: normally first and, where the cloud refuses that by 400 or 409, reads
    /// it again and does what `after_refusal` says. Gives the request id of the deletion that
    /// was accepted.
    ///
    /// # Errors
    /// 404 where it is gone already and 403 where the role does not allow it are errors here:
    /// the caller knows what they mean. Out of time when no deletion that would fit could be
    /// begun, or when one was cut off.
    pub async fn delete_snapshot(
        &self,
        deadline: Deadline,
        id: &str,
        after_refusal: impl Fn(&Snapshot) -> AfterRefusal,
    ) -> Result<Deletion, Error> {
        let path = path_to(id)?;
        let normal = ApiRequest::delete(Kind::Delete, &path);
        let refused = match self.carry_out(deadline, "delete snapshot", &normal).await {
            Err(error)
                if matches!(
                    error.status(),
                    Some(StatusCode::BAD_REQUEST | StatusCode::CONFLICT)
                ) =>
            {
                error
            }
            done => return done,
        };
        let snapshot = self.snapshot(deadline, id).await?;
        match after_refusal(&snapshot) {
            AfterRefusal::LeaveToOther => Ok(Deletion::ByOther),
            AfterRefusal::GiveUp => Err(refused),
            AfterRefusal::Force => {
                let path = format!("{path}/action");
                let force = ApiRequest::post(Kind::Delete, &path, r#"{"os-force_delete": {}}"#);
                self.carry_out(deadline, "force-delete snapshot", &force)
                    .await
            }
        }
    }

    async fn carry_out(
        &self,
        deadline: Deadline,
        name: &str,
        call: &ApiRequest<'_>,
    ) -> Result<Deletion, Error> {
        self.connection
            .execute_action(deadline, &self.connection.retry, name, || async {
                self.connection.begin(deadline, call.kind)?;
                let response = self.connection.call(deadline, call, None).await?;
                Ok(Deletion::Accepted {
                    request_id: request_id(&response),
                })
            })
            .await
    }
}
