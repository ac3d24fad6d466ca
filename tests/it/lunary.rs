//! Lunary from its API to the tools' answers: a log of model calls that knows of no brands.

mod changes;
mod detect;
mod faults;
mod hostile;
mod whole;
