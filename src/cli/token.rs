//! `token`: a new bearer token for a server over HTTP, and the lines that let it in.

use super::{Failure, Status, output};
use crate::access;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Token {
    /// Whose it is, as the log names them
    name: String,
    /// A project that it opens, as `source/project`, `source/*`, or `*` for all; may be given again
    #[arg(long = "project", value_name = "PROJECT", required = true)]
    projects: Vec<String>,
    /// Let it have sources synced, of which it sees every project
    #[arg(long)]
    sync: bool,
}

impl Token {
    pub(super) fn run(&self) -> Result<Status, Failure> {
        let minted = access::mint()?;
        let projects: Vec<String> = self.projects.iter().map(|project| format!("{project:?}")).collect();
        output::note("The token, shown this once:");
        output::data(&minted.token)?;
        output::note("\nLet it in with these lines in the file of `serve --token-file`, which keeps no token:\n");
        output::data(&format!(
            "[[tokens]]\nname = {:?}\nsha256 = \"{}\"\nprojects = [{}]\nsync = {}",
            self.name,
            minted.sha256,
            projects.join(", "),
            self.sync
        ))?;
        Ok(Status::Success)
    }
}
