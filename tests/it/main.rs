//! Tests through the doors that users enter by.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod protocol;
mod support;
mod sync;
mod tidy;
