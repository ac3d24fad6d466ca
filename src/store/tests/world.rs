//! A small world of runs, made by plain arithmetic, in a cache of its own.

use crate::{
    model::*,
    store::{Detect, Redetection, Store, StoredRun, Writer},
};
use jiff::Timestamp;
use std::sync::LazyLock;

const NOW: &str = "2026-11-22T12:00:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A small world of runs by plain arithmetic, kept beside the cache so that both can be compared.
pub(super) struct World {
    _folder: tempfile::TempDir,
    pub(super) store: Store,
    pub(super) writer: Writer,
    pub(super) project: ProjectKey,
}

fn brand(key: &str, kind: BrandKind) -> Brand {
    Brand {
        key: BrandKey(key.into()),
        name: key.into(),
        kind,
        domains: vec![format!("{key}.example")],
        aliases: vec![],
        exact: vec![],
        excluded: vec![],
    }
}

fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(super) fn run(day: i32, prompt: u64, engine: &str, version: u64) -> RunRecord {
    let seed = mix(day.unsigned_abs().into()) ^ mix(prompt + 1000) ^ mix(engine.len() as u64 + 77) ^ mix(version);
    let pick = |i: u64, n: u64| u32::try_from(mix(seed ^ mix(i)) % n).unwrap();
    let finished = pick(0, 10) > 1;
    let mut facts = Vec::new();
    if finished {
        let mut own = BrandFact::unchecked(BrandKey("own".into()));
        own.mentions = (pick(1, 8) > 0).then(|| pick(2, 3));
        own.citations = Some(pick(3, 2));
        own.best_citation_position = (own.citations > Some(0)).then(|| 1 + pick(4, 5));
        own.sentiment = (own.mentions > Some(0)).then(|| f64::from(pick(5, 100)) / 7.0);
        facts.push(own);
        for (i, key) in [(10, "rival"), (20, "other")] {
            let mut rival = BrandFact::unchecked(BrandKey(key.into()));
            rival.mentions = (pick(i, 3) > 0).then(|| pick(i + 1, 3));
            rival.citations = Some(pick(i + 2, 3) / 2);
            facts.push(rival);
        }
    }
    let created = Day::from_epoch_days(day).start().as_second() + i64::from(pick(6, 86_400));
    let answer = finished.then(|| format!("Answer {} about prompt {prompt} by {engine}", pick(7, 1000)));
    let raw = format!("{{\"version\":{version},\"seed\":{seed}}}");
    RunRecord {
        key: format!("{day}/{engine}/{prompt}"),
        upstream_id: None,
        prompt: PromptRecord {
            key: format!("prompt {prompt}"),
            text: if prompt.is_multiple_of(5) {
                format!("is own good, {prompt}?")
            } else {
                format!("what is best, {prompt}?")
            },
            topic: Some(format!("topic {}", prompt % 2)),
            label: Some(prompt.to_string()),
        },
        engine: engine.into(),
        model: Some("m".into()),
        surface: Surface::Consumer,
        status: if finished { Status::Finished } else { Status::Failed },
        failure_reason: None,
        day: Day::from_epoch_days(day),
        created_at: Timestamp::from_second(created).unwrap(),
        started_at: None,
        finished_at: None,
        citations: answer.is_some().then(|| {
            (0..pick(8, 4))
                .map(|i| CitationRecord {
                    url: format!("https://d{}.example/{i}", pick(30 + u64::from(i), 6)),
                    brand: None,
                    quality: None,
                })
                .collect()
        }),
        answer,
        source_urls: vec![],
        total_citations: Some(pick(8, 4)),
        facts,
        web_search: None,
        cost_usd: None,
        raw_hash: xxhash_rust::xxh3::xxh3_64(raw.as_bytes()),
        raw,
    }
}

/// Reads facts off the digits of an answer, other ones for each stamp; nothing for stamp 0.
pub(super) struct Reading(pub(super) u64);

