//! The sync against a tracker that misbehaves, is changed under its hands, or is read while it is killed.

mod changes;
mod disk;
mod faults;
mod happy;
pub mod hostile;
pub mod kill;
pub mod picture;
mod resume;
mod sources;
pub mod two;
