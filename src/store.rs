//! The cache: one SQLite file, one writer, read-only readers. SQL is written here alone.
