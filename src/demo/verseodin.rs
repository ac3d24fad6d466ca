//! Stub.
pub(crate) mod prose;
