//! Locks that a panic does not poison: what they guard is changed in single steps.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whatever happened to the previous holder.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
