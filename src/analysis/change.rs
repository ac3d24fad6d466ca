//! Two sets of cells compared on what both have: windows of time, engines, brands.
//!
//! Only pairs seen on both sides count, and a pair weighs the same on both: `n1 * n2 / (n1 + n2)` for `n1` and `n2`
//! runs (Mantel-Haenszel). So neither a prompt that came or went nor an engine that failed more often on one side
//! moves the difference. Its interval is robust to prompts that differ, as everywhere here.

use super::{
    count,
    ratio::{Ratio, square, two_sided_p},
    shown,
};
use crate::model::Cell;
use schemars::JsonSchema;
use serde::Serialize;
use std::cmp::Ordering;

/// Fewer prompts cannot give a verdict: if all five of five prompts move one way, chance alone does that in one
/// case of sixteen, more often than the 5 % that a verdict allows. Six do.
const MIN_PROMPTS: u32 = 6;
/// Fewer runs on either side give no verdict.
const MIN_RUNS: u64 = 10;
/// Of a fraction: when even a move of this size would have gone unseen, the data is too little, not still.
const BLIND: f64 = 0.5;

/// What a comparison allows to say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Verdict {
    /// The number rose, by more than chance does.
    Up,
    /// The number fell, by more than chance does.
    Down,
    /// Chance alone does as much.
    WithinNoise,
    /// Nothing can be said: under 6 shared prompts or 10 shared runs, or blind even to half the scale.
    TooLittleData,
}

impl Verdict {
    /// The verdict's name in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::WithinNoise => "within_noise",
            Self::TooLittleData => "too_little_data",
        }
    }
}

/// What makes two cells a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pairing {
    /// The same prompt on the same engine: for windows of time, and for brands.
    PromptAndEngine,
    /// The same prompt: for one engine against another.
    Prompt,
}

/// Cells and runs of either side that have no partner, and so were not compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct LeftOut {
    /// Prompt x engine cells only seen before
    pub cells_before: u32,
    /// Their runs
    pub runs_before: u64,
    /// Prompt x engine cells only seen now
    pub cells_now: u32,
    /// Their runs
    pub runs_now: u64,
}

/// A difference on common ground, with its 95 % interval and a verdict.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Change {
    /// Value now, over the cells seen on both sides
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub now: Option<f64>,
    /// Value before, over the same cells with the same weights
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub before: Option<f64>,
    /// now - before
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub difference: Option<f64>,
    /// Lower end of its 95 % interval
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub low: Option<f64>,
    /// Upper end
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub high: Option<f64>,
    /// What may be said
    pub verdict: Verdict,
    /// The smallest true difference that data like this shows four times in five
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub smallest_detectable: Option<f64>,
    /// Prompts compared
    pub prompts: u32,
    /// Cells compared
    pub cells: u32,
    /// Their runs before
    pub runs_before: u64,
    /// Their runs now
    pub runs_now: u64,
    /// What had no partner
    pub left_out: LeftOut,
    /// The chance of a difference this large if nothing changed: for lists that control false discoveries.
    #[serde(skip)]
    pub p_value: Option<f64>,
}

impl Change {
    /// Were there as many prompts and runs as a verdict takes?
    pub(super) fn has_enough_data(&self) -> bool {
        self.prompts >= MIN_PROMPTS && self.runs_before.min(self.runs_now) >= MIN_RUNS
    }
}

/// A rate in two windows, paired by prompt and engine. Both sides take their labels from one answer of the store.
#[must_use]
pub fn change(before: &[Cell], now: &[Cell], measure: impl Fn(&Cell) -> (u32, u32)) -> Change {
    difference(before, now, Pairing::PromptAndEngine, measure)
}

/// A mean in two windows, paired by prompt and engine; `measure` gives (sum, runs). `up` means the number rose,
/// which for positions and ranks is for the worse.
#[must_use]
pub fn change_in_mean(before: &[Cell], now: &[Cell], measure: impl Fn(&Cell) -> (f64, u32)) -> Change {
    difference_in_mean(before, now, Pairing::PromptAndEngine, measure)
}

