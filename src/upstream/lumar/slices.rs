//! Which weeks of which prompts there are to read, and by what one sees that a week has changed.

use super::{
    Lumar, about, brands,
    contract::PROMPT,
    document::{PROMPTS, Variables},
    ids,
    wire::Connection,
};
use crate::{
    model::{BrandKey, Day, DayRange, ProjectRecord, PromptRecord},
    upstream::{
        Discovery, Error, Slice,
        fields::{DriftLog, Fields, Unreadable, clean},
    },
};
use serde_json::{Value, json, value::RawValue};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

/// What the key of a week's published scores ends with.
pub(super) const SCORES_KEY: &str = "scores";

/// A list of prompts that does not end after so many pages does not end.
const MAX_PAGES: usize = 1_000;

/// A calendar week, as far as it lies before the last day asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Week {
    pub(super) monday: Day,
    pub(super) last: Day,
}

impl Week {
    /// The week that holds a day.
    fn of(day: Day) -> Self {
        let monday = day.monday();
        Self { monday, last: monday.plus(6) }
    }

    /// The week of a slice, by its key.
    pub(super) fn of_slice(slice: &Slice) -> Self {
        let monday = slice.key.get(..10).and_then(|day| day.parse().ok());
        Self { monday: monday.unwrap_or_else(|| Self::of(slice.last_day).monday), last: slice.last_day }
    }

    /// Its days, as the API takes them. Whether the end is inside is not documented. The examples, which go from the
    /// first to the last day of a month, say that it is; but if it were not, every Sunday would be lost in silence. So
    /// the end is the day after: at worst a Monday is read twice.
    pub(super) fn days(self) -> Value {
        json!({ "start": self.monday.to_string(), "end": self.last.plus(1).to_string() })
    }
}

/// The weeks that cover some days, the newest first.
pub(super) fn weeks(days: DayRange) -> Vec<Week> {
    let mut weeks = vec![];
    let mut last = days.last;
    while last >= days.first {
        let week = Week { last, ..Week::of(last) };
        last = week.monday.plus(-1);
        weeks.push(week);
    }
    weeks
}

/// A prompt as the list gives it for one brand and week.
#[derive(Debug)]
struct Listed {
    prompt: PromptRecord,
    runs: Option<u64>,
}

impl Listed {
    fn read(row: &RawValue, drift: &DriftLog) -> Result<Self, Unreadable> {
        let row = Fields::read(&PROMPT, row, drift)?;
        let key = row.word("id")?.into_owned();
        if !ids::is_id(&key) {
            return Err(Unreadable("`id` is not an id".to_owned()));
        }
        let label = row.opt_word("rawId").map(|id| clean(&id, 64)).filter(|id| !id.is_empty());
        // Without its text it still has runs.
        let text = row.opt_word("content").map_or_else(|| key.clone(), std::borrow::Cow::into_owned);
        let topic = row.opt_word("topicName").map(std::borrow::Cow::into_owned);
        let runs = row.opt_integer("totalRuns").and_then(|runs| u64::try_from(runs).ok());
        Ok(Self { prompt: PromptRecord { key, text, topic, label }, runs })
    }
}

/// What all tracked brands' lists say of one prompt's week.
struct Seen {
    prompt: PromptRecord,
    runs: Option<u64>,
    hash: Xxh3,
}

impl Seen {
    fn fingerprint(&self) -> String {
        format!("{}-{:016x}", self.runs.map_or_else(|| "?".to_owned(), |runs| runs.to_string()), self.hash.digest())
    }
}

/// The prompts of a week by their ids, or why they are not known.
type Prompts = Result<BTreeMap<String, Seen>, Error>;

/// A page of prompts to ask for.
struct Open {
    week: usize,
    brand: usize,
    after: Option<String>,
}

impl Lumar {
    pub(super) async fn discover_slices(
        &self,
        project: &ProjectRecord,
        days: DayRange,
    ) -> Result<Discovery<Slice>, Error> {
        let mut found = Discovery { items: vec![], rejected: vec![], failed: vec![], drift: vec![] };
        let tracked: Vec<&BrandKey> =
            brands::tracked(project, &self.brands).into_iter().map(|brand| &brand.key).collect();
        if tracked.is_empty() {
            // Every question about runs must name a brand.
            found.failed.push(Error::NotFound { what: format!("a brand of project {}", project.key) });
            return Ok(found);
        }
        let weeks = weeks(days);
        let mut prompts: Vec<Prompts> = weeks.iter().map(|_| Ok(BTreeMap::new())).collect();
        let mut open: Vec<Open> = (0..weeks.len())
            .flat_map(|week| (0..tracked.len()).map(move |brand| Open { week, brand, after: None }))
            .collect();
        for _ in 0..MAX_PAGES {
            if open.is_empty() {
                break;
            }
            open = self.read_prompts(project, (&weeks, &tracked), open, (&mut prompts, &mut found)).await?;
        }
        if !open.is_empty() {
            let (what, detail) = (about(&PROMPTS, project).what, "its pages do not end".to_owned());
            return Err(Error::Decode { what, detail });
        }
        for (number, (week, prompts)) in weeks.into_iter().zip(prompts).enumerate() {
            match prompts {
                Ok(prompts) => found.items.extend(slices_of(week, prompts, number == 0)),
                Err(error) => found.failed.push(error),
            }
        }
        found.drift.extend(self.client.take_drift());
        found.drift.sort_unstable();
        found.drift.dedup();
        Ok(found)
    }

