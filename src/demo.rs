//! A deterministic world and the embedded servers that serve it, for demo and tests.
//!
//! [`world`] makes brands, prompts and weeks of answers out of a seed; [`verseodin`], [`lumar`] and [`lunary`] each speak one
//! tracker's API over loopback and know only a small trait, so that they can serve any data. Nothing here is used by a real sync.

mod doors;
mod faults;
mod hostile;
pub mod lumar;
pub mod lunary;
mod prose;
mod rng;
pub mod verseodin;
pub mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; a handler that panicked does not spoil its server for the next request.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
