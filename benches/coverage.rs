//! How often the 95 % interval of a rate holds the truth, and how often a verdict is wrong, over a grid of made worlds:
//! the table of `docs/intervals.md`. Nothing is timed. It fails when a bound is not kept.
//!
//! A world is a number of prompts, each with its own chance to show the brand, drawn around the true rate with a given
//! correlation between two runs of one prompt; each prompt has 10 to 60 runs. `--short` is the corners of the grid.
//!
//! The draws are not those of the tests in `src/analysis/simulation.rs`, which take each chance from a beta
//! distribution: two ways to the same worlds must agree.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints its table, or stops and says why not")]

mod support;

use serde_json::json;
use std::{
    collections::BTreeSet,
    num::NonZero,
    process::ExitCode,
    sync::{Arc, Mutex},
    thread,
};
use support::{
    Start,
    rows::{PAGE, PAGES_PER_DAY, Rows, last_day},
    tracker::{Supply, Tracker, load, project_key},
};
use visibility_mcp::{
    analysis::{Rate, Verdict, change},
    demo::{
        verseodin::{PromptRow, Tracker as _, WorldTracker},
        world::{World, WorldSize},
    },
    model::{BrandKind, Cell, DayRange, PromptRef},
    store::{CellQuery, Store},
    upstream::verseodin::decode_prompts,
};

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// The parameters of the worlds, and how many of each kind are drawn.
struct Grid {
    worlds: u32,
    prompts: &'static [u32],
    correlations: &'static [f64],
    rates: &'static [f64],
}

const FULL: Grid = Grid {
    worlds: 2_000,
    prompts: &[5, 10, 20, 30, 50, 100, 200],
    correlations: &[0.05, 0.2, 0.4, 0.6],
    rates: &[0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9],
};
const CORNERS: Grid =
    Grid { worlds: 1_000, prompts: &[5, 10, 20, 30], correlations: &[0.05, 0.6], rates: &[0.1, 0.5, 0.8] };

/// One kind of world, and what was seen in so many of them.
#[derive(Clone, Copy)]
struct Kind {
    prompts: u32,
    correlation: f64,
    rate: f64,
    /// The share of worlds whose interval held the truth.
    ours: f64,
    /// The same of Wilson's interval over runs.
    plain: f64,
    /// How wide ours is, on average.
    width: f64,
    /// The share of worlds where two windows without change had the verdict `up` or `down`.
    wrong: f64,
}

