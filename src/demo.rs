//! A deterministic world and the embedded servers that serve it, for demo and tests.