/// A rate of `now` minus the same of `before`, over pairs; `measure` gives (hits, runs).
#[must_use]
pub fn difference(before: &[Cell], now: &[Cell], pairing: Pairing, measure: impl Fn(&Cell) -> (u32, u32)) -> Change {
    let measure = |cell: &Cell| {
        let (hits, runs) = measure(cell);
        (f64::from(hits.min(runs)), f64::from(runs))
    };
    Pairs::of(before, now, pairing, measure).compare(Some(1.0))
}

/// A mean of `now` minus the same of `before`, over pairs; `measure` gives (sum, runs).
#[must_use]
pub fn difference_in_mean(
    before: &[Cell],
    now: &[Cell],
    pairing: Pairing,
    measure: impl Fn(&Cell) -> (f64, u32),
) -> Change {
    let measure = |cell: &Cell| {
        let (sum, runs) = measure(cell);
        if sum.is_finite() { (sum, f64::from(runs)) } else { (0.0, 0.0) }
    };
    Pairs::of(before, now, pairing, measure).compare(None)
}

/// What was measured of one key on one side.
#[derive(Clone, Copy)]
struct Side {
    /// Prompt, then engine: 32 bits each.
    key: u64,
    sum: f64,
    runs: f64,
}

/// One prompt's part of the comparison: sums over its pairs, each pair weighted.
#[derive(Clone, Copy)]
struct Prompt {
    label: u64,
    now: f64,
    before: f64,
    weight: f64,
}

#[derive(Default)]
struct Pairs {
    prompts: Vec<Prompt>,
    cells: u32,
    runs_before: f64,
    runs_now: f64,
    left_out: LeftOut,
}

fn side(cells: &[Cell], pairing: Pairing, measure: &impl Fn(&Cell) -> (f64, f64)) -> Vec<Side> {
    let mut sides: Vec<Side> = cells
        .iter()
        .map(|cell| {
            let engine = if pairing == Pairing::PromptAndEngine { cell.engine.0 } else { 0 };
            let (sum, runs) = measure(cell);
            Side { key: u64::from(cell.prompt.0) << 32 | u64::from(engine), sum, runs }
        })
        .filter(|side| side.runs > 0.0)
        .collect();
    // The stable sort makes use of what is in order already, which is nearly everything.
    sides.sort_by_key(|side| side.key);
    // Cells may come by day.
    sides.dedup_by(|next, kept| {
        let same = next.key == kept.key;
        if same {
            kept.sum += next.sum;
            kept.runs += next.runs;
        }
        same
    });
    sides
}

impl Pairs {
    fn of(before: &[Cell], now: &[Cell], pairing: Pairing, measure: impl Fn(&Cell) -> (f64, f64)) -> Self {
        let (before, now) = (side(before, pairing, &measure), side(now, pairing, &measure));
        let mut pairs = Self::default();
        let (mut before, mut now) = (before.iter().peekable(), now.iter().peekable());
        loop {
            let order = match (before.peek(), now.peek()) {
                (Some(b), Some(n)) => b.key.cmp(&n.key),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return pairs,
            };
            match order {
                Ordering::Less => {
                    let Some(side) = before.next() else { return pairs };
                    pairs.left_out.cells_before += 1;
                    pairs.left_out.runs_before += count(side.runs);
                }
                Ordering::Greater => {
                    let Some(side) = now.next() else { return pairs };
                    pairs.left_out.cells_now += 1;
                    pairs.left_out.runs_now += count(side.runs);
                }
                Ordering::Equal => {
                    let (Some(b), Some(n)) = (before.next(), now.next()) else { return pairs };
                    pairs.add(b, n);
                }
            }
        }
    }

    /// Keys come in order, so a prompt's pairs come together.
    fn add(&mut self, before: &Side, now: &Side) {
        self.cells += 1;
        self.runs_before += before.runs;
        self.runs_now += now.runs;
        let weight = before.runs * now.runs / (before.runs + now.runs);
        let label = now.key >> 32;
        let (now, before) = (weight * (now.sum / now.runs), weight * (before.sum / before.runs));
        match self.prompts.last_mut().filter(|prompt| prompt.label == label) {
            Some(prompt) => {
                prompt.now += now;
                prompt.before += before;
                prompt.weight += weight;
            }
            None => self.prompts.push(Prompt { label, now, before, weight }),
        }
    }

