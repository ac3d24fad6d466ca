//! What the benchmark programs share: the data, the clock, the table of goals.
//!
//! A ratio beside its floor, both taken in turn in one process, says something on any machine; a time does not. So
//! every goal is a ratio where it can be, and a short run fails on wrong answers alone.

#![allow(dead_code, reason = "no program uses all of it")]
#![allow(unreachable_pub, reason = "each program is a crate of its own")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nothing better to do than stop and say so"
)]
#![allow(clippy::cast_precision_loss, reason = "measures are shown with three digits")]

pub mod asks;
pub mod cache;
pub mod child;
pub mod crowd;
pub mod floor;
pub mod goals;
pub mod paired;
pub mod rows;
pub mod scan;
pub mod servers;
pub mod tracker;
pub mod wrk;

/// How a program was started.
#[derive(Clone, Debug)]
pub enum Start {
    /// To measure.
    Measure {
        /// On little data, for CI.
        short: bool,
        /// Build the data anew.
        rebuild: bool,
    },
    /// As a child of one that measures, with its job and its arguments.
    Child(Vec<String>),
}

impl Start {
    /// What the command line says. Unknown words are cargo's own, or filters for other programs.
    pub fn read() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        if words.first().is_some_and(|word| word == "--child") {
            return Self::Child(words.into_iter().skip(1).collect());
        }
        let has = |flag: &str| words.iter().any(|word| word == flag);
        Self::Measure { short: has("--short"), rebuild: has("--rebuild") }
    }
}
