//! What a sync would do, without doing it: the plan of every source, and what it costs in requests.

use super::{Outcome, PlanOptions, Reason, SyncOptions, plan, stop::Stop};
use crate::{
    model::{Day, DayRange, ProjectKey, SourceName},
    store::{self, Store, StoredSlice},
    upstream::{Slice, Upstream},
};
use futures_util::future::join_all;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// What a sync of one source would do.
#[derive(Clone, Debug, Serialize)]
pub struct Preview {
    /// The source.
    pub source: SourceName,
    /// `done`, or why the plan is not whole.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Projects found.
    pub projects: usize,
    /// Slices to read, by the reason why.
    pub slices: BTreeMap<Reason, usize>,
    /// Requests that the reading of these slices will take, about; those that made this plan are not among them.
    pub requests: u64,
}

/// Plans a sync of every source and writes nothing.
///
/// # Errors
/// Where the cache is there and can't be read; what goes wrong with a source is in its preview.
pub async fn preview(
    sources: &[Arc<dyn Upstream>],
    store: &Store,
    options: &SyncOptions,
) -> Result<Vec<Preview>, store::Error> {
    let previews = sources.iter().map(|upstream| preview_source(upstream.as_ref(), store, options));
    join_all(previews).await.into_iter().collect()
}

async fn preview_source(
    upstream: &dyn Upstream,
    store: &Store,
    options: &SyncOptions,
) -> Result<Preview, store::Error> {
    let mut preview = Preview {
        source: upstream.source().clone(),
        outcome: Outcome::Done,
        projects: 0,
        slices: BTreeMap::new(),
        requests: 0,
    };
    match fill(&mut preview, upstream, store, options).await {
        Ok(()) => Ok(preview),
        Err(Stop::Store(error)) => Err(error),
        Err(stop) => Ok(Preview { outcome: stop.outcome(), ..preview }),
    }
}

async fn fill(
    preview: &mut Preview,
    upstream: &dyn Upstream,
    store: &Store,
    options: &SyncOptions,
) -> Result<(), Stop> {
    let options = PlanOptions {
        today: Day::of(options.clock.now()),
        history_days: options.history_days,
        look_back_days: upstream.look_back_days(),
    };
    let found = upstream.fetch_projects().await?;
    preview.projects = found.items.len();
    for project in &found.items {
        let offered = upstream.fetch_slices(project, DayRange::ending(options.today, options.history_days)).await?;
        let key = ProjectKey { source: preview.source.clone(), key: project.key.clone() };
        let tasks = plan(offered.items, &stored(store, &key)?, options);
        for task in &tasks {
            *preview.slices.entry(task.reason).or_default() += 1;
        }
        let slices: Vec<&Slice> = tasks.iter().map(|task| &task.slice).collect();
        preview.requests += upstream.requests(project, &slices);
    }
    match found.failed.into_iter().next() {
        Some(error) => Err(Stop::Upstream(error)),
        None => Ok(()),
    }
}

/// What is stored of a project's slices; nothing where there is no cache yet.
fn stored(store: &Store, project: &ProjectKey) -> Result<Vec<StoredSlice>, store::Error> {
    match store.reader() {
        Ok(reader) => reader.slices(project),
        Err(store::Error::Missing) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
