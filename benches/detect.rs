//! Reading brands and links off answers: bytes a second, beside a scan of the same bytes; and reading all answers of a
//! cache again, and how much of that is the reading.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nothing better to do than stop and say so"
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "measures are shown with three digits"
)]

mod support;

use std::{
    hint::black_box,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use support::{
    Start,
    cache::{Cache, build, caches},
    goals::Goals,
    paired::{Arm, in_turn, median, process_cpu, ratio, thread_cpu},
    rows::last_day,
};
use visibility_mcp::{
    demo::world::{World, WorldMention, WorldSize},
    detect::{Detector, links},
    model::{Brand, BrandFact, BrandKey, BrandKind, CitationRecord},
    store::{Detect, Redetection, Store},
};

/// Spellings to look for, and megabytes a second at which it must be done.
const SPELLINGS: usize = 200;
const GOAL: f64 = 50.0;

/// An answer, its URLs, and the brands that it names.
struct Answer {
    text: String,
    urls: Vec<String>,
    named: Vec<WorldMention>,
}

fn main() -> ExitCode {
    let (short, rebuild) = match Start::read() {
        Start::Child(words) => {
            println!("{}", build(&words[1], &words[2]));
            return ExitCode::SUCCESS;
        }
        Start::Measure { short, rebuild } => (short, rebuild),
    };
    let days = if short { 4 } else { 40 };
    let world = World::new(WorldSize { prompts: vec![60], days, brands: 40, ..WorldSize::demo() }, 1, last_day());
    let answers: Vec<Answer> = world
        .runs()
        .filter_map(|run| {
            let urls = run.citations.iter().map(|citation| citation.url.clone()).collect();
            Some(Answer { text: run.answer?, urls, named: run.mentions })
        })
        .collect();
    let detector = Detector::of(&brands(&world));
    let mut goals = Goals::default();
    goals.oracle("brands named in answers", compare(&detector, &answers));
    measure(&mut goals, &detector, &answers, if short { 3 } else { 9 });
    if let Some(cache) = caches(if short { 1 } else { 2 }, rebuild).pop() {
        redetect(&mut goals, &cache, &world, if short { 1 } else { 3 });
    }
    goals.finish()
}

/// The world's brands, and others that no answer names.
fn brands(world: &World) -> Vec<Brand> {
    let brand = |key: usize, name: &str, aliases: Vec<String>, domain: &str| Brand {
        key: BrandKey(format!("{key:03}")),
        name: name.to_owned(),
        kind: BrandKind::Competitor,
        domains: vec![domain.to_owned()],
        aliases,
        exact: vec![],
        excluded: vec![],
    };
    let mut brands: Vec<Brand> = world
        .brands(0)
        .iter()
        .enumerate()
        .map(|(ix, cast)| brand(ix, &cast.name, cast.aliases.clone(), &cast.domain))
        .collect();
    let mut spellings: usize = brands.iter().map(|brand| 1 + brand.aliases.len()).sum();
    while spellings < SPELLINGS {
        let name = format!("Q{}wort {}", brands.len(), ["Labs", "Group", "& Söhne", "Systems"][spellings % 4]);
        brands.push(brand(brands.len(), &name, vec![], &format!("q{spellings}wort.example")));
        spellings += 1;
    }
    brands
}

fn read(detector: &Detector, answer: &Answer) -> Vec<BrandFact> {
    detector.facts(&answer.text, answer.urls.iter().map(String::as_str))
}

/// What is found is what the world wrote.
fn compare(detector: &Detector, answers: &[Answer]) -> Result<usize, String> {
    for answer in answers {
        let mut written: Vec<(String, u32)> =
            answer.named.iter().map(|mention| (format!("{:03}", mention.brand), mention.count)).collect();
        written.sort();
        let found = read(detector, answer).into_iter();
        let found: Vec<(String, u32)> =
            found.filter_map(|fact| Some((fact.brand.0, fact.mentions.filter(|count| *count > 0)?))).collect();
        if found != written {
            return Err(format!("{found:?} were found and {written:?} written in {:?}", answer.text));
        }
    }
    Ok(answers.len())
}

fn measure(goals: &mut Goals, detector: &Detector, answers: &[Answer], rounds: usize) {
    let bytes: usize = answers.iter().map(|answer| answer.text.len()).sum();
    let each = |work: &dyn Fn(&Answer) -> usize| {
        let began = thread_cpu();
        for answer in answers {
            black_box(work(black_box(answer)));
        }
        thread_cpu() - began
    };
    let mut arms: [Arm<'_>; 3] = [
        Box::new(|| each(&|answer| answer.text.bytes().filter(|byte| *byte == b'e').count())),
        Box::new(|| each(&|answer| read(detector, answer).len())),
        Box::new(|| each(&|answer| links(&answer.text).len())),
    ];
    let times = in_turn(rounds, &mut arms);
    let speed = |times: &[f64]| bytes as f64 / 1e6 / median(times);
    goals.note("", "answers", bytes as f64 / 1e6, "MB");
    goals.note("", "a scan that counts one letter", speed(&times[0]), "MB/s");
    goals.at_least("", &format!("facts with {SPELLINGS} spellings"), speed(&times[1]), GOAL, "MB/s");
    goals.note("", "facts beside the scan", ratio(&times[1], &times[0]), "x");
    goals.note("", "links", speed(&times[2]), "MB/s");
    goals.note("", "links beside the scan", ratio(&times[2], &times[0]), "x");
}

/// A detector as the cache knows it, and how long it was at work.
struct Reading {
    detector: Detector,
    keys: Vec<BrandKey>,
    nanos: AtomicU64,
}

impl Reading {
    fn of(brands: &[Brand]) -> Arc<Self> {
        let keys = brands.iter().map(|brand| brand.key.clone()).collect();
        Arc::new(Self { detector: Detector::of(brands), keys, nanos: AtomicU64::new(0) })
    }
}

impl Detect for Reading {
    fn stamp(&self) -> u64 {
        self.detector.stamp()
    }

    fn brands(&self) -> &[BrandKey] {
        &self.keys
    }

    fn is_branded(&self, prompt: &str) -> bool {
        !self.detector.mentions(prompt).is_empty()
    }

    fn citations(&self, _: &str, _: &[String]) -> Vec<CitationRecord> {
        unreachable!("nothing is synced here")
    }

    fn facts(&self, answer: &str, citations: &[&str]) -> Vec<BrandFact> {
        let began = thread_cpu();
        let facts = self.detector.facts(answer, citations.iter().copied());
        self.nanos.fetch_add(((thread_cpu() - began) * 1e9) as u64, Ordering::Relaxed);
        facts
    }

    fn owner(&self, url: &str) -> Option<&BrandKey> {
        self.detector.owner(url)
    }
}

/// Reads every answer of a cache again after one more spelling was named, and again without it: how much of that is
/// the reading of texts.
fn redetect(goals: &mut Goals, cache: &Cache, world: &World, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.sqlite");
    std::fs::copy(&cache.path, &path).unwrap();
    let store = Store::at(&path);
    let rows = cache.reader().brands(&cache.project).unwrap();
    let mut brands: Vec<Brand> = rows.into_iter().map(|row| row.brand).filter(Brand::is_tracked).collect();
    let spellings: usize = brands.iter().map(|brand| 1 + brand.aliases.len()).sum();
    // Up to as many spellings as above; none of them is in an answer.
    let fillers = self::brands(world).into_iter().rev().take(SPELLINGS.saturating_sub(spellings));
    brands[0].aliases.extend(fillers.map(|brand| brand.name));
    let mut more = brands.clone();
    more[1].aliases.push("one more spelling".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let writer = store.writer().unwrap();
    let pass = |brands: &[Brand]| {
        let reading = Reading::of(brands);
        let (began, mut so_far) = (process_cpu(), Redetection::default());
        while !so_far.is_done {
            let (project, reading) = (cache.project.clone(), Arc::clone(&reading));
            so_far = runtime.block_on(writer.write(move |w| w.redetect(&project, &*reading, so_far, 200))).unwrap();
        }
        assert!(so_far.runs > 0, "every answer is read");
        let (all, reading) = (process_cpu() - began, reading.nanos.load(Ordering::Relaxed) as f64 / 1e9);
        (so_far.runs as f64 / all, reading / all)
    };
    // The first pass finds what the sync of the benchmarks' data did not look for.
    pass(&brands);
    let passes: Vec<(f64, f64)> = (0..rounds).flat_map(|_| [pass(&more), pass(&brands)]).collect();
    let speeds: Vec<f64> = passes.iter().map(|(speed, _)| *speed).collect();
    let shares: Vec<f64> = passes.iter().map(|(_, share)| *share).collect();
    goals.note(cache.name, "redetect", median(&speeds), "runs/s");
    goals.at_least(cache.name, "share of it that reads texts", median(&shares), 0.5, "");
}
