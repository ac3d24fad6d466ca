//! visibility-mcp: an MCP server that answers how brands appear in AI answers, from a local cache.

pub mod access;
pub mod analysis;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod detect;
pub mod mcp;
pub mod model;
pub mod store;
pub mod sync;
pub mod upstream;

// Beside `src` and not in it: the tools are what this server is about, and the folder at the top shows them, each with
// the words that the model reads. Cargo has no other way to mount a sibling folder; it is the only one.
#[path = "../tools/mod.rs"]
pub mod tools;