fn main() -> ExitCode {
    let short = matches!(Start::read(), Start::Measure { short: true, .. });
    let grid = if short { CORNERS } else { FULL };
    let most = grid.prompts.iter().copied().max().unwrap_or_default();
    let kinds = measure(&grid, &labels(most));
    print_grid(&grid, &kinds);
    let inner = |kind: &&Kind| kind.prompts >= 20 && (0.2..=0.8).contains(&kind.rate);
    let many = |kind: &&Kind| kind.prompts >= 30;
    let holds = [
        region("20 or more prompts, rates 0.2 to 0.8", kinds.iter().filter(inner), 0.93, 0.97),
        region("30 or more prompts", kinds.iter().filter(many), 0.90, 1.0),
        region("anywhere", kinds.iter(), 0.85, 1.0),
        verdicts(grid.worlds, &kinds),
    ];
    if holds.iter().all(|holds| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Labels of so many prompts. A store alone gives them out, so a run of each is put into one.
fn labels(prompts: u32) -> Vec<PromptRef> {
    let rows = Rows::of(1);
    // The world that `rows` are of, whose universe they are read for.
    let world = World::new(WorldSize { days: 1, ..WorldSize::million() }, 42, last_day());
    let universe = WorldTracker::new(Arc::new(world)).universes().remove(0);
    let pages = (0..PAGES_PER_DAY).map(|number| {
        let prompts = if number == 0 { prompts } else { 0 };
        let run = |prompt| PromptRow::pending(&universe, last_day(), "chatgpt", prompt, &format!("Question {prompt}?"));
        let data: Vec<PromptRow> =
            (1..=prompts).map(|prompt| run(prompt).completed(&universe, "It depends.", vec![])).collect();
        let body = json!({ "data": data, "limit": PAGE, "offset": 0 }).to_string();
        ((last_day(), number), decode_prompts(&rows.project(), body.as_bytes()).unwrap())
    });
    let supply = Supply::Parsed(Mutex::new(pages.collect()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.sqlite");
    load(&Tracker::new(&rows, supply), &path);
    let project = rows.project();
    let own = project.brands.iter().find(|brand| brand.kind == BrandKind::Own).unwrap();
    let days = DayRange { first: last_day(), last: last_day() };
    let project = project_key(&project);
    let query = CellQuery { include_branded: true, ..CellQuery::new(&project, &own.key, days) };
    let table = Store::at(&path).reader().unwrap().cells(&query).unwrap();
    let labels: BTreeSet<PromptRef> = table.cells.iter().map(|cell| cell.prompt).collect();
    assert_eq!(u32::try_from(labels.len()), Ok(prompts), "the store has a label for every prompt");
    labels.into_iter().collect()
}

/// Draws all worlds of the grid, on as many threads as there are processors.
fn measure(grid: &Grid, labels: &[PromptRef]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for &prompts in grid.prompts {
        for &correlation in grid.correlations {
            for &rate in grid.rates {
                kinds.push(Kind { prompts, correlation, rate, ours: 0.0, plain: 0.0, width: 0.0, wrong: 0.0 });
            }
        }
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    // In turn, since prompts make the work: neighbours are alike.
    let mut shares: Vec<Vec<&mut Kind>> = (0..threads).map(|_| Vec::new()).collect();
    for (place, kind) in kinds.iter_mut().enumerate() {
        if let Some(share) = shares.get_mut(place % threads) {
            share.push(kind);
        }
    }
    thread::scope(|scope| {
        for share in shares {
            scope.spawn(|| share.into_iter().for_each(|kind| kind.measure(grid.worlds, labels)));
        }
    });
    kinds
}

impl Kind {
    /// Draws its worlds. Each kind has its own seed, so that what one shows does not hang on the rest of the grid.
    fn measure(&mut self, worlds: u32, labels: &[PromptRef]) {
        let seed = u64::from(self.prompts) ^ self.correlation.to_bits() ^ self.rate.to_bits().rotate_left(17);
        let mut draws = Draws(seed);
        let (mut ours, mut plain, mut width, mut wrong) = (0, 0, 0.0, 0);
        for _ in 0..worlds {
            let (before, now) = self.windows(&mut draws, labels);
            let rate = Rate::of(before.iter().map(|cell| (cell.present.into(), cell.presence_checked.into())));
            if let (Some(low), Some(high)) = (rate.low, rate.high) {
                ours += u32::from((low..=high).contains(&self.rate));
                width += high - low;
            }
            let runs: u32 = before.iter().map(|cell| cell.presence_checked).sum();
            let (low, high) = wilson(rate.value.unwrap_or_default(), f64::from(runs));
            plain += u32::from((low..=high).contains(&self.rate));
            let verdict = change(&before, &now, |cell| (cell.present, cell.presence_checked)).verdict;
            wrong += u32::from(matches!(verdict, Verdict::Up | Verdict::Down));
        }
        let worlds = f64::from(worlds);
        self.ours = f64::from(ours) / worlds;
        self.plain = f64::from(plain) / worlds;
        self.width = width / worlds;
        self.wrong = f64::from(wrong) / worlds;
    }

    /// Two windows of one world: every prompt's chance is the same in both.
    fn windows(&self, draws: &mut Draws, labels: &[PromptRef]) -> (Vec<Cell>, Vec<Cell>) {
        let pair = |prompt: &PromptRef| {
            let mut urn = Urn::new(self.rate, self.correlation);
            let mut window = || {
                let presence_checked = 10 + draws.below(51);
                let present = urn.hits(draws, presence_checked);
                Cell { prompt: *prompt, presence_checked, present, ..Cell::default() }
            };
            (window(), window())
        };
        labels.iter().take(self.prompts as usize).map(pair).unzip()
    }
}

/// A prompt, as Polya's urn: each run draws a ball and puts it back with another of its kind. Its runs are then as if
/// drawn at one chance that came from a beta distribution, so no beta distribution has to be drawn from.
struct Urn {
    hits: f64,
    all: f64,
}

impl Urn {
    fn new(rate: f64, correlation: f64) -> Self {
        let all = (1.0 - correlation) / correlation;
        Self { hits: rate * all, all }
    }

    /// Hits among the next so many runs.
    fn hits(&mut self, draws: &mut Draws, runs: u32) -> u32 {
        let mut hits = 0;
        for _ in 0..runs {
            let hit = draws.unit() * self.all < self.hits;
            self.hits += f64::from(u8::from(hit));
            self.all += 1.0;
            hits += u32::from(hit);
        }
        hits
    }
}

/// xorshift64*: another generator than the tests', too.
struct Draws(u64);

impl Draws {
    fn bits(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let [.., a, b, c, d] = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// From 0, below 1.
    fn unit(&mut self) -> f64 {
        f64::from(self.bits()) / 4_294_967_296.0
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.bits() % bound
    }
}

/// Wilson's interval over runs, as if each were a prompt of its own.
fn wilson(fraction: f64, runs: f64) -> (f64, f64) {
    let square = Z * Z;
    let centre = fraction + square / (2.0 * runs);
    let half = Z * (fraction * (1.0 - fraction) / runs + square / (4.0 * runs * runs)).sqrt();
    let shrink = 1.0 + square / runs;
    ((centre - half) / shrink, (centre + half) / shrink)
}

fn print_grid(grid: &Grid, kinds: &[Kind]) {
    let worlds = grid.worlds;
    println!(
        "Share of {worlds} worlds of a kind whose 95 % interval holds the true rate: ours / Wilson's over runs.\n"
    );
    print_table(grid, kinds, |kind| format!("{:.3}/{:.3}", kind.ours, kind.plain));
    println!("Its mean width, and the share of worlds without change that have the verdict `up` or `down`.\n");
    print_table(grid, kinds, |kind| format!("{:.3} {:.3}", kind.width, kind.wrong));
}

fn print_table(grid: &Grid, kinds: &[Kind], shown: impl Fn(&Kind) -> String) {
    let heads: Vec<String> = grid.rates.iter().map(|rate| format!("{rate:>13}")).collect();
    println!("prompts  correlation {}", heads.concat());
    for row in kinds.chunks(grid.rates.len()) {
        let shown: Vec<String> = row.iter().map(|kind| format!("{:>13}", shown(kind))).collect();
        let Some(first) = row.first() else { continue };
        println!("{:>7}  {:>11} {}", first.prompts, first.correlation, shown.concat());
    }
    println!();
}

/// Prints the extremes of a region beside those of plain Wilson, and says whether the bounds are kept.
fn region<'k>(name: &str, kinds: impl Iterator<Item = &'k Kind> + Clone, least: f64, most: f64) -> bool {
    let (low, high) = extremes(kinds.clone().map(|kind| kind.ours));
    let (plain_low, plain_high) = extremes(kinds.map(|kind| kind.plain));
    let holds = low >= least && high <= most;
    println!("{name}: {low:.3} to {high:.3}, bound {least} to {most}: {}", said(holds));
    println!("    Wilson over runs: {plain_low:.3} to {plain_high:.3}");
    holds
}

/// The same of verdicts. A test at 5 % is wrong in 5 of 100 worlds, and among so few of a kind now in a few more, now in
/// a few less: all worlds together must keep the bound, and each kind as far as its worlds can tell. Under six prompts
/// there is no verdict, so those do not count.
fn verdicts(worlds: u32, kinds: &[Kind]) -> bool {
    let wrong: Vec<f64> = kinds.iter().filter(|kind| kind.prompts > 5).map(|kind| kind.wrong).collect();
    let all = wrong.iter().sum::<f64>() / u32::try_from(wrong.len()).map_or(f64::NAN, f64::from);
    let (_, worst) = extremes(wrong.into_iter());
    let bound = 0.05 + 3.5 * (0.05 * 0.95 / f64::from(worlds)).sqrt();
    let holds = all <= 0.05 && worst <= bound;
    println!(
        "wrong verdicts: {all:.4} of all worlds, bound 0.05; {worst:.3} of the worst kind, bound {bound:.3}: {}",
        said(holds)
    );
    holds
}

fn said(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSES" }
}

fn extremes(shares: impl Iterator<Item = f64>) -> (f64, f64) {
    shares.fold((1.0, 0.0), |(low, high), share| (low.min(share), high.max(share)))
}
