//! `redetect`: read brands off the cached answers again, after brands or their spellings have changed.

use super::{Context, Failure, Global, Status, output, sources};
use crate::{
    mcp::quote::QuotedLine,
    sync::{RedetectProgress, redetect},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Args)]
pub(super) struct Redetect {}

impl Redetect {
    #[expect(clippy::unused_self, reason = "every command has the same shape")]
    pub(super) fn run(&self, global: &Global) -> Result<Status, Failure> {
        let context = Context::new(global, None)?;
        for problem in &context.config.problems {
            output::note(&format!("warning: {problem}"));
        }
        // Nothing is cached that could be read again.
        context.store.reader()?;
        let cancel = CancellationToken::new();
        let (clock, added, bar) = (context.clock.clone(), sources::added_brands(&context), bar());
        let show = |progress: &RedetectProgress| {
            bar.set_length(progress.total.max(1));
            bar.set_position(progress.runs);
            bar.set_message(progress.name.clone());
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(async {
            let interrupted = async {
                if tokio::signal::ctrl_c().await.is_ok() {
                    output::note("stopping; what was read is kept, and `redetect` goes on from there");
                    cancel.cancel();
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                done = redetect(&context.store, &added, (&clock, &cancel), &show) => done,
                () = interrupted => Err(crate::store::Error::Stopped),
            }
        })?;
        bar.finish_and_clear();
        for project in &done {
            let (source, name) = (&project.project.source, QuotedLine::new(&project.name, 120));
            let name = name.as_str();
            output::data(&match project.runs {
                0 => format!("{source}/{name}: up to date"),
                runs => format!("{source}/{name}: {runs} answers read, {} runs with other facts", project.changed),
            })?;
        }
        Ok(if cancel.is_cancelled() { Status::Failure } else { Status::Success })
    }
}

/// Nothing is drawn where nobody looks.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} answers, {per_sec}, {eta} left");
    let bar = ProgressBar::new(1);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
