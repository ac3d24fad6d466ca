//! The figures of one brand over a set of cells: everything that one pass over them gives.

use super::{Mean, Rate, ratio::Ratio, real};
use crate::model::{Cell, EngineRef};

/// The figures of one brand in one scope. See [`definition`](super::definition) for what each one means.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Figures {
    /// Finished runs in the scope, checked or not.
    pub runs: u64,
    /// Prompts with a finished run.
    pub prompts: u32,
    /// Runs that name or cite the brand, of those checked for both.
    pub presence_rate: Rate,
    /// Runs that name it, of those checked.
    pub mention_rate: Rate,
    /// Runs that cite it, of those checked.
    pub citation_rate: Rate,
    /// Its mentions, of all tracked brands' mentions.
    pub mention_share_of_voice: Rate,
    /// Its citations, of all citations attributed to tracked brands.
    pub citation_share_of_voice: Rate,
    /// Place of its first citation, over runs that cite it.
    pub avg_citation_position: Mean,
    /// Its place among the brands named, over runs that name it.
    pub avg_mention_rank: Mean,
    /// Sentiment, on the upstream's own scale.
    pub avg_sentiment: Mean,
}

impl Figures {
    /// The figures of these cells: of any engines, by day or already summed, in any order.
    #[must_use]
    pub fn of(cells: &[Cell]) -> Self {
        let labels = Labels::of(cells);
        let mut prompts = vec![Sums::default(); labels.len()];
        for cell in cells {
            if let Some(sums) = prompts.get_mut(labels.index(cell.prompt.0)) {
                sums.add(cell);
            }
        }
        let mut totals = [(0.0, 0.0); MEASURES];
        for sums in &prompts {
            for ((part, whole), (more_part, more_whole)) in totals.iter_mut().zip(sums.measures()) {
                *part += more_part;
                *whole += more_whole;
            }
        }
        let mut ratios = totals.map(|(part, whole)| Ratio::of_totals(part, whole));
        for sums in &prompts {
            for (ratio, (part, whole)) in ratios.iter_mut().zip(sums.measures()) {
                ratio.see(part, whole);
            }
        }
        let [runs, presence, mention, citation, mention_share, citation_share, position, rank, sentiment] = ratios;
        let runs = Rate::from_ratio(&runs);
        Self {
            runs: runs.runs,
            prompts: runs.prompts,
            presence_rate: Rate::from_ratio(&presence),
            mention_rate: Rate::from_ratio(&mention),
            citation_rate: Rate::from_ratio(&citation),
            mention_share_of_voice: Rate::from_ratio(&mention_share),
            citation_share_of_voice: Rate::from_ratio(&citation_share),
            avg_citation_position: Mean::from_ratio(&position).at_least(1.0),
            avg_mention_rank: Mean::from_ratio(&rank).at_least(1.0),
            avg_sentiment: Mean::from_ratio(&sentiment),
        }
    }

    /// The figures of one prompt's cells, for a question about that prompt alone: its runs are the sample of its rates
    /// (see [`Rate::of_one_prompt`]). Mentions and citations of one run hang together, so shares stay as they are.
    #[must_use]
    pub fn of_one_prompt(cells: &[Cell]) -> Self {
        let figures = Self::of(cells);
        let alone = |rate: Rate| Rate::of_one_prompt(rate.hits, rate.runs);
        Self {
            presence_rate: alone(figures.presence_rate),
            mention_rate: alone(figures.mention_rate),
            citation_rate: alone(figures.citation_rate),
            ..figures
        }
    }
}

/// The figures of each engine that has cells, in the order of the engines' labels.
#[must_use]
pub fn by_engine(cells: &[Cell]) -> Vec<(EngineRef, Figures)> {
    let mut engines: Vec<EngineRef> = Vec::new();
    for cell in cells {
        // Engines are few and their cells often come together.
        if engines.last() != Some(&cell.engine) && !engines.contains(&cell.engine) {
            engines.push(cell.engine);
        }
    }
    engines.sort_unstable();
    let figures = |engine| {
        let own: Vec<Cell> = cells.iter().filter(|cell| cell.engine == engine).copied().collect();
        (engine, Figures::of(&own))
    };
    engines.into_iter().map(figures).collect()
}

