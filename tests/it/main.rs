//! Tests through the doors that users enter by.
#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod answers;
mod cli;
mod contract;
mod detect;
mod figures;
mod guides;
mod http;
mod large_world;
mod lumar;
mod lunary;
mod mcp_json;
mod oracle;
mod protocol;
mod real_answers;
mod red_team;
mod refusals;
mod session;
mod sql;
mod stdio;
mod support;
mod sync;
mod sync_now;
mod tidy;
mod tools_comparisons;
mod tools_lists;
mod tools_sources;