    /// Reads a page of each of these lists; the pages that follow are given.
    async fn read_prompts(
        &self,
        project: &ProjectRecord,
        (weeks, tracked): (&[Week], &[&BrandKey]),
        open: Vec<Open>,
        (prompts, found): (&mut [Prompts], &mut Discovery<Slice>),
    ) -> Result<Vec<Open>, Error> {
        let about = about(&PROMPTS, project);
        let question = |open: &Open| {
            let mut ask = Self::of_project(project);
            ask.extend(tracked.get(open.brand).map(|brand| ("brand", json!(brand.0))));
            ask.extend(weeks.get(open.week).map(|week| ("days", week.days())));
            ask.push(("first", json!(self.sizes.list)));
            ask.extend(open.after.as_ref().map(|after| ("after", json!(after))));
            ask
        };
        let asks: Vec<Variables> = open.iter().map(question).collect();
        let rows = self.sizes.list.min(total_prompts(project)).max(1);
        let answers = self.client.ask(&PROMPTS, &about, &asks, self.sizes.nodes / rows).await?;
        let drift = DriftLog::default();
        let mut next = vec![];
        for (open, answer) in open.into_iter().zip(answers) {
            let Some(week) = prompts.get_mut(open.week) else { continue };
            // One week that cannot be seen whole is not offered: it would look changed.
            let Ok(known) = week.as_mut() else { continue };
            let page = match &answer {
                Ok(answer) => Connection::read(&about.what, answer, &drift),
                // A brand that was merged since the list of brands was read: the others remain.
                Err(Error::NotFound { .. }) if open.brand > 0 => continue,
                Err(error) => Err(error.clone()),
            };
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    *week = Err(error);
                    continue;
                }
            };
            let brand = tracked.get(open.brand).map_or("", |brand| &brand.0);
            for row in page.nodes {
                match Listed::read(row, &drift) {
                    Ok(listed) => note(known, listed, brand, row),
                    // Once, not for every week and brand.
                    Err(why) if (open.week, open.brand) == (0, 0) => found.rejected.push(why.reject(row.get())),
                    Err(_) => {}
                }
            }
            let goes_on = page.next.filter(|next| open.after.as_ref() != Some(next));
            next.extend(goes_on.map(|after| Open { after: Some(after), ..open }));
        }
        found.drift.extend(drift.into_drifts());
        Ok(next)
    }
}

/// Adds what one brand's list says of a prompt. The row's whole text counts, so that a merge or a new rating shows.
fn note(known: &mut BTreeMap<String, Seen>, listed: Listed, brand: &str, row: &RawValue) {
    let Listed { prompt, runs } = listed;
    let key = prompt.key.clone();
    let seen = known.entry(key).or_insert_with(|| Seen { prompt, runs, hash: Xxh3::new() });
    seen.runs = seen.runs.max(runs);
    for part in [brand, row.get()] {
        seen.hash.update(part.as_bytes());
        seen.hash.update(&[0]);
    }
}

/// How many prompts the list of projects counts.
fn total_prompts(project: &ProjectRecord) -> usize {
    let raw = serde_json::from_str::<Value>(&project.raw).ok();
    let total = raw.as_ref().and_then(|raw| raw.get("list")?.get("totalPrompts")?.as_u64());
    // Unknown: as many as a page holds.
    total.and_then(|total| usize::try_from(total).ok()).unwrap_or(usize::MAX)
}

fn slices_of(week: Week, prompts: BTreeMap<String, Seen>, is_newest: bool) -> Vec<Slice> {
    let mut all = Xxh3::new();
    let mut slices = vec![];
    // Finished runs are counted. A past week with none at all was before the tracker began; a prompt without any in
    // other weeks may have failed each time.
    if !is_newest && prompts.values().all(|seen| seen.runs == Some(0)) {
        return slices;
    }
    for (key, seen) in prompts {
        let fingerprint = seen.fingerprint();
        all.update(key.as_bytes());
        all.update(fingerprint.as_bytes());
        slices.push(Slice {
            key: format!("{}/{key}", week.monday),
            first_day: week.monday,
            last_day: week.last,
            fingerprint: Some(fingerprint),
            fingerprint_is_proof: seen.runs.is_some(),
            runs: seen.runs,
            prompt: Some(seen.prompt),
        });
    }
    if !slices.is_empty() {
        slices.push(Slice {
            key: format!("{}/{SCORES_KEY}", week.monday),
            first_day: week.monday,
            last_day: week.last,
            fingerprint: Some(format!("{:016x}", all.digest())),
            fingerprint_is_proof: true,
            prompt: None,
            runs: None,
        });
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_go_from_monday_to_sunday_and_cover_the_days() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let text = |days| {
            weeks(days).iter().map(|week| format!("{}..{}", week.monday, week.last)).collect::<Vec<_>>().join(" ")
        };
        let sunday = DayRange { first: day("2026-11-16"), last: day("2026-11-22") };
        assert_eq!(text(sunday), "2026-11-16..2026-11-22");
        let some = DayRange { first: day("2026-11-12"), last: day("2026-11-24") };
        assert_eq!(text(some), "2026-11-23..2026-11-24 2026-11-16..2026-11-22 2026-11-09..2026-11-15");
        assert_eq!(weeks(DayRange::ending(day("2026-11-22"), 90)).len(), 13);
    }
}
