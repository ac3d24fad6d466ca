//! Sources and projects: whose data, from which account.

use super::{Brand, BrandKey, Day};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of one configured account at one upstream, such as `verseodin` or `verseodin-acme`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceName(String);

impl SourceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SourceName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of API that a source can be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpstreamKind {
    /// Lumar AI Visibility, GraphQL.
    Lumar,
    /// Verseodin, REST.
    Verseodin,
    /// Lunary runs, REST.
    Lunary,
}

impl UpstreamKind {
    /// The kind's name in configuration, answers and the cache.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lumar => "lumar",
            Self::Verseodin => "verseodin",
            Self::Lunary => "lunary",
        }
    }
}

/// A project by its source and what the upstream calls it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProjectKey {
    /// The source that serves it.
    pub source: SourceName,
    /// The upstream's own id.
    pub key: String,
}

/// A project as an upstream describes it.
#[derive(Clone, PartialEq, Debug)]
pub struct ProjectRecord {
    /// The upstream's own id.
    pub key: String,
    /// The upstream's id of the account it belongs to, where every question must name that too.
    pub account: Option<String>,
    /// The name people know it by.
    pub name: String,
    /// The monitored website, where one is given.
    pub website: Option<String>,
    /// Own brand, competitors and others that the upstream tracks here.
    pub brands: Vec<Brand>,
    /// The newest day with data, where the upstream says so: a cheap sign that nothing is new.
    pub latest_day: Option<Day>,
    /// The upstream's record, as JSON text.
    pub raw: String,
}

/// A figure that the upstream computed itself, kept beside ours and never mixed with them.
#[derive(Clone, PartialEq, Debug)]
pub struct Published {
    /// The day it is for.
    pub day: Day,
    /// The engine it is for; none means all engines together.
    pub engine: Option<String>,
    /// The brand it is of; none means the project's own, or all of them in one.
    pub brand: Option<BrandKey>,
    /// The upstream's own name of the figure.
    pub metric: String,
    /// The value as JSON text: a number for scalars, an array for rankings, `null` where none.
    pub value: String,
}
