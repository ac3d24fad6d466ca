//! visibility-mcp: an MCP server that answers how brands appear in AI answers, from a local cache.

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
