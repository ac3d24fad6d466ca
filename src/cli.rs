//! The command line. stdout is for data (under `serve`, for the protocol alone); everything else goes to stderr.

mod call;
mod demo;
mod fetch;
mod output;
mod redetect;
mod serve;
mod sources;
mod status;
mod sync;
mod token;
mod tools;

use crate::{
    clock::Clock,
    config::{self, Config, Overrides},
    mcp::{Backend, Limits, Setup, ToolError},
    store::Store,
};
use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// How brands appear in AI answers, from a local cache of your trackers, for AI assistants and for people.
#[derive(Debug, Parser)]
#[command(name = "visibility-mcp", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// Configuration file [env: `VISIBILITY_MCP_CONFIG`]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Cache file [env: `VISIBILITY_MCP_CACHE`]
    #[arg(long, global = true, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Use the built-in demo data: no key, no network
    #[arg(long, global = true)]
    demo: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP on stdin and stdout, or over HTTP
    Serve(serve::Serve),
    /// Fetch what is new from the configured trackers
    Sync(sync::Sync),
    /// Look for brands in the cached answers again, after their names have changed
    Redetect(redetect::Redetect),
    /// Show what is cached, and how the last syncs went
    Status(status::Status),
    /// Call a tool and show its answer
    Call(call::Call),
    /// List the tools and what they take
    Tools(tools::Tools),
    /// Make a bearer token for a server over HTTP
    Token(token::Token),
    /// Try it: build a cache of demo data and show a brand's summary
    Demo(demo::Demo),
}

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Status {
    /// All was done.
    Success,
    /// Something that the person can mend was not.
    Failure,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Success => Self::SUCCESS,
            Status::Failure => Self::from(1),
        }
    }
}

/// A message for a person, and the step that mends it.
#[derive(Debug)]
struct Failure {
    error: String,
    hint: String,
}

impl Failure {
    fn new(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hint: hint.into() }
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

impl From<crate::store::Error> for Failure {
    fn from(error: crate::store::Error) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

impl From<crate::upstream::Error> for Failure {
    fn from(error: crate::upstream::Error) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

/// The first line says what is wrong, the others what to do.
impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        let text = error.to_string();
        let (error, hint) = text.split_once('\n').unwrap_or((&text, ""));
        Self::new(error, hint)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string(), "")
    }
}

/// What every command begins with: the configuration, the cache, and where the sources come from.
#[derive(Clone)]
struct Context {
    config: Config,
    store: Store,
    clock: Clock,
    demo: bool,
}

impl Context {
    fn new(global: &Global, history_days: Option<i32>) -> Result<Self, Failure> {
        let overrides = Overrides { config: global.config.clone(), cache: global.cache.clone(), history_days };
        let mut config = config::load(&overrides, &config::process_environment)?;
        if global.demo {
            config.cache = config::demo_cache(&overrides)?;
            config.sources.clear();
            config.problems.clear();
        }
        let store = Store::at(&config.cache);
        Ok(Self { config, store, clock: Clock::system(), demo: global.demo })
    }

    fn setup(&self) -> Setup {
        let mut sources: Vec<_> = self.config.sources.iter().map(|source| source.name.clone()).collect();
        if self.demo {
            sources.extend(sources::DEMO.map(Into::into));
        }
        Setup { sources, problems: self.config.problems.clone() }
    }

    fn backend(&self) -> Arc<Backend> {
        let backend = Backend::new(self.store.clone(), self.clock.clone(), self.setup());
        Arc::new(backend.with_fetch(Arc::new(fetch::Fetcher(self.clone()))))
    }

    fn limits() -> Limits {
        Limits::default()
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let (serving, json) = match &cli.command {
        Command::Serve(serve) => (true, serve.is_json_logged()),
        _ => (false, false),
    };
    log_to_stderr(cli.global.verbose, serving, json);
    let done = match &cli.command {
        Command::Serve(serve) => serve.run(&cli.global),
        Command::Sync(sync) => sync.run(&cli.global),
        Command::Redetect(redetect) => redetect.run(&cli.global),
        Command::Status(status) => status.run(&cli.global),
        Command::Call(call) => call.run(&cli.global),
        Command::Tools(tools) => tools.run(),
        Command::Token(token) => token.run(),
        Command::Demo(demo) => demo.run(&cli.global),
    };
    match done {
        Ok(status) => status.into(),
        Err(failure) => {
            output::failure(&failure);
            Status::Failure.into()
        }
    }
}

/// stderr is the log; a server says a line per call, other commands only what is wrong.
fn log_to_stderr(verbose: u8, serving: bool, json: bool) {
    let (own, others) = match (verbose, serving) {
        (0, false) => (LevelFilter::ERROR, LevelFilter::ERROR),
        // The protocol library warns of every refusal, with what the caller sent in it.
        (0, true) => (LevelFilter::INFO, LevelFilter::ERROR),
        (1, _) => (LevelFilter::DEBUG, LevelFilter::INFO),
        _ => (LevelFilter::TRACE, LevelFilter::TRACE),
    };
    let levels = Targets::new().with_target("visibility_mcp", own).with_default(others);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let registry = tracing_subscriber::registry().with(levels);
    let _ = if json {
        registry.with(lines.json().flatten_event(true).with_current_span(false)).try_init()
    } else {
        registry.with(lines).try_init()
    };
}
