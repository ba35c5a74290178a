//! The levers of a test: the clock, the cloud's behaviour, and what happened in it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::Cloud;
use crate::backend::Rule;
use crate::config::Config;
use crate::faults::{Fault, FaultId, Injected, Requests};
use crate::health::{Health, MessageQueue};
use crate::hooks::{Hook, When};
use crate::journal::Journal;

/// The clock.
impl Cloud {
    /// The cloud's present time.
    pub fn now(&self) -> DateTime<Utc> {
        self.lock().now()
    }

    /// Moves the cloud's clock on.
    pub fn advance(&self, by: Duration) {
        let by = TimeDelta::from_std(by).expect("a step of less than 292 million years");
        let mut state = self.lock();
        state.move_clock(by);
        state.settle();
    }

    /// Sets the cloud's clock, also back.
    pub fn set_now(&self, now: DateTime<Utc>) {
        let mut state = self.lock();
        let by = now - state.now();
        state.move_clock(by);
        state.settle();
    }
}

/// Behaviour.
impl Cloud {
    /// Changes the configuration of the running cloud. Seed, ids and `now` no longer matter.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        let mut state = self.lock();
        change(&mut state.config);
        state.pages.clear();
    }

    /// Makes the storage behave in some way.
    pub fn backend(&self, rule: Rule) {
        self.lock().backend.push(rule);
    }

    /// Makes the storage behave again. What it is doing wrong already goes on.
    pub fn clear_backend(&self) {
        self.lock().backend.clear();
    }

    /// Lets the backend of this volume type be so from now on.
    pub fn set_health(&self, backend: &str, health: Health) {
        let mut state = self.lock();
        state.settle();
        state.set_health(backend, health);
        state.settle();
    }

    /// Lets the scheduler run, or not: without it snapshots and volumes stay `creating` until it
    /// is back; deletions do not need it.
    pub fn set_scheduler(&self, runs: bool) {
        let mut state = self.lock();
        state.settle();
        state.set_scheduler(runs);
        state.settle();
    }

    /// Lets the message queue be so from now on.
    pub fn set_message_queue(&self, queue: MessageQueue) {
        let mut state = self.lock();
        state.settle();
        state.set_queue(queue);
        state.settle();
    }

    /// Injects a misfortune.
    pub fn inject(&self, fault: Fault) -> FaultId {
        let mut state = self.lock();
        state.faults.push(Injected { fault, struck: 0 });
        FaultId(state.faults.len() - 1)
    }

    /// How many requests a misfortune has befallen.
    pub fn struck(&self, fault: FaultId) -> u64 {
        self.lock()
            .faults
            .get(fault.0)
            .map_or(0, |injected| injected.struck)
    }

    /// Ends all misfortune. What it has hung already stays hung; ids stay readable.
    pub fn clear_faults(&self) {
        for injected in &mut self.lock().faults {
            injected.fault.times = Some(0);
        }
    }

    /// Runs something in the middle of the handling of the `nth` such request from now (1 is
    /// the next).
    pub fn on(
        &self,
        requests: impl Into<Requests>,
        nth: u64,
        when: When,
        action: impl FnOnce(&Cloud) + Send + 'static,
    ) {
        let hook = Hook {
            requests: requests.into(),
            left: nth,
            when,
            action: Some(Box::new(action)),
        };
        self.lock().hooks.push(hook);
    }

    /// Ends all tokens now, as revoking does, for services that do not cache.
    pub fn revoke_tokens(&self) {
        for token in self.lock().tokens.values_mut() {
            token.revoked = true;
            token.asked_at = None;
        }
    }

    /// Ends all tokens now, as the passing of their time does.
    pub fn expire_tokens(&self) {
        let mut state = self.lock();
        let now = state.now();
        for token in state.tokens.values_mut() {
            token.expires_at = now;
        }
    }
}

/// What happened.
impl Cloud {
    /// Everything that happened so far.
    pub fn journal(&self) -> Journal {
        let mut state = self.lock();
        state.settle();
        state.journal.clone()
    }

    /// Looks at the journal without copying it. The cloud stands still meanwhile, so the
    /// closure must not call it.
    pub fn with_journal<T>(&self, look: impl FnOnce(&Journal) -> T) -> T {
        let mut state = self.lock();
        state.settle();
        look(&state.journal)
    }

    /// Forgets what happened so far. Sequence numbers go on.
    pub fn clear_journal(&self) {
        self.lock().journal.clear();
    }

    /// The project's id.
    pub fn project_id(&self) -> String {
        self.lock().project_id.clone()
    }

    /// A UUID drawn from the seed.
    pub fn new_uuid(&self) -> String {
        self.lock().new_id().to_string()
    }
}
