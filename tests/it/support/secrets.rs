//! The secrets that tests give to the program, and the watch for them in all that it says: to clients and in its log.

use std::{
    collections::BTreeSet,
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

static PLANTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// From here on this must not come out.
pub fn plant(secret: impl Into<String>) {
    let secret = secret.into();
    assert!(secret.len() >= 12, "this could be there by chance: {secret}");
    PLANTED.lock().unwrap_or_else(PoisonError::into_inner).insert(secret);
}

/// Fails where a secret came out.
pub fn none_in(what: &str, said: &str) {
    let planted = PLANTED.lock().unwrap_or_else(PoisonError::into_inner);
    let found = planted.iter().find(|secret| said.contains(secret.as_str()));
    assert!(found.is_none(), "the secret {} came out in {what}: {said}", found.unwrap());
}

/// What a program said, watched.
pub fn watched(output: Output) -> Output {
    none_in("stdout", &String::from_utf8_lossy(&output.stdout));
    none_in("stderr", &String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs programs under watch.
pub trait Watched {
    /// Runs it to its end.
    fn watched(&mut self) -> Output;
}

impl Watched for Command {
    fn watched(&mut self) -> Output {
        watched(self.output().unwrap())
    }
}
