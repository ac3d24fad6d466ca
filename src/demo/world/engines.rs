//! The assistants and their habits: how much they write, whom they name, how they link, how often they fail.

/// How an engine writes links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LinkStyle {
    /// `([label](url))` after the sentence.
    Inline,
    /// `[1]` in the text, `[1]: url` at the end.
    Footnotes,
    /// The URL itself, in brackets or before a full stop.
    Bare,
    /// A list of Markdown links at the end.
    List,
}

/// An engine's habits, before a change of model shifts them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    pub(super) name: &'static str,
    pub(super) model: &'static str,
    /// Added to the log-odds of naming any brand.
    pub(super) eagerness: f64,
    /// Links of an answer, as a multiple of the world's mean.
    pub(super) links: f64,
    /// How often it searches the web; without a search there are no links.
    pub(super) web: f64,
    /// How often a run fails.
    pub(super) failure: f64,
    /// Length of answers, in percent of the world's mean.
    pub(super) length: usize,
    pub(super) style: LinkStyle,
    /// Appended to most URLs, as `utm_source`.
    pub(super) tracking: Option<&'static str>,
    /// How often brands are set in a table.
    pub(super) tables: f64,
    /// How often a line in another script or with odd spaces is in the answer.
    pub(super) odd: f64,
}

/// The engines, in the order in which a world takes them; the first four are those that Verseodin documents.
pub(super) const ENGINES: &[Habits] = &[
    Habits {
        name: "chatgpt",
        // Its model changes; see `story`.
        model: "gpt-5",
        eagerness: 0.2,
        links: 1.0,
        web: 0.75,
        failure: 0.015,
        length: 105,
        style: LinkStyle::Inline,
        tracking: Some("chatgpt.com"),
        tables: 0.25,
        odd: 0.25,
    },
    Habits {
        name: "gemini",
        model: "gemini-3-flash",
        eagerness: -0.1,
        links: 1.2,
        web: 0.85,
        failure: 0.02,
        length: 115,
        style: LinkStyle::Footnotes,
        tracking: None,
        tables: 0.3,
        odd: 0.2,
    },
    Habits {
        name: "grok",
        model: "grok-4-1",
        eagerness: 0.5,
        links: 1.3,
        web: 0.95,
        failure: 0.05,
        length: 80,
        style: LinkStyle::Bare,
        tracking: None,
        tables: 0.05,
        odd: 0.4,
    },
    Habits {
        name: "claude",
        model: "claude-sonnet-5",
        eagerness: -0.7,
        links: 0.5,
        web: 0.4,
        failure: 0.01,
        length: 100,
        style: LinkStyle::List,
        tracking: None,
        tables: 0.15,
        odd: 0.1,
    },
    Habits {
        name: "perplexity",
        model: "sonar-4",
        eagerness: 0.1,
        links: 1.6,
        web: 1.0,
        failure: 0.02,
        length: 85,
        style: LinkStyle::Footnotes,
        tracking: None,
        tables: 0.2,
        odd: 0.15,
    },
    Habits {
        name: "google_ai_overviews",
        model: "gemini-3-overviews",
        eagerness: -0.1,
        links: 1.1,
        web: 1.0,
        failure: 0.03,
        length: 115,
        style: LinkStyle::List,
        tracking: None,
        tables: 0.0,
        odd: 0.35,
    },
];

/// An engine's place in its world.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub(super) name: String,
    pub(super) habits: Habits,
    /// Mean number of links of an answer that searched the web.
    pub(super) links: f64,
}

/// So many engines: the known ones, then numbered copies of their habits. `citations` is the mean over all of them.
pub(super) fn engines(count: usize, citations: f64) -> Vec<Engine> {
    let habits: Vec<&Habits> = ENGINES.iter().cycle().take(count).collect();
    let mean = habits.iter().map(|h| h.links * h.web).sum::<f64>() / super::real(count.max(1));
    habits
        .into_iter()
        .enumerate()
        .map(|(i, habits)| Engine {
            name: match i / ENGINES.len() {
                0 => habits.name.to_owned(),
                round => format!("{}_{}", habits.name, round + 1),
            },
            habits: *habits,
            links: citations * habits.links / mean.max(f64::MIN_POSITIVE),
        })
        .collect()
}