    /// `full` is the length of the scale, for figures that have one.
    fn compare(&self, full: Option<f64>) -> Change {
        let gap = Ratio::of(self.prompts.iter().map(|prompt| (prompt.now - prompt.before, prompt.weight)));
        let mut change = Change {
            now: weighted(&self.prompts, |prompt| prompt.now),
            before: weighted(&self.prompts, |prompt| prompt.before),
            difference: gap.value(),
            low: None,
            high: None,
            verdict: Verdict::TooLittleData,
            smallest_detectable: None,
            prompts: gap.clusters,
            cells: self.cells,
            runs_before: count(self.runs_before),
            runs_now: count(self.runs_now),
            left_out: self.left_out,
            p_value: None,
        };
        let (Some(difference), Some(error)) = (gap.value(), self.standard_error(&gap, full)) else { return change };
        let reach = gap.reach() * error;
        let bound = full.unwrap_or(f64::MAX);
        let mut low = (difference - reach).clamp(-bound, difference);
        let mut high = (difference + reach).clamp(difference, bound);
        // However far they moved, so few prompts may have done so by chance (the sign test); t does not see that.
        let moved = self.prompts.iter().filter(|prompt| !same(prompt.now, prompt.before)).count();
        let by_sign = 0.5_f64.powi(i32::try_from(moved).unwrap_or(i32::MAX).saturating_sub(1)).min(1.0);
        if by_sign > 0.05 {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        let detectable = ((gap.reach() + gap.power()) * error).min(bound);
        change.low = Some(low);
        change.high = Some(high);
        change.smallest_detectable = Some(detectable);
        change.p_value = two_sided_p(difference / error, gap.freedom()).map(|p| p.max(by_sign));
        change.verdict = if !change.has_enough_data() {
            Verdict::TooLittleData
        } else if low > 0.0 {
            Verdict::Up
        } else if high < 0.0 {
            Verdict::Down
        } else if full.is_some_and(|full| detectable >= BLIND * full) {
            Verdict::TooLittleData
        } else {
            Verdict::WithinNoise
        };
        change
    }

    /// The standard error of the difference; none where no spread was seen and none may be assumed.
    fn standard_error(&self, gap: &Ratio, full: Option<f64>) -> Option<f64> {
        let seen = gap.variance()?;
        // Where nothing moved at all, one run more or less is still what chance can do.
        let one_run = full.map_or(0.0, |full| full / self.runs_before.min(self.runs_now));
        Some(seen.max(square(one_run)).sqrt()).filter(|error| error.is_finite() && *error > 0.0)
    }
}

fn weighted(prompts: &[Prompt], part: impl Fn(&Prompt) -> f64) -> Option<f64> {
    Ratio::of(prompts.iter().map(|prompt| (part(prompt), prompt.weight))).value()
}

/// Equal but for the last bits.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EngineRef, PromptRef};
    use proptest::prelude::*;

    fn cell(prompt: u32, engine: u32, hits: u32, runs: u32) -> Cell {
        let (prompt, engine) = (PromptRef(prompt), EngineRef(engine));
        Cell { prompt, engine, presence_checked: runs, present: hits, ..Cell::default() }
    }

    fn presence(cell: &Cell) -> (u32, u32) {
        (cell.present, cell.presence_checked)
    }

    #[test]
    fn a_case_by_hand() {
        // Eight prompts of 10 + 10 runs; differences .1 .2 .3 .1 .2 .3 .2 .2: mean 0.2, sum of squares about it 0.04,
        // se = sqrt(8/7 * 0.04 / 64) = 0.0267261; t(7) = 2.364624, t(7, .8) = 0.896030.
        let ups = [1, 2, 3, 1, 2, 3, 2, 2];
        let before: Vec<_> = (0..8).map(|k| cell(k, 0, 4, 10)).collect();
        let now: Vec<_> = (0..8).zip(ups).map(|(k, up)| cell(k, 0, 4 + up, 10)).collect();
        let change = change(&before, &now, presence);
        let near = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-5;
        assert!(near(change.before, 0.4) && near(change.now, 0.6) && near(change.difference, 0.2), "{change:?}");
        assert!(near(change.low, 0.2 - 0.063_197) && near(change.high, 0.2 + 0.063_197), "{change:?}");
        assert!(near(change.smallest_detectable, 0.087_145), "{change:?}");
        assert_eq!((change.verdict, change.prompts, change.cells), (Verdict::Up, 8, 8));
        assert_eq!((change.runs_before, change.runs_now, change.left_out), (80, 80, LeftOut::default()));
    }

