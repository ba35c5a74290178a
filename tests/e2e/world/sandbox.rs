//! The function's process: what is run in it one after the other shares what a warm sandbox keeps.

use std::time::Duration;

use chrono::{SubsecRound, Utc};
use serde_json::{Value, json};
use simcloud::lambda::{Deadline, Function, FunctionSpec};

use super::{MINUTE, Run, World};

/// A running function.
pub(crate) struct Sandbox<'w> {
    world: &'w World,
    pub(crate) function: Function,
}

impl<'w> Sandbox<'w> {
    /// Starts the process.
    pub(super) async fn start(world: &'w World, spec: FunctionSpec) -> Self {
        let function = Function::start(spec).await.expect("the built function");
        Self { world, function }
    }

    /// One event, with a minute of time.
    pub(crate) async fn run(&mut self, event: Value) -> Run {
        self.run_within(MINUTE, event).await
    }

    /// A snapshot pass.
    pub(crate) async fn snapshot(&mut self) -> Run {
        self.run(json!({"phase": "snapshot"})).await
    }

    /// One event that has to be answered within this time.
    pub(crate) async fn run_within(&mut self, time: Duration, event: Value) -> Run {
        self.run_until(Deadline::After(time), event).await
    }

    /// One event with this deadline.
    pub(crate) async fn run_until(&mut self, deadline: Deadline, event: Value) -> Run {
        let begun = Utc::now().trunc_subsecs(0);
        let invocation = self.function.invoke(event.clone(), deadline).await;
        let run = Run { invocation };
        run.keeps_every_promise(self.world, &event, begun);
        run
    }
}
