//! A tracker without a network: the sync reads from it as from any other, so what is timed is the sync's own path.

use super::{
    paired::thread_cpu,
    rows::{PAGES_PER_DAY, Rows, last_day},
};
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    model::{Day, DayRange, ProjectKey, ProjectRecord, RunRecord, SourceName, UpstreamKind},
    store::Store,
    sync::{Report, SyncOptions, sync},
    upstream::{Cursor, Discovery, Error, Fetch, Known, Page, Slice, Upstream, Wanted, verseodin::decode_prompts},
};

/// The source's name.
pub const SOURCE: &str = "bench";

/// A page's place: its day and its number.
pub type Place = (Day, usize);

/// Where pages come from.
pub enum Supply {
    /// Made when asked for.
    Made(Box<Rows>),
    /// JSON that lies ready.
    Bodies(Arc<HashMap<Place, String>>),
    /// Decoded pages that lie ready, once each.
    Parsed(Mutex<HashMap<Place, Page>>),
}

/// The tracker.
pub struct Tracker {
    name: SourceName,
    project: ProjectRecord,
    days: Vec<Day>,
    supply: Supply,
    /// Which state of every slice is offered: another one makes the sync read all of it again.
    pub state: AtomicU64,
    making: Mutex<f64>,
    payload: AtomicU64,
}

impl Tracker {
    /// A tracker of these days of `rows`, served from `supply`.
    pub fn new(rows: &Rows, supply: Supply) -> Arc<Self> {
        Arc::new(Self {
            name: SourceName::from(SOURCE),
            project: rows.project(),
            days: rows.days(),
            supply,
            state: AtomicU64::new(1),
            making: Mutex::default(),
            payload: AtomicU64::new(0),
        })
    }

    /// CPU time that went into making pages, in seconds.
    pub fn making(&self) -> f64 {
        *self.making.lock().unwrap()
    }

    /// Bytes of answers and values in the pages so far.
    pub fn payload(&self) -> u64 {
        self.payload.load(Ordering::Relaxed)
    }

    fn page(&self, place: Place) -> Result<Page, Error> {
        let mut page = match &self.supply {
            Supply::Made(rows) => {
                let began = thread_cpu();
                let body = rows.body(place.0, place.1);
                *self.making.lock().unwrap() += thread_cpu() - began;
                let page = decode_prompts(&self.project, body.as_bytes())?;
                self.payload.fetch_add(page.runs.iter().map(payload).sum(), Ordering::Relaxed);
                page
            }
            Supply::Bodies(bodies) => decode_prompts(&self.project, bodies[&place].as_bytes())?,
            Supply::Parsed(pages) => pages.lock().unwrap().remove(&place).unwrap(),
        };
        page.next = (place.1 + 1 < PAGES_PER_DAY).then(|| Cursor((place.1 + 1).to_string()));
        Ok(page)
    }
}

impl Upstream for Tracker {
    fn source(&self) -> &SourceName {
        &self.name
    }

    fn kind(&self) -> UpstreamKind {
        UpstreamKind::Verseodin
    }

    fn look_back_days(&self) -> i32 {
        1
    }

    fn fetch_projects(&self) -> Fetch<'_, Discovery<ProjectRecord>> {
        let found = Discovery { items: vec![self.project.clone()], rejected: vec![], failed: vec![], drift: vec![] };
        Box::pin(async { Ok(found) })
    }

    fn fetch_slices<'a>(&'a self, _: &'a ProjectRecord, _: DayRange) -> Fetch<'a, Discovery<Slice>> {
        let state = self.state.load(Ordering::Relaxed).to_string();
        let slice = |day: &Day| Slice { fingerprint: Some(state.clone()), ..Slice::of_day(*day) };
        let found =
            Discovery { items: self.days.iter().map(slice).collect(), rejected: vec![], failed: vec![], drift: vec![] };
        Box::pin(async { Ok(found) })
    }

    fn fetch_pages<'a>(
        &'a self,
        _: &'a ProjectRecord,
        wanted: &'a [Wanted<'a>],
        _: &'a Known<'a>,
    ) -> Fetch<'a, Vec<Result<Page, Error>>> {
        let page = |wanted: &Wanted<'_>| {
            let number = wanted.cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
            self.page((wanted.slice.last_day, number))
        };
        Box::pin(async move { Ok(wanted.iter().map(page).collect()) })
    }

    fn requests(&self, _: &ProjectRecord, slices: &[&Slice]) -> u64 {
        (slices.len() * PAGES_PER_DAY) as u64
    }
}

/// The project of all benchmark data.
pub fn project_key(project: &ProjectRecord) -> ProjectKey {
    ProjectKey { source: SourceName::from(SOURCE), key: project.key.clone() }
}

/// Syncs the tracker into the file, as the command line does.
pub fn load(tracker: &Arc<Tracker>, file: &Path) -> Report {
    let noon = last_day().plus(2).start() + jiff::SignedDuration::from_hours(12);
    let options = SyncOptions {
        history_days: 3_660,
        brands: Arc::default(),
        clock: Clock::fixed(noon),
        cancel: CancellationToken::new(),
        on_progress: Arc::new(|_| ()),
    };
    let sources: [Arc<dyn Upstream>; 1] = [Arc::clone(tracker) as Arc<dyn Upstream>];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(sync(&sources, &Store::at(file), options)).unwrap();
    assert!(report.is_success(), "{report:?}");
    report
}

/// What a run is worth storing: its answer, its URLs and words, and eight bytes for every number.
fn payload(run: &RunRecord) -> u64 {
    let text = |text: Option<&str>| text.map_or(0, str::len);
    let numbers = |values: &[bool]| 8 * values.iter().filter(|is| **is).count();
    let texts = text(run.answer.as_deref())
        + text(run.upstream_id.as_deref())
        + text(run.model.as_deref())
        + text(run.failure_reason.as_deref())
        + run.engine.len()
        + run.status.as_str().len();
    let cited: usize = run.citations.iter().flatten().map(|c| c.url.len() + numbers(&[c.brand.is_some()])).sum();
    let of_run = [true, true, run.started_at.is_some(), run.finished_at.is_some(), run.total_citations.is_some()];
    let more = [run.cost_usd.is_some(), run.web_search.is_some(), true];
    let appears = run.facts.iter().filter(|fact| fact.mentions > Some(0) || fact.citations > Some(0));
    let facts: usize = appears
        .map(|fact| {
            let values = [fact.mentions.is_some(), fact.citations.is_some(), fact.best_citation_position.is_some()];
            8 + numbers(&values)
        })
        .sum();
    (texts + cited + facts + numbers(&of_run) + numbers(&more)) as u64
}
