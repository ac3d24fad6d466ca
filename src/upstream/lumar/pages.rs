//! Pages of slices: the lists of all tracked brands joined by run, then the details that are not stored yet.
//!
//! A list is read by offset, whatever its cursors look like: a row that comes or goes before the place reached moves
//! all others past the reader. So each page begins with the row that the page before ended with; where it does not,
//! and where one brand's list holds other runs than another's, rows have moved and the slice is read again.

use super::{
    Lumar, about, brands,
    contract::FRAME,
    convert::{self, Joined, Sight},
    document::{PROMPT_RUNS, RUN_DETAILS, SCORES, Variables},
    ids,
    slices::Week,
    wire::Connection,
};
use crate::{
    model::{BrandKey, ProjectRecord, PromptRecord, Status},
    upstream::{
        Cursor, Error, Known, Page, Wanted,
        fields::{DriftLog, Fields},
    },
};
use serde_json::{json, value::RawValue};
use std::collections::HashMap;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Sets the hash of a record without its details apart from that of the whole one, so that they are asked for again.
const WITHOUT_DETAILS: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where in a slice a page begins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Place {
    /// After which row of the upstream's.
    pub(super) after: Option<String>,
    /// The row that it must begin with, by the hash of its id.
    pub(super) above: Option<u64>,
}

impl Place {
    /// A cursor that cannot be read begins the slice anew.
    pub(super) fn of(cursor: Option<&Cursor>) -> Self {
        let place = cursor.and_then(|Cursor(text)| {
            let (above, after) = text.strip_prefix("runs:")?.split_once(':')?;
            let above = if above.is_empty() { None } else { Some(u64::from_str_radix(above, 16).ok()?) };
            (!after.is_empty()).then(|| Self { after: Some(after.to_owned()), above })
        });
        place.unwrap_or_default()
    }

    pub(super) fn cursor(&self) -> Cursor {
        let above = self.above.map(|above| format!("{above:016x}")).unwrap_or_default();
        Cursor(format!("runs:{above}:{}", self.after.as_deref().unwrap_or_default()))
    }

    /// The place after a page: one row back, where cursors let us go back.
    fn after_page(end: &str, last: Option<&str>) -> Self {
        match (ids::cursor_before(end), last) {
            (Some(before), Some(last)) => Self { after: Some(before), above: Some(xxh3_64(last.as_bytes())) },
            // Cursors that are no offsets hold their place by themselves.
            _ => Self { after: Some(end.to_owned()), above: None },
        }
    }
}

/// A slice's page on its way.
pub(super) struct Draft<'p> {
    page: Page,
    prompt: Option<&'p PromptRecord>,
    runs: Vec<Joined<'p>>,
    /// The details asked for, by the run's place in `runs`.
    details: HashMap<usize, Vec<(&'p BrandKey, Box<RawValue>)>>,
}

/// A question for details: of which draft, which run, which brand.
struct Lookup<'p> {
    draft: usize,
    run: usize,
    brand: &'p BrandKey,
}