    #[test]
    fn what_one_side_lacks_is_left_out_and_counted() {
        let before: Vec<_> = (0..10).map(|k| cell(k, 0, 5, 10)).chain([cell(90, 0, 7, 7)]).collect();
        let now: Vec<_> = (0..10).map(|k| cell(k, 0, 5, 10)).chain((0..10).map(|k| cell(k, 1, 3, 3))).collect();
        let change = change(&before, &now, presence);
        assert_eq!(change.left_out, LeftOut { cells_before: 1, runs_before: 7, cells_now: 10, runs_now: 30 });
        assert_eq!((change.difference, change.verdict), (Some(0.0), Verdict::WithinNoise));
        assert!(change.smallest_detectable > Some(0.0));
    }

    #[test]
    fn an_engine_that_failed_more_often_is_not_a_change() {
        // Engine 0 shows the brand in 8 of 10 runs, engine 1 in 2 of 10; half of engine 0's runs failed now.
        let window = |runs: u32| -> Vec<_> {
            (0..20).flat_map(|k| [cell(k, 0, runs * 8 / 10, runs), cell(k, 1, 6, 30)]).collect()
        };
        let change = change(&window(30), &window(15), presence);
        assert!(change.difference.unwrap().abs() < 1e-12 && change.verdict == Verdict::WithinNoise, "{change:?}");
    }

    #[test]
    fn few_prompts_give_no_verdict() {
        let window = |prompts: u32, hits: u32, runs: u32| -> Vec<_> {
            (0..prompts).map(|k| cell(k, 0, hits + u32::from(runs > 1) * (k % 2), runs)).collect()
        };
        let verdict =
            |prompts, runs| change(&window(prompts, 0, runs), &window(prompts, runs - 1, runs), presence).verdict;
        assert_eq!(verdict(5, 50), Verdict::TooLittleData);
        assert_eq!(verdict(6, 50), Verdict::Up);
        assert_eq!(change(&[], &[], presence).verdict, Verdict::TooLittleData);
        let one = change(&[cell(0, 0, 1, 90)], &[cell(0, 0, 80, 90)], presence);
        assert_eq!((one.verdict, one.low, one.smallest_detectable), (Verdict::TooLittleData, None, None));
        assert!(one.difference.is_some());
    }

    #[test]
    fn five_prompts_that_moved_are_not_enough_among_many_either() {
        let before: Vec<_> = (0..40).map(|k| cell(k, 0, 0, 1)).collect();
        let now = |moved: u32| -> Vec<_> { (0..40).map(|k| cell(k, 0, u32::from(k < moved), 1)).collect() };
        let five = change(&before, &now(5), presence);
        assert_eq!((five.verdict, five.low), (Verdict::WithinNoise, Some(0.0)), "{five:?}");
        assert!(five.p_value > Some(0.05));
        let six = change(&before, &now(6), presence);
        assert_eq!(six.verdict, Verdict::Up, "{six:?}");
        assert!(six.p_value < Some(0.05));
    }

    #[test]
    fn engines_are_compared_by_prompt() {
        let first: Vec<_> = (0..12).map(|k| cell(k, 0, k % 3, 5)).collect();
        let second: Vec<_> = (0..12).map(|k| cell(k, 1, k % 3 + 2, 5)).collect();
        let paired = difference(&first, &second, Pairing::Prompt, presence);
        assert_eq!((paired.prompts, paired.verdict), (12, Verdict::Up));
        assert_eq!(change(&first, &second, presence).prompts, 0);
    }

    #[test]
    fn means_are_compared_too() {
        let at =
            |k: u32, sum: u32| Cell { prompt: PromptRef(k), position_sum: sum, position_runs: 4, ..Cell::default() };
        let before: Vec<_> = (0..9).map(|k| at(k, 8)).collect();
        let now: Vec<_> = (0..9).map(|k| at(k, 16 + k % 2)).collect();
        let change = change_in_mean(&before, &now, |cell| (f64::from(cell.position_sum), cell.position_runs));
        assert_eq!((change.verdict, change.before), (Verdict::Up, Some(2.0)));
        assert!(change.low > Some(2.0) && change.high < Some(2.25), "{change:?}");
    }

