//! A deterministic world and the embedded servers that serve it, for demo and tests.
//!
//! [`world`] makes brands, prompts and weeks of answers out of a seed; [`verseodin`] speaks one tracker's API over
//! loopback and knows only a small trait, so that it can serve any data. Nothing here is used by a real sync.

mod rng;
pub mod verseodin;
pub mod world;
