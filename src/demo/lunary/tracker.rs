//! What the server serves: any tracker that can give its projects, and the runs of a day.

use crate::model::Day;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A project, with the two keys that it has in Lunary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// A UUID in lower case; the public key is the same text.
    pub id: String,
    /// What people call it; no answer carries it.
    pub name: String,
    /// Runs are found by id in all projects of the key's organisation.
    pub organisation: u32,
    /// A UUID in lower case.
    pub private_key: String,
}

/// A user of the application whose calls are recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct User {
    /// The number inside Lunary.
    pub id: i64,
    /// What the application calls the user.
    pub external_id: String,
    /// When Lunary first heard of the user, in its own time.
    pub created_at: Timestamp,
    /// When the user's newest run began, in the caller's time.
    pub last_seen: Timestamp,
    /// An object, or null.
    pub props: Value,
}

/// The prompt template that a run was made from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// The template.
    pub id: i64,
    /// Its version.
    pub version: i64,
    /// Its name in code.
    pub slug: String,
}

/// A run as it is stored: JSON with the caller's spelling of keys, times with microseconds.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// A UUID in lower case.
    pub id: String,
    /// The run right above it; may lie in the same project only.
    pub parent: Option<String>,
    /// Open to everybody who has the id?
    pub is_public: bool,
    /// `llm`, `agent`, `chat`, ..., or any text that a caller sent.
    pub kind: String,
    /// The model of an llm run.
    pub name: Option<String>,
    /// `started`, `success`, `error`, or nothing for threads, chats and events.
    pub status: Option<String>,
    /// When it began, in the caller's time; shown with milliseconds, compared with microseconds.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The template it was made from.
    pub template: Option<Template>,
    /// In US dollars.
    pub cost: Option<f64>,
    /// Tokens read.
    pub prompt_tokens: Option<i64>,
    /// Tokens written.
    pub completion_tokens: Option<i64>,
    /// Labels.
    pub tags: Option<Vec<String>>,
    /// Any JSON.
    pub input: Value,
    /// Any JSON.
    pub output: Value,
    /// An object, a text or null.
    pub error: Value,
    /// An object.
    pub params: Value,
    /// An object, or null.
    pub metadata: Value,
    /// An object, or null.
    pub feedback: Value,
    /// Whose call it was.
    pub user: Option<User>,
    /// Objects of `label`, `value` and `comment`.
    pub scores: Vec<Value>,
    /// Results of evaluators, by the evaluator's UUID.
    pub enrichments: Vec<(String, Value)>,
    /// Was the input, was the output found to be toxic? Nothing when nobody looked.
    pub toxic: Option<(bool, bool)>,
}

impl Run {
    /// An open llm run with a question and nothing else.
    #[must_use]
    pub fn started(id: &str, model: &str, created_at: Timestamp, question: &str) -> Self {
        Self {
            id: id.to_owned(),
            parent: None,
            is_public: false,
            kind: "llm".to_owned(),
            name: Some(model.to_owned()),
            status: Some("started".to_owned()),
            created_at,
            ended_at: None,
            template: None,
            cost: None,
            prompt_tokens: None,
            completion_tokens: None,
            tags: None,
            input: json!([{ "role": "user", "content": question }]),
            output: Value::Null,
            error: Value::Null,
            params: json!({}),
            metadata: Value::Null,
            feedback: Value::Null,
            user: None,
            scores: Vec::new(),
            enrichments: Vec::new(),
            toxic: None,
        }
    }

    /// The same ended well, with a message as its output.
    #[must_use]
    pub fn answered(mut self, ended_at: Timestamp, answer: &str) -> Self {
        self.status = Some("success".to_owned());
        self.ended_at = Some(ended_at);
        self.output = json!({ "role": "assistant", "content": answer });
        self
    }

    /// The UTC day that it began on.
    pub(super) fn day(&self) -> Day {
        Day::of(self.created_at)
    }

    /// Is it of this type?
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }
}

/// What there is to serve. The same questions are answered in the same way until the server is given another tracker.
pub trait Tracker: Send + Sync {
    /// The projects, always in the same order.
    fn projects(&self) -> &[Project];

    /// The days that have runs of a project, oldest first.
    fn days(&self, project: usize) -> Vec<Day>;

    /// The runs that began on a day. A settled day has none that is open.
    fn runs(&self, project: usize, day: Day, settled: bool) -> Vec<Run>;

    /// The project and the day of a run, found without making all runs; whoever asks looks whether it is there.
    fn find(&self, id: &str) -> Option<(usize, Day)>;

    /// The prompt templates of a project, as they are sent.
    fn templates(&self, project: usize) -> Vec<Value>;
}