const MEASURES: usize = 9;

/// Sums of one prompt: counts, and sentiment apart since it is no count.
#[derive(Clone, Copy, Default)]
struct Sums {
    counts: [u64; 16],
    sentiment: f64,
    sentiment_runs: u64,
}

impl Sums {
    /// Counts stay integers until a prompt is whole: this is the loop that runs once per cell.
    fn add(&mut self, cell: &Cell) {
        let counts = [
            cell.runs,
            cell.present,
            cell.presence_checked,
            cell.mentioned,
            cell.mention_checked,
            cell.cited,
            cell.citation_checked,
            cell.share_mentions,
            cell.share_all_mentions,
            cell.share_citations,
            cell.share_all_citations,
            cell.position_sum,
            cell.position_runs,
            cell.rank_sum,
            cell.rank_runs,
            0,
        ];
        for (sum, count) in self.counts.iter_mut().zip(counts) {
            *sum += u64::from(count);
        }
        if cell.sentiment_sum.is_finite() && cell.sentiment_runs > 0 {
            self.sentiment += cell.sentiment_sum;
            self.sentiment_runs += u64::from(cell.sentiment_runs);
        }
    }

    /// (part, whole) of every figure, in the order in which `Figures::of` reads them.
    fn measures(&self) -> [(f64, f64); MEASURES] {
        let rate = |part: u64, whole: u64| (real(part.min(whole)), real(whole));
        let mean = |sum: u64, runs: u64| if runs > 0 { (real(sum), real(runs)) } else { (0.0, 0.0) };
        let [runs, p, pn, m, mn, c, cn, sm, smn, sc, scn, position, positions, rank, ranks, _] = self.counts;
        [
            (0.0, real(runs)),
            rate(p, pn),
            rate(m, mn),
            rate(c, cn),
            rate(sm, smn),
            rate(sc, scn),
            mean(position, positions),
            mean(rank, ranks),
            (self.sentiment, real(self.sentiment_runs)),
        ]
    }
}

/// Where a prompt's sums are kept: at its label, or, should labels lie far apart, at the label's rank.
enum Labels {
    Dense(usize),
    Sparse(Vec<u32>),
}

