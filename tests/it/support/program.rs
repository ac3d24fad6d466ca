//! The built program, run as a client or a person would: in a home of its own, without this process's environment.

use super::{
    raw::{Era, Raw},
    secrets::none_in,
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::{Child, Command};

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_visibility-mcp");

// What the servers of a home log.
const LOG: &str = "servers.log";

/// A home folder that is empty at first.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Drop for Home {
    fn drop(&mut self) {
        if let (false, Ok(log)) = (std::thread::panicking(), std::fs::read(self.join(LOG))) {
            none_in("the log", &String::from_utf8_lossy(&log));
        }
    }
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// What the program needs of an environment. `PATH` leads to the program alone.
    pub fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("HOME", self.path().to_owned()), ("PATH", Path::new(PROGRAM).parent().unwrap().to_owned())]
    }

    /// Starts a server with these arguments; it ends when the child is dropped.
    pub fn serve(&self, program: &str, arguments: &[&str]) -> Child {
        Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(self.environment())
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::options().append(true).create(true).open(self.join(LOG)).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"))
    }

    /// Starts a server and opens a session with it.
    pub async fn open(&self, arguments: &[&str], era: Era) -> (Child, Raw) {
        let mut child = self.serve(PROGRAM, arguments);
        let mut raw = Raw::of(&mut child, era);
        raw.open().await;
        (child, raw)
    }
}
