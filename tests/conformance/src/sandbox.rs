//! The running function, as Lambda keeps it: warm from one invocation to the next.

use std::time::Duration;

use serde_json::{Value, json};
use simcloud::lambda::{Deadline, Function, Invocation};

/// How long an invocation may take unless a scenario is about that.
const TIME_ENOUGH: Duration = Duration::from_secs(60);

/// The running function.
pub struct Sandbox(Function);

impl Sandbox {
    pub(crate) fn new(function: Function) -> Self {
        Self(function)
    }

    /// Invokes it with an event.
    pub async fn invoke(&mut self, event: Value) -> Invocation {
        self.invoke_within(event, TIME_ENOUGH).await
    }

    /// Invokes it with an event and a deadline.
    pub async fn invoke_within(&mut self, event: Value, deadline: Duration) -> Invocation {
        self.0.invoke(event, Deadline::After(deadline)).await
    }

    /// A snapshot pass's answer.
    pub async fn snapshot(&mut self) -> Value {
        let invocation = self.invoke(json!({ "phase": "snapshot" })).await;
        invocation.answer().clone()
    }

    /// An expire pass's answer.
    pub async fn expire(&mut self) -> Value {
        let invocation = self.invoke(json!({ "phase": "expire" })).await;
        invocation.answer().clone()
    }

    /// Tags a volume with a policy and its defaults; the answer.
    pub async fn subscribe(&mut self, volume: &str, policy: &str) -> Value {
        let event = json!({ "phase": "subscribe", "volume_id": volume, "policy": policy });
        self.invoke(event).await.answer().clone()
    }
}