impl Labels {
    fn of(cells: &[Cell]) -> Self {
        let Some(last) = cells.iter().map(|cell| cell.prompt.0).max() else { return Self::Dense(0) };
        let span = usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1);
        if span <= cells.len().saturating_mul(4).saturating_add(1024) {
            return Self::Dense(span);
        }
        let mut labels: Vec<u32> = cells.iter().map(|cell| cell.prompt.0).collect();
        labels.sort_unstable();
        labels.dedup();
        Self::Sparse(labels)
    }

    fn len(&self) -> usize {
        match self {
            Self::Dense(span) => *span,
            Self::Sparse(labels) => labels.len(),
        }
    }

    fn index(&self, label: u32) -> usize {
        match self {
            Self::Dense(_) => usize::try_from(label).unwrap_or(usize::MAX),
            Self::Sparse(labels) => labels.binary_search(&label).unwrap_or(usize::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PromptRef;
    use proptest::prelude::*;

    fn a_cell(prompt: u32, engine: u32) -> Cell {
        Cell {
            prompt: PromptRef(prompt),
            engine: EngineRef(engine),
            runs: 12,
            mention_checked: 10,
            citation_checked: 8,
            presence_checked: 8,
            mentioned: 5,
            cited: 2,
            present: 6,
            share_mentions: 9,
            share_all_mentions: 30,
            share_citations: 2,
            share_all_citations: 16,
            position_sum: 6,
            position_runs: 2,
            rank_sum: 10,
            rank_runs: 5,
            sentiment_sum: 3.5,
            sentiment_runs: 5,
        }
    }

    #[test]
    fn every_figure_reads_its_own_columns() {
        let figures = Figures::of(&[a_cell(7, 0), a_cell(7, 1), a_cell(3, 0)]);
        let rate = |rate: Rate| (rate.value.unwrap(), rate.hits, rate.runs, rate.prompts);
        assert_eq!((figures.runs, figures.prompts), (36, 2));
        assert_eq!(rate(figures.mention_rate), (0.5, 15, 30, 2));
        assert_eq!(rate(figures.citation_rate), (0.25, 6, 24, 2));
        assert_eq!(rate(figures.presence_rate), (0.75, 18, 24, 2));
        assert_eq!(rate(figures.mention_share_of_voice), (0.3, 27, 90, 2));
        assert_eq!(rate(figures.citation_share_of_voice), (0.125, 6, 48, 2));
        let mean = |mean: Mean| (mean.value.unwrap(), mean.runs, mean.prompts);
        assert_eq!(mean(figures.avg_citation_position), (3.0, 6, 2));
        assert_eq!(mean(figures.avg_mention_rank), (2.0, 15, 2));
        assert_eq!(mean(figures.avg_sentiment), (0.7, 15, 2));
    }

    #[test]
    fn of_one_prompt_the_runs_are_the_sample() {
        // 10 of 40: Wilson's 95 % interval is 0.1419 to 0.4019.
        let cell = Cell { runs: 40, mention_checked: 40, mentioned: 10, ..Cell::default() };
        let figures = Figures::of_one_prompt(&[cell]);
        let near = |figure: Option<f64>, expected: f64| (figure.unwrap() - expected).abs() < 5e-5;
        assert!(near(figures.mention_rate.low, 0.1419) && near(figures.mention_rate.high, 0.4019), "{figures:?}");
        assert_eq!((figures.runs, figures.citation_rate), (40, Rate::default()));
        assert!(Figures::of(&[cell]).mention_rate.high > Some(0.8));
    }

    #[test]
    fn unchecked_is_not_zero() {
        let unchecked = Cell { runs: 9, ..Cell::default() };
        let figures = Figures::of(&[unchecked]);
        assert_eq!((figures.runs, figures.mention_rate, figures.avg_sentiment), (9, Rate::default(), Mean::default()));
        let mixed = Figures::of(&[unchecked, a_cell(1, 0)]);
        assert_eq!(mixed.mention_rate, Figures::of(&[a_cell(1, 0)]).mention_rate);
        assert_eq!(Figures::of(&[]), Figures::default());
    }

    fn cells() -> impl Strategy<Value = Vec<Cell>> {
        let labels = prop_oneof![0..12_u32, Just(u32::MAX), Just(3_000_000)];
        let runs = 0..40_u32;
        let cell =
            (labels, 0..4_u32, runs.clone(), runs.clone(), runs, -3.0..3.0_f64).prop_map(|(p, e, a, b, c, s)| Cell {
                prompt: PromptRef(p),
                engine: EngineRef(e),
                runs: a + b,
                mention_checked: a,
                mentioned: a.min(b),
                presence_checked: b,
                present: b.min(c),
                share_mentions: a,
                share_all_mentions: a + c,
                position_sum: b * 2 + c,
                position_runs: b,
                sentiment_sum: s,
                sentiment_runs: c,
                ..Cell::default()
            });
        prop::collection::vec(cell, 0..60)
    }

    fn about(a: Option<f64>, b: Option<f64>) -> bool {
        a.zip(b).map_or(a == b, |(a, b)| (a - b).abs() < 1e-9)
    }

    fn alike(a: &Figures, b: &Figures) -> bool {
        let rates = |f: &Figures| [f.presence_rate, f.mention_rate, f.mention_share_of_voice];
        let means = |f: &Figures| [f.avg_citation_position, f.avg_sentiment];
        rates(a).iter().zip(rates(b)).all(|(a, b)| {
            (a.hits, a.runs, a.prompts) == (b.hits, b.runs, b.prompts) && about(a.value, b.value) && about(a.low, b.low)
        }) && means(a)
            .iter()
            .zip(means(b))
            .all(|(a, b)| (a.runs, a.prompts) == (b.runs, b.prompts) && about(a.value, b.value))
    }

    proptest! {
        #[test]
        fn engines_add_up_to_the_whole(cells in cells()) {
            let (whole, engines) = (Figures::of(&cells), by_engine(&cells));
            let sum = |count: fn(&Figures) -> u64| engines.iter().map(|(_, figures)| count(figures)).sum::<u64>();
            prop_assert_eq!(sum(|f| f.runs), whole.runs);
            prop_assert_eq!(sum(|f| f.presence_rate.hits), whole.presence_rate.hits);
            prop_assert_eq!(sum(|f| f.mention_share_of_voice.runs), whole.mention_share_of_voice.runs);
            prop_assert_eq!(sum(|f| f.avg_sentiment.runs), whole.avg_sentiment.runs);
            prop_assert!(engines.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }

        #[test]
        fn order_and_days_are_nothing(cells in cells(), seed in any::<u64>()) {
            let mut turned = cells.clone();
            turned.sort_by_key(|cell| (u64::from(cell.prompt.0) ^ u64::from(cell.runs)).wrapping_mul(seed | 1));
            prop_assert!(alike(&Figures::of(&cells), &Figures::of(&turned)));
            // A cell taken apart into two days is the same cell.
            let halves = |cell: &Cell| {
                let first = Cell { prompt: cell.prompt, engine: cell.engine, mention_checked: cell.mentioned,
                    mentioned: cell.mentioned, ..Cell::default() };
                [first, Cell { mention_checked: cell.mention_checked - cell.mentioned, mentioned: 0, ..*cell }]
            };
            let days: Vec<Cell> = cells.iter().flat_map(halves).collect();
            prop_assert!(alike(&Figures::of(&cells), &Figures::of(&days)));
        }

        #[test]
        fn one_pass_gives_what_each_figure_alone_gives(cells in cells()) {
            let mut sums = std::collections::BTreeMap::<_, (u64, u64)>::new();
            for cell in &cells {
                let sum = sums.entry(cell.prompt).or_default();
                sum.0 += u64::from(cell.present);
                sum.1 += u64::from(cell.presence_checked);
            }
            prop_assert_eq!(Figures::of(&cells).presence_rate, Rate::of(sums.into_values().collect::<Vec<_>>()));
        }

        #[test]
        fn no_input_gives_a_number_that_is_none(
            raw in prop::collection::vec((any::<[u32; 16]>(), any::<f64>()), 0..20),
        ) {
            let cells: Vec<Cell> = raw.into_iter().map(|([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, q], s)| Cell {
                prompt: PromptRef(a), engine: EngineRef(b % 3), runs: c, mention_checked: d, citation_checked: e,
                presence_checked: f, mentioned: g, cited: h, present: i, share_mentions: j, share_all_mentions: k,
                share_citations: l, share_all_citations: m, position_sum: n, position_runs: o, rank_sum: q, rank_runs: a,
                sentiment_sum: s, sentiment_runs: b,
            }).collect();
            let f = Figures::of(&cells);
            for rate in [f.presence_rate, f.mention_rate, f.citation_rate, f.mention_share_of_voice, f.citation_share_of_voice] {
                for figure in [rate.low, rate.value, rate.high].into_iter().flatten() {
                    prop_assert!((0.0..=1.0).contains(&figure), "{:?}", rate);
                }
            }
            for mean in [f.avg_citation_position, f.avg_mention_rank, f.avg_sentiment] {
                for figure in [mean.low, mean.value, mean.high].into_iter().flatten() {
                    prop_assert!(figure.is_finite(), "{:?}", mean);
                }
            }
        }
    }
}