impl Detect for Reading {
    fn stamp(&self) -> u64 {
        self.0
    }

    fn brands(&self) -> &[BrandKey] {
        static TRACKED: LazyLock<[BrandKey; 2]> = LazyLock::new(|| ["own", "rival"].map(|key| BrandKey(key.into())));
        if self.0 == 0 { &[] } else { &*TRACKED }
    }

    fn is_branded(&self, prompt: &str) -> bool {
        prompt.contains("own")
    }

    fn citations(&self, _: &str, beside: &[String]) -> Vec<CitationRecord> {
        beside.iter().map(|url| CitationRecord { url: url.clone(), brand: None, quality: None }).collect()
    }

    fn facts(&self, answer: &str, citations: &[&str]) -> Vec<BrandFact> {
        let digits: u64 = answer.bytes().filter(u8::is_ascii_digit).map(u64::from).sum();
        let count = |n: u64| Some(u32::try_from((digits + self.0 * n) % 4).unwrap());
        let fact = |(key, n): (&BrandKey, u64)| BrandFact {
            mentions: count(n),
            citations: count(n + 5).map(|count| count.min(u32::try_from(citations.len()).unwrap())),
            mention_rank: Some(u32::try_from(n).unwrap()),
            ..BrandFact::unchecked(key.clone())
        };
        self.brands().iter().zip(1..).map(fact).collect()
    }

    fn owner(&self, _: &str) -> Option<&BrandKey> {
        None
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("cache.sqlite"));
        let writer = store.writer().unwrap();
        let project = ProjectKey { source: "test".into(), key: "p".into() };
        writer
            .write(|w| {
                w.save_source(&"test".into(), UpstreamKind::Verseodin)?;
                let record = ProjectRecord {
                    key: "p".into(),
                    account: None,
                    name: "P".into(),
                    website: None,
                    brands: vec![
                        brand("own", BrandKind::Own),
                        brand("rival", BrandKind::Competitor),
                        brand("other", BrandKind::Other),
                    ],
                    latest_day: None,
                    raw: "{}".into(),
                };
                w.save_project(&"test".into(), &record, &record.brands, &Reading(1), now())
            })
            .await
            .unwrap();
        Self { _folder: folder, store, writer, project }
    }

    pub(super) async fn save(&self, runs: Vec<RunRecord>) {
        self.save_by(&self.writer, 1, runs).await;
    }

    /// Reads every answer again, in steps of so many.
    pub(super) async fn redetect(&self, stamp: u64, step: usize) -> Redetection {
        let mut so_far = Redetection::default();
        while !so_far.is_done {
            let project = self.project.clone();
            so_far = self.writer.write(move |w| w.redetect(&project, &Reading(stamp), so_far, step)).await.unwrap();
        }
        so_far
    }

    pub(super) async fn save_by(&self, writer: &Writer, stamp: u64, runs: Vec<RunRecord>) {
        let project = self.project.clone();
        writer
            .write(move |w| {
                let runs: Vec<(RunId, &RunRecord)> =
                    runs.iter().map(|run| (RunId::of(&project, &run.key), run)).collect();
                let stored = w.stored_runs(runs.iter().map(|(id, _)| *id))?;
                let added: Vec<(RunId, &RunRecord)> =
                    runs.iter().filter(|(id, _)| !stored.contains_key(id)).copied().collect();
                let known = runs.iter().filter_map(|(id, run)| Some((*stored.get(id)?, *run)));
                let changed: Vec<(StoredRun, &RunRecord)> =
                    known.filter(|(old, run)| old.raw_hash != run.raw_hash).collect();
                w.save_runs(&project, &added, &changed, &Reading(stamp), now())
            })
            .await
            .unwrap();
    }

    pub(super) async fn refresh(&self) {
        let project = self.project.clone();
        self.writer.write(move |w| w.refresh_rollups(&project, &|_, _| None)).await.unwrap();
    }
}
