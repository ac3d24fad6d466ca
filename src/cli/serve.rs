//! `serve`: MCP on stdin and stdout or over HTTP, with a sync in the background.

mod http;

use super::{Context, Failure, Global, Status, sources};
use crate::{
    mcp::{Registry, Server, transport},
    sync::SyncOptions,
    tools,
};
use clap::Args;
use jiff::SignedDuration;
use std::{sync::Arc, thread::JoinHandle, time::Duration};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    http: http::Http,
    /// Do not sync in the background
    #[arg(long)]
    no_sync: bool,
    /// Let models ask with SQL: adds the tool `query_sql`
    #[arg(long)]
    query_sql: bool,
    /// Only these tools, by name and comma
    #[arg(long, value_name = "TOOLS", value_delimiter = ',')]
    tools: Vec<String>,
    /// All tools but these
    #[arg(long, value_name = "TOOLS", value_delimiter = ',')]
    exclude_tools: Vec<String>,
    /// How many days back to fetch at the first sync [default: 90]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=3660))]
    history_days: Option<i32>,
}

impl Serve {
    pub(super) fn run(&self, global: &Global) -> Result<Status, Failure> {
        let context = Context::new(global, self.history_days)?;
        let all = if self.query_sql { tools::catalogue_with_sql() } else { tools::catalogue() };
        let registry = all
            .choose(&self.tools, &self.exclude_tools)
            .map_err(|error| Failure::new(error.to_string(), "`visibility-mcp tools` lists them"))?;
        for problem in &context.config.problems {
            tracing::warn!("{problem}");
        }
        // Whatever keeps it from serving is said before anything is begun.
        let open = self.http.open()?;
        let stop_sync = CancellationToken::new();
        let has_sources = context.demo || !context.config.sources.is_empty();
        let background = (has_sources && !self.no_sync)
            .then(|| sync_in_background(context.clone(), stop_sync.clone()))
            .transpose()?;
        let served = match open {
            Some(open) => open.serve(registry, &context),
            None => serve_stdio(registry, &context),
        };
        stop_sync.cancel();
        if let Some(background) = background {
            // It ends with the page at hand; a page that is cut off all the same is fetched again next time.
            let deadline = std::time::Instant::now() + Duration::from_secs(5);
            while !background.is_finished() && std::time::Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        served?;
        Ok(Status::Success)
    }

    pub(super) fn is_json_logged(&self) -> bool {
        self.http.log_format == http::LogFormat::Json
    }
}

fn serve_stdio(registry: Registry, context: &Context) -> Result<(), Failure> {
    let server = Server::new(registry, context.backend(), Context::limits());
    let runtime = transport::runtime()?;
    let served = runtime.block_on(transport::serve_stdio(server, CancellationToken::new()));
    runtime.shutdown_background();
    served.map_err(|error| Failure::new(error.to_string(), ""))
}

/// Syncs at once where the last sync is older than the interval, and then at every interval, on a thread of its own, so
/// that decoding pages never delays a call.
fn sync_in_background(context: Context, stop: CancellationToken) -> Result<JoinHandle<()>, Failure> {
    let thread = std::thread::Builder::new().name("sync".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "no background sync"),
        };
        runtime.block_on(async {
            let mut wait = first_wait(&context);
            loop {
                if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                sync_once(&context, &stop).await;
                wait = jittered(context.config.sync_interval);
            }
        });
    })?;
    Ok(thread)
}

async fn sync_once(context: &Context, stop: &CancellationToken) {
    let sources = match sources::connect(context) {
        Ok(sources) => sources,
        Err(failure) => return tracing::error!(error = failure.error, hint = failure.hint, "sync cannot begin"),
    };
    let options = SyncOptions {
        history_days: context.config.history_days,
        brands: Arc::new(sources::added_brands(context)),
        clock: context.clock.clone(),
        cancel: stop.clone(),
        on_progress: Arc::new(|_| ()),
    };
    if let Err(error) = crate::sync::sync(&sources.upstreams, &context.store, options).await {
        tracing::error!(%error, hint = error.hint(), "sync failed");
    }
}

/// Nothing where no source was synced yet; else what is left of the interval.
fn first_wait(context: &Context) -> Duration {
    let newest = context.store.reader().ok().and_then(|reader| {
        let sources = context.setup().sources;
        let ended =
            sources.iter().map(|name| reader.last_good_sync(name).ok().flatten().and_then(|sync| sync.ended_at));
        ended.collect::<Option<Vec<_>>>()?.into_iter().min()
    });
    let Some(ended) = newest else { return Duration::ZERO };
    let age = context.clock.now().duration_since(ended).max(SignedDuration::ZERO).unsigned_abs();
    context.config.sync_interval.saturating_sub(age)
}

/// A tenth more or less, so that servers started together do not stay together.
fn jittered(interval: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let noise = u32::try_from(RandomState::new().hash_one(std::process::id()) % 2_001).unwrap_or(1_000);
    interval.mul_f64(0.9 + f64::from(noise) / 10_000.0)
}