impl Lumar {
    pub(super) async fn read_pages<'a>(
        &'a self,
        project: &'a ProjectRecord,
        wanted: &'a [Wanted<'a>],
        known: &'a Known<'a>,
    ) -> Result<Vec<Result<Page, Error>>, Error> {
        let tracked: Vec<&BrandKey> =
            brands::tracked(project, &self.brands).into_iter().map(|brand| &brand.key).collect();
        let mut drafts = self.read_lists_of_runs(project, &tracked, wanted).await?;
        self.read_scores(project, &tracked, wanted, &mut drafts).await?;
        self.read_details(project, known, &mut drafts).await?;
        let mut pages: Vec<Result<Page, Error>> =
            drafts.into_iter().map(|draft| draft.map(|draft| draft.finish(project, known))).collect();
        if let Some(Ok(page)) = pages.iter_mut().find(|page| page.is_ok()) {
            page.drift.extend(self.client.take_drift());
        }
        Ok(pages)
    }

    async fn read_lists_of_runs<'a>(
        &self,
        project: &ProjectRecord,
        tracked: &[&'a BrandKey],
        wanted: &'a [Wanted<'a>],
    ) -> Result<Vec<Result<Draft<'a>, Error>>, Error> {
        let about = about(&PROMPT_RUNS, project);
        let mut asks: Vec<Variables> = vec![];
        for Wanted { slice, cursor } in wanted {
            let Some(prompt) = &slice.prompt else { continue };
            let place = Place::of(*cursor);
            for brand in tracked {
                let mut ask = vec![
                    ("account", json!(project.account)),
                    ("prompt", json!(prompt.key)),
                    ("brand", json!(brand.0)),
                    ("days", Week::of_slice(slice).days()),
                    ("first", json!(self.sizes.runs)),
                ];
                ask.extend(place.after.as_ref().map(|after| ("after", json!(after))));
                asks.push(ask);
            }
        }
        let mut answers = self.client.ask(&PROMPT_RUNS, &about, &asks, usize::MAX).await?.into_iter();
        let draft = |Wanted { slice, cursor }: &Wanted<'a>| {
            let Some(prompt) = &slice.prompt else { return Ok(Draft::empty(None)) };
            let lists: Vec<_> = tracked.iter().copied().zip(answers.by_ref().take(tracked.len())).collect();
            join(&about.what, prompt, &Place::of(*cursor), lists)
        };
        Ok(wanted.iter().map(draft).collect())
    }

    async fn read_scores<'a>(
        &self,
        project: &ProjectRecord,
        tracked: &[&'a BrandKey],
        wanted: &'a [Wanted<'a>],
        drafts: &mut [Result<Draft<'a>, Error>],
    ) -> Result<(), Error> {
        let about = about(&SCORES, project);
        let of_scores: Vec<usize> =
            wanted.iter().enumerate().filter(|(_, w)| w.slice.prompt.is_none()).map(|(at, _)| at).collect();
        let question = |(at, brand): (&usize, &BrandKey)| {
            let mut ask = Self::of_project(project);
            ask.push(("brand", json!(brand.0)));
            ask.extend(wanted.get(*at).map(|wanted| ("days", Week::of_slice(wanted.slice).days())));
            ask
        };
        let pairs: Vec<(usize, &BrandKey)> =
            of_scores.iter().flat_map(|at| tracked.iter().map(move |brand| (*at, *brand))).collect();
        let asks: Vec<Variables> = pairs.iter().map(|(at, brand)| question((at, brand))).collect();
        let answers = self.client.ask(&SCORES, &about, &asks, usize::MAX).await?;
        for ((at, brand), answer) in pairs.into_iter().zip(answers) {
            let Some(slot) = drafts.get_mut(at) else { continue };
            let Ok(draft) = slot.as_mut() else { continue };
            let read = match answer {
                Ok(answer) => draft.add_scores(&about.what, brand, &answer),
                // Merged into another brand meanwhile, which has its figures now.
                Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = read {
                *slot = Err(error);
            }
        }
        Ok(())
    }

    /// Asks for the details of finished runs that are not stored as they are: from the own brand always, from others
    /// where the list says that they are in it.
    async fn read_details<'a>(
        &self,
        project: &ProjectRecord,
        known: &Known<'_>,
        drafts: &mut [Result<Draft<'a>, Error>],
    ) -> Result<(), Error> {
        let about = about(&RUN_DETAILS, project);
        let mut lookups: Vec<Lookup<'a>> = vec![];
        let mut asks: Vec<Variables> = vec![];
        for (at, draft) in drafts.iter().enumerate() {
            let Ok(draft) = draft else { continue };
            for (place, brand) in draft.lookups(known) {
                let Some((_, sight)) = draft.runs.get(place).and_then(|run| run.sights.first()) else { continue };
                asks.push(vec![
                    ("account", json!(project.account)),
                    ("run", json!(sight.id)),
                    ("brand", json!(brand.0)),
                ]);
                lookups.push(Lookup { draft: at, run: place, brand });
            }
        }
        let answers = self.client.ask(&RUN_DETAILS, &about, &asks, usize::MAX).await?;
        for (lookup, answer) in lookups.into_iter().zip(answers) {
            let Some(slot) = drafts.get_mut(lookup.draft) else { continue };
            match (slot.as_mut(), answer) {
                (Ok(draft), Ok(answer)) => draft.add_details(lookup.run, lookup.brand, answer),
                // A passing failure: the slice is read another time.
                (Ok(_), Err(error)) if error.is_transient() => *slot = Err(error),
                // Any other lasts, and costs the run its details but not its place.
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'p> Joined<'p> {
    /// The brands from which the details are to be asked for: none where all is known.
    fn viewers(&self, known: &Known<'_>) -> Vec<&'p BrandKey> {
        let Some((own, first)) = self.sights.first() else { return vec![] };
        if first.status != Status::Finished || known(&first.id, self.hash) {
            return vec![];
        }
        let others = self.sights.iter().skip(1).filter(|(_, sight)| sight.shows_the_brand()).map(|(brand, _)| *brand);
        [*own].into_iter().chain(others).collect()
    }
}

/// The rows of one brand's list.
struct List<'p> {
    brand: &'p BrandKey,
    /// Every row, in order; none for one that could not be read.
    rows: Vec<Option<Sight>>,
    next: Option<String>,
}

/// Joins the lists of all brands. A brand of which there is no list any more is left out: it was merged into another.
pub(super) fn join<'p>(
    what: &str,
    prompt: &'p PromptRecord,
    place: &Place,
    answers: Vec<(&'p BrandKey, Result<Box<RawValue>, Error>)>,
) -> Result<Draft<'p>, Error> {
    let drift = DriftLog::default();
    let mut draft = Draft::empty(Some(prompt));
    let mut lists: Vec<List<'p>> = vec![];
    let mut digest = Xxh3::with_seed(1);
    let mut missing = None;
    for (brand, answer) in answers {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error @ Error::NotFound { .. }) => {
                missing = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        draft.page.bytes += answer.get().len() as u64;
        let page = Connection::read(what, &answer, &drift)?;
        let is_first = lists.is_empty();
        let mut rows = vec![];
        for row in page.nodes {
            digest.update(row.get().as_bytes());
            rows.push(match Sight::read(row, &drift) {
                Ok(sight) => Some(sight),
                Err(why) => {
                    // Once, not for every brand.
                    if is_first {
                        draft.page.rejected.push(why.reject(row.get()));
                    }
                    None
                }
            });
        }
        lists.push(List { brand, rows, next: page.next });
    }
    if let (true, Some(error)) = (lists.is_empty(), missing) {
        return Err(error);
    }
    draft.page.digest = digest.digest();
    draft.page.moved = differ(&lists);
    let Some(first) = lists.first() else { return Ok(draft) };
    let last = first.rows.iter().rev().flatten().next().map(|sight| sight.id.clone());
    draft.page.next = first.next.as_deref().map(|end| Place::after_page(end, last.as_deref()).cursor());
    draft.runs = joined(prompt, &lists);
    if let Some(above) = place.above {
        let is_above =
            |run: &Joined<'_>| run.sights.first().is_some_and(|(_, sight)| xxh3_64(sight.id.as_bytes()) == above);
        if draft.runs.first().is_some_and(is_above) {
            draft.runs.remove(0);
        } else {
            draft.page.moved = true;
        }
    }
    draft.page.drift = drift.into_drifts();
    Ok(draft)
}

/// Does one brand's list hold other runs than another's? Runs of one instant may well be in another order.
fn differ(lists: &[List<'_>]) -> bool {
    let ids = |list: &List<'_>| {
        let mut ids: Vec<Option<String>> =
            list.rows.iter().map(|row| row.as_ref().map(|sight| sight.id.clone())).collect();
        ids.sort_unstable();
        ids
    };
    let Some((first, others)) = lists.split_first() else { return false };
    let known = ids(first);
    others.iter().any(|other| ids(other) != known)
}

/// The runs of the first list, each with what the other lists say of it.
fn joined<'p>(prompt: &PromptRecord, lists: &[List<'p>]) -> Vec<Joined<'p>> {
    let Some((first, others)) = lists.split_first() else { return vec![] };
    let by_id: Vec<(&'p BrandKey, HashMap<&str, &Sight>)> = others
        .iter()
        .map(|list| (list.brand, list.rows.iter().flatten().map(|sight| (sight.id.as_str(), sight)).collect()))
        .collect();
    let mut seen = std::collections::HashSet::new();
    let mut runs = vec![];
    for sight in first.rows.iter().flatten().filter(|sight| seen.insert(sight.id.as_str())) {
        let mut sights = vec![(first.brand, sight.clone())];
        for (brand, list) in &by_id {
            sights.extend(list.get(sight.id.as_str()).map(|sight| (*brand, (*sight).clone())));
        }
        let mut hash = Xxh3::new();
        let texts = [prompt.text.as_str(), prompt.topic.as_deref().unwrap_or_default()];
        let rows = sights.iter().flat_map(|(brand, sight)| [brand.0.as_str(), sight.raw.as_str()]);
        for part in texts.into_iter().chain(rows) {
            hash.update(part.as_bytes());
            hash.update(&[0]);
        }
        runs.push(Joined { sights, hash: hash.digest() });
    }
    runs
}

impl<'p> Draft<'p> {
    pub(super) fn empty(prompt: Option<&'p PromptRecord>) -> Self {
        let page = Page {
            runs: vec![],
            rejected: vec![],
            published: vec![],
            drift: vec![],
            next: None,
            moved: false,
            digest: 0,
            bytes: 0,
        };
        Self { page, prompt, runs: vec![], details: HashMap::new() }
    }

    /// The details to ask for: of which run, by its place, as which brand sees it.
    pub(super) fn lookups(&self, known: &Known<'_>) -> Vec<(usize, &'p BrandKey)> {
        let of_run =
            |(place, run): (usize, &Joined<'p>)| run.viewers(known).into_iter().map(move |brand| (place, brand));
        self.runs.iter().enumerate().flat_map(of_run).collect()
    }

    /// Takes the answer to one of these lookups.
    pub(super) fn add_details(&mut self, place: usize, brand: &'p BrandKey, answer: Box<RawValue>) {
        self.page.bytes += answer.get().len() as u64;
        self.details.entry(place).or_default().push((brand, answer));
    }

    pub(super) fn add_scores(&mut self, what: &str, brand: &BrandKey, answer: &RawValue) -> Result<(), Error> {
        let drift = DriftLog::default();
        self.page.bytes += answer.get().len() as u64;
        self.page.digest ^= xxh3_64(answer.get().as_bytes());
        // A plain list as far as the examples show; connections are everywhere else.
        let rows = match Fields::read(&FRAME, answer, &drift) {
            Ok(_) => Connection::read(what, answer, &drift)?.nodes,
            Err(_) => serde_json::from_str::<Vec<&RawValue>>(answer.get())
                .map_err(|_| Error::Decode { what: what.to_owned(), detail: "it is not a list".to_owned() })?,
        };
        for row in rows.into_iter().filter(|row| row.get() != "null") {
            match convert::scores(brand, row, &drift) {
                Ok(figures) => self.page.published.extend(figures),
                Err(why) => self.page.rejected.push(why.reject(row.get())),
            }
        }
        self.page.drift.extend(drift.into_drifts());
        Ok(())
    }

    /// The page, with a record of every run.
    pub(super) fn finish(self, project: &ProjectRecord, known: &Known<'_>) -> Page {
        let Self { mut page, prompt, runs, mut details } = self;
        let Some(prompt) = prompt else { return page };
        let drift = DriftLog::default();
        for (place, run) in runs.into_iter().enumerate() {
            let asked = run.viewers(known);
            let given = details.remove(&place).unwrap_or_default();
            let views: Vec<(&BrandKey, &RawValue)> = given.iter().map(|(brand, raw)| (*brand, &**raw)).collect();
            match convert::run(project, prompt, &run, &views, &drift) {
                Ok(mut record) => {
                    if asked.len() > views.len() {
                        record.raw_hash ^= WITHOUT_DETAILS;
                    }
                    page.runs.push(record);
                }
                Err(why) => {
                    let raw = run.sights.first().map_or("", |(_, sight)| &sight.raw);
                    page.rejected.push(why.reject(raw));
                }
            }
        }
        page.drift.extend(drift.into_drifts());
        page
    }
}
