//! `status`: what is cached and how the last syncs went, out of `list_sources`.

use super::{Context, Failure, Global, Status as Exit, output};
use crate::tools;
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        let context = Context::new(global, None)?;
        let arguments = json!({"response_format": "detailed"});
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let answer = tools::catalogue().call("list_sources", &arguments, &context.backend(), Context::limits())?;
        if self.json {
            output::data(&answer.to_string())?;
        } else {
            let path = context.store.path();
            let size = std::fs::metadata(path).map(|meta| format!("{:.1} MB", megabytes(meta.len())));
            output::data(&format!("cache: {} ({})", path.display(), size.as_deref().unwrap_or("not there yet")))?;
            output::data(&output::answer(&answer))?;
        }
        let failed = answer
            .get("sources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .any(|source| source.pointer("/last_sync/outcome").and_then(Value::as_str) == Some("failed"));
        Ok(if failed || !context.config.problems.is_empty() { Exit::Failure } else { Exit::Success })
    }
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0
}
