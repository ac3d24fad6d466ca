//! `sync`: fetch what is new, with a progress bar on a terminal and plain lines elsewhere.

use super::{
    Context, Failure, Global, Status, output,
    sources::{self, Sources},
};
use crate::sync::{OnProgress, Outcome, Preview, Progress, Reason, Report, SourceReport, SyncOptions};
use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
    collections::HashMap,
    io::IsTerminal as _,
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// How many days back to fetch at the first sync [default: 90]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=3660))]
    history_days: Option<i32>,
    /// Only these sources
    #[arg(long, value_name = "SOURCE")]
    only: Vec<String>,
    /// Only say what there is to fetch, and in how many requests
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Sync {
    pub(super) fn run(&self, global: &Global) -> Result<Status, Failure> {
        let context = Context::new(global, self.history_days)?;
        for problem in &context.config.problems {
            output::note(&format!("warning: {problem}"));
        }
        if context.config.sources.is_empty() && !context.demo {
            return Err(Failure::new(
                "no source is configured",
                "set `VERSEODIN_API_KEY`, `LUNARY_API_KEY` or Lumar's keys, or name a file with `--config`; `visibility-mcp demo` works without",
            ));
        }
        let success = if self.dry_run { self.dry_run(&context)? } else { self.sync(&context)? };
        Ok(if success && context.config.problems.is_empty() { Status::Success } else { Status::Failure })
    }

    fn sync(&self, context: &Context) -> Result<bool, Failure> {
        let report = now(context, &self.only)?;
        if self.json {
            json(&report)?;
        } else {
            tell(&report)?;
        }
        Ok(report.is_success())
    }

    fn dry_run(&self, context: &Context) -> Result<bool, Failure> {
        let sources = chosen(context, &self.only)?;
        let options = options(context, CancellationToken::new(), Arc::new(|_| ()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let previews = runtime.block_on(crate::sync::preview(&sources.upstreams, &context.store, &options))?;
        if self.json {
            json(&previews)?;
        } else {
            for preview in &previews {
                output::data(&planned(preview))?;
                if let Outcome::Failed { error, hint, .. } = &preview.outcome {
                    output::failure(&Failure::new(format!("{}: {error}", preview.source), hint.clone()));
                }
            }
        }
        Ok(previews.iter().all(|preview| preview.outcome == Outcome::Done))
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string(), ""))?;
    Ok(output::data(&text)?)
}

/// A plan in one line.
fn planned(preview: &Preview) -> String {
    let projects = format!("{}: {} projects", preview.source, preview.projects);
    let slices: usize = preview.slices.values().sum();
    if slices == 0 {
        return format!("{projects}, nothing to fetch");
    }
    let why = |(reason, count): (&Reason, &usize)| {
        let why = match reason {
            Reason::New => "new",
            Reason::Resume => "begun",
            Reason::Changed => "changed",
            Reason::LookBack => "may have changed",
            Reason::OpenRuns => "with open runs",
        };
        format!("{count} {why}")
    };
    let why: Vec<String> = preview.slices.iter().map(why).collect();
    format!("{projects}, {slices} slices to fetch ({}), in about {} requests", why.join(", "), preview.requests)
}

/// Clients of the sources that were chosen.
pub(super) fn chosen(context: &Context, only: &[String]) -> Result<Sources, Failure> {
    let mut sources = sources::connect(context)?;
    if !only.is_empty() {
        let known: Vec<String> = sources.upstreams.iter().map(|upstream| upstream.source().to_string()).collect();
        if let Some(name) = only.iter().find(|name| !known.contains(name)) {
            return Err(Failure::new(
                format!("no source `{name}` is configured"),
                format!("sources: {}", known.join(", ")),
            ));
        }
        sources.upstreams.retain(|upstream| only.iter().any(|name| name == upstream.source().as_str()));
    }
    Ok(sources)
}

pub(super) fn options(context: &Context, cancel: CancellationToken, on_progress: OnProgress) -> SyncOptions {
    SyncOptions {
        history_days: context.config.history_days,
        brands: Arc::new(sources::added_brands(context)),
        clock: context.clock.clone(),
        cancel,
        on_progress,
    }
}

/// Syncs here and now, until done or interrupted.
pub(super) fn now(context: &Context, only: &[String]) -> Result<Report, Failure> {
    let sources = chosen(context, only)?;
    let opened = context.store.prepare().map_err(|error| {
        // A person may know the path, and needs it here.
        Failure::new(format!("{error} (`{}`)", context.store.path().display()), error.hint())
    })?;
    if let crate::store::Opened::SetAside(path) = &opened {
        output::note(&format!(
            "warning: the cache was damaged; it is kept as `{}` and a new one is filled",
            path.display()
        ));
    }
    let cancel = CancellationToken::new();
    let options = options(context, cancel.clone(), show_progress());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let interrupted = async {
            if tokio::signal::ctrl_c().await.is_ok() {
                output::note("stopping after the page that is being committed; the next sync goes on from there");
                cancel.cancel();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            report = crate::sync::sync(&sources.upstreams, &context.store, options) => report,
            () = interrupted => Err(crate::store::Error::Stopped),
        }
    })?;
    Ok(report)
}

