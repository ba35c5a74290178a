//! Locks whose holder may have panicked.

use std::sync::{Mutex, MutexGuard};

/// Takes a lock that is held for a moment only and never across an await.
///
/// Where a holder panicked, what it guards is still whole: no change to the plain values behind
/// such a lock can stop half-way. So the next invocation goes on with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