    fn windows() -> impl Strategy<Value = Vec<Cell>> {
        let cell = (0..9_u32, 0..3_u32, any::<u32>(), any::<u32>(), 0..30_u32)
            .prop_map(|(prompt, engine, hits, runs, shift)| cell(prompt, engine, hits >> shift, runs >> shift));
        prop::collection::vec(cell, 0..40)
    }

    proptest! {
        #[test]
        fn it_is_in_order_and_finite_for_any_cells(before in windows(), now in windows()) {
            let change = change(&before, &now, presence);
            if let (Some(d), Some(low), Some(high)) = (change.difference, change.low, change.high) {
                prop_assert!(-1.0 <= low && low <= d && d <= high && high <= 1.0, "{:?}", change);
                prop_assert_eq!(change.verdict == Verdict::Up && low <= 0.0, false);
            }
            for figure in [change.now, change.before, change.smallest_detectable, change.p_value].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&figure), "{:?}", change);
            }
            prop_assert_eq!(change.difference.is_some(), change.cells > 0);
        }

        #[test]
        fn turned_round_it_is_its_own_opposite(before in windows(), now in windows()) {
            let (there, back) = (change(&before, &now, presence), change(&now, &before, presence));
            let gap = there.difference.zip(back.difference).map_or(0.0, |(a, b)| (a + b).abs());
            prop_assert!(gap < 1e-9);
            prop_assert_eq!((there.runs_before, there.prompts), (back.runs_now, back.prompts));
            prop_assert_eq!(there.left_out.runs_now, back.left_out.runs_before);
        }

        #[test]
        fn every_run_is_either_compared_or_left_out(before in windows(), now in windows()) {
            let change = change(&before, &now, presence);
            let runs = |cells: &[Cell]| cells.iter().map(|cell| u64::from(cell.presence_checked)).sum::<u64>();
            prop_assert_eq!(change.runs_before + change.left_out.runs_before, runs(&before));
            prop_assert_eq!(change.runs_now + change.left_out.runs_now, runs(&now));
        }

        #[test]
        fn the_order_of_cells_is_nothing(
            (before, turned) in windows().prop_flat_map(|cells| (Just(cells.clone()), Just(cells).prop_shuffle())),
            now in windows(),
        ) {
            prop_assert_eq!(change(&before, &now, presence), change(&turned, &now, presence));
            prop_assert_eq!(change(&now, &before, presence), change(&now, &turned, presence));
        }

        #[test]
        fn runs_that_were_not_checked_change_nothing(
            before in windows(),
            now in windows(),
            unchecked in prop::collection::vec((0..12_u32, 0..4_u32, 1..99_u32), 0..9),
        ) {
            let unchecked = unchecked.into_iter();
            let unchecked = unchecked.map(|(prompt, engine, runs)| Cell { runs, ..cell(prompt, engine, 0, 0) });
            let with: Vec<Cell> = now.iter().copied().chain(unchecked).collect();
            prop_assert_eq!(change(&before, &now, presence), change(&before, &with, presence));
            prop_assert_eq!(change(&now, &before, presence), change(&with, &before, presence));
        }

        #[test]
        fn two_halves_of_a_window_add_up(before in windows(), now in windows()) {
            // The first half of each cell's runs, with as many of its hits as fit, and the rest.
            let first = |now: &Cell| {
                let runs = now.presence_checked / 2;
                cell(now.prompt.0, now.engine.0, now.present.min(runs), runs)
            };
            let rest = |now: &Cell| {
                let (first, hits) = (first(now), now.present.min(now.presence_checked));
                let runs = now.presence_checked - first.presence_checked;
                cell(now.prompt.0, now.engine.0, hits - first.present, runs)
            };
            let halves: Vec<Cell> = now.iter().map(first).chain(now.iter().map(rest)).collect();
            prop_assert_eq!(change(&before, &halves, presence), change(&before, &now, presence));
            prop_assert_eq!(change(&halves, &before, presence), change(&now, &before, presence));
        }
    }
}