/// Fills the demo's cache before a first question is asked of it.
pub(super) fn fill_if_missing(context: &Context) -> Result<(), Failure> {
    if context.demo
        && context.store.reader().and_then(|reader| reader.projects()).map_or(true, |projects| projects.is_empty())
    {
        now(context, &[])?;
    }
    Ok(())
}

fn show_progress() -> OnProgress {
    if !std::io::stderr().is_terminal() {
        return plain_lines();
    }
    let bars = MultiProgress::new();
    let by_source: Mutex<HashMap<String, ProgressBar>> = Mutex::default();
    Arc::new(move |progress: &Progress| {
        let mut by_source = by_source.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = by_source.entry(progress.source.to_string()).or_insert_with(|| {
            let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} slices  {msg}");
            let bar = bars.add(ProgressBar::new(0));
            bar.set_prefix(progress.source.to_string());
            style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
        });
        bar.set_length(progress.slices_planned as u64);
        bar.set_position(progress.slices_done as u64);
        bar.set_message(message(progress));
        if progress.slices_planned > 0 && progress.slices_done == progress.slices_planned {
            bar.finish();
        }
    })
}

/// A line at every tenth of the way.
fn plain_lines() -> OnProgress {
    let told: Mutex<HashMap<String, usize>> = Mutex::default();
    Arc::new(move |progress: &Progress| {
        let tenth = (progress.slices_done * 10).checked_div(progress.slices_planned).unwrap_or(0);
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(progress.source.to_string(), tenth) != Some(tenth) {
            output::note(&format!(
                "{}: {}/{} slices  {}",
                progress.source,
                progress.slices_done,
                progress.slices_planned,
                message(progress)
            ));
        }
    })
}

fn message(progress: &Progress) -> String {
    match progress.day {
        Some(day) => format!("{day}  {} runs", progress.runs),
        None if progress.slices_planned == 0 => "looking at what is there".to_owned(),
        None => format!("{} runs", progress.runs),
    }
}

/// The report, a source a line.
fn tell(report: &Report) -> std::io::Result<()> {
    for source in &report.sources {
        output::data(&line(source))?;
        if let Outcome::Failed { error, hint, .. } = &source.outcome {
            output::failure(&Failure::new(format!("{}: {error}", source.source), hint.clone()));
        }
    }
    Ok(())
}

fn line(source: &SourceReport) -> String {
    let counts = &source.counts;
    let word = match source.outcome {
        Outcome::Done => "done",
        Outcome::Cancelled => "stopped",
        Outcome::Busy => {
            return format!("{}: another process syncs it now; the cache has what it fetched so far", source.source);
        }
        Outcome::Failed { .. } => "incomplete",
    };
    let mut line = format!(
        "{}: {word}, {} projects, {} of {} slices read; {} runs new, {} changed, {} unchanged",
        source.source,
        source.projects,
        source.slices_done,
        source.slices_planned,
        counts.added,
        counts.changed,
        counts.unchanged
    );
    if counts.gone > 0 {
        line.push_str(&format!(", {} gone", counts.gone));
    }
    if counts.rejected > 0 {
        line.push_str(&format!("; {} rows put aside, see `visibility-mcp status`", counts.rejected));
    }
    line
}
