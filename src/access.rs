//! Access: who may ask a server over HTTP, and for what. The tokens of a file, each with its projects.

mod tokens;

pub use tokens::{Minted, TokenFile, TokenFileError, mint};
