//! A run as an upstream gives it: one prompt, one engine, one moment, and what was found in the answer.

use super::{BrandKey, Day};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a run is in its life; the four names are the same for every upstream.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    /// Made, not begun.
    Pending,
    /// At work.
    Running,
    /// Done, with an answer.
    Finished,
    /// Done, without one.
    Failed,
    /// A value that this program does not know, kept as it came.
    Unknown(String),
}

impl Status {
    /// The status as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Unknown(text) => text,
        }
    }

    /// May it still change by itself? An unknown status may.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Finished | Self::Failed)
    }
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match text.as_str() {
            "pending" => Self::Pending,
            "running" => Self::Running,
            "finished" => Self::Finished,
            "failed" => Self::Failed,
            _ => Self::Unknown(text),
        }
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.as_str().to_owned()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an answer was had.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    /// The product that people use.
    Consumer,
    /// The model's API.
    Api,
}

impl Surface {
    /// The surface as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Api => "api",
        }
    }
}

/// Where a fact came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Basis {
    /// The tracker said so.
    Upstream,
    /// Read off the answer's text by this program.
    Derived,
}

impl Basis {
    /// The basis as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Derived => "derived",
        }
    }
}

/// A prompt as a run carries it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PromptRecord {
    /// What makes it the same prompt from run to run, inside its project: the upstream's id where that is stable,
    /// else the text itself.
    pub key: String,
    /// The question, whole.
    pub text: String,
    /// The topic it is filed under, where the upstream has topics.
    pub topic: Option<String>,
    /// What the tracker's own screens call it, such as its number; may move from prompt to prompt.
    pub label: Option<String>,
}

/// A URL in an answer; its position is its place in the list, 1 for the first.
#[derive(Clone, PartialEq, Debug)]
pub struct CitationRecord {
    /// The URL as given.
    pub url: String,
    /// The brand that the upstream attributes it to.
    pub brand: Option<BrandKey>,
    /// The upstream's quality score for it, on the upstream's own scale.
    pub quality: Option<f64>,
}

/// What is known of one brand in one run. `None` means not checked, which is not the same as zero.
#[derive(Clone, PartialEq, Debug)]
pub struct BrandFact {
    /// The brand.
    pub brand: BrandKey,
    /// How often the answer's prose names it.
    pub mentions: Option<u32>,
    /// How many citations are its own.
    pub citations: Option<u32>,
    /// Place of its first citation among all citations, 1 for the first.
    pub best_citation_position: Option<u32>,
    /// Its place among all brands named, by first appearance, 1 for the first.
    pub mention_rank: Option<u32>,
    /// Sentiment of its mentions, on the upstream's own scale.
    pub sentiment: Option<f64>,
    /// Why that sentiment, in the upstream's words.
    pub sentiment_justification: Option<String>,
    /// The upstream's quality score of its mentions.
    pub mention_quality: Option<f64>,
    /// The upstream's quality score of its citations.
    pub citation_quality: Option<f64>,
    /// The upstream's composite score for this run.
    pub visibility_score: Option<f64>,
}

impl BrandFact {
    /// A fact of which nothing is known yet.
    #[must_use]
    pub fn unchecked(brand: BrandKey) -> Self {
        Self {
            brand,
            mentions: None,
            citations: None,
            best_citation_position: None,
            mention_rank: None,
            sentiment: None,
            sentiment_justification: None,
            mention_quality: None,
            citation_quality: None,
            visibility_score: None,
        }
    }
}

/// A run as an upstream gives it, in the words of this program.
#[derive(Clone, PartialEq, Debug)]
pub struct RunRecord {
    /// The natural key inside its project: the same run has the same key at every reading.
    pub key: String,
    /// The upstream's own id, which may change between readings.
    pub upstream_id: Option<String>,
    /// The question.
    pub prompt: PromptRecord,
    /// The assistant asked, lower case.
    pub engine: String,
    /// The model behind the engine, as reported.
    pub model: Option<String>,
    /// How the answer was had.
    pub surface: Surface,
    /// Where the run is in its life.
    pub status: Status,
    /// Why it failed, in the upstream's words.
    pub failure_reason: Option<String>,
    /// The UTC day it counts for.
    pub day: Day,
    /// When it was made.
    pub created_at: Timestamp,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    /// When it reached a final status.
    pub finished_at: Option<Timestamp>,
    /// The answer, whole; none while there is none.
    pub answer: Option<String>,
    /// Cited URLs in order of first appearance; none where the upstream does not say.
    pub citations: Option<Vec<CitationRecord>>,
    /// URLs that stand beside the answer's text, such as those of annotations or search results, in their order: for
    /// citations that are read off the answer.
    pub source_urls: Vec<String>,
    /// The upstream's own count of cited URLs, which may count repeats.
    pub total_citations: Option<u32>,
    /// Facts by brand, basis upstream. A brand without one was not checked.
    pub facts: Vec<BrandFact>,
    /// Did the engine search the web?
    pub web_search: Option<bool>,
    /// What the run cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// The upstream's record as JSON text, with the answer's value replaced by `null`, since the answer is kept
    /// beside it.
    pub raw: String,
    /// Hash of the upstream's whole record, answer and all: equal hashes mean nothing changed.
    pub raw_hash: u64,
}
