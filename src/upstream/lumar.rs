//! Lumar AI Visibility: accounts, projects, a prompt's weeks. GraphQL, read only.
//!
//! A slice is one prompt and one calendar week, Monday to Sunday; beside them each week has one of published scores.
//! The API shows a run from one brand at a time, so every list is read once per tracked brand, and joined.

mod answer;
mod brands;
mod client;
mod contract;
mod convert;
mod decode;
mod document;
mod ids;
mod pages;
mod projects;
mod session;
mod slices;
mod wire;

pub use decode::{decode_project, decode_runs, decode_scores};
pub use session::Credential;

use super::{Discovery, Error, Fetch, Known, Limits, Page, Slice, Upstream, Wanted};
use crate::model::{DayRange, ProjectRecord, SourceName, UpstreamKind};
use answer::About;
use client::Client;
use document::Variables;
use serde_json::json;
use url::Url;

/// How many slices are read at once: with a few brands each, they fill a request or two.
const SLICES_AT_ONCE: usize = 20;

/// What a Lumar source is made of.
#[derive(Clone, Debug)]
pub struct LumarConfig {
    /// The source's name.
    pub source: SourceName,
    /// A user's key or a service account's.
    pub credential: Credential,
    /// The variables that hold it, for messages.
    pub key_variables: Vec<String>,
    /// The address of the endpoint, whole.
    pub base_url: Url,
    /// The ids of the accounts to read; with none, those of the user whose key it is.
    pub accounts: Vec<String>,
    /// Names, domains or ids of brands to track beside a project's own and its competitors.
    pub brands: Vec<String>,
    /// Waits, tries and sizes.
    pub limits: Limits,
}

/// One Lumar credential.
#[derive(Debug)]
pub struct Lumar {
    source: SourceName,
    client: Client,
    accounts: Vec<String>,
    brands: Vec<String>,
    sizes: Sizes,
}

/// How much is asked for at once.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Rows of a page of projects, brands or prompts.
    list: usize,
    /// Rows of a page of runs.
    runs: usize,
    /// Rows that one request for prompts may come to.
    nodes: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { list: 500, runs: 100, nodes: 5_000 }
    }
}

impl Lumar {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for an address that no key may be sent to, for a key that cannot be sent, and for a service
    /// account's key without the accounts that it is for.
    pub fn new(config: LumarConfig) -> Result<Self, Error> {
        let LumarConfig { source, credential, key_variables, base_url, accounts, brands, limits } = config;
        if accounts.is_empty() && matches!(credential, Credential::ServiceKey(_)) {
            return Err(Error::Config {
                problem: "a service account's key does not say which accounts it is for".to_owned(),
                fix: "list the account's id under `accounts` of this source".to_owned(),
            });
        }
        let client = Client::new(base_url, credential, &key_variables, limits)?;
        Ok(Self { source, client, accounts, brands, sizes: Sizes::default() })
    }

    /// The variables that every question about a project has.
    fn of_project(project: &ProjectRecord) -> Variables {
        vec![("account", json!(project.account)), ("project", json!(project.key))]
    }
}

/// What a question about a project is called.
fn about(document: &document::Document, project: &ProjectRecord) -> About {
    About::of(document.name, format!("project {}", project.key))
}

impl Upstream for Lumar {
    fn source(&self) -> &SourceName {
        &self.source
    }

    fn kind(&self) -> UpstreamKind {
        UpstreamKind::Lumar
    }

    /// Fingerprints tell of finished runs at once; this is for failed ones, which they do not count.
    fn look_back_days(&self) -> i32 {
        2
    }

    fn fetch_projects(&self) -> Fetch<'_, Discovery<ProjectRecord>> {
        Box::pin(self.discover_projects())
    }

    fn fetch_slices<'a>(&'a self, project: &'a ProjectRecord, days: DayRange) -> Fetch<'a, Discovery<Slice>> {
        Box::pin(self.discover_slices(project, days))
    }

    fn slices_at_once(&self) -> usize {
        SLICES_AT_ONCE
    }

    fn fetch_pages<'a>(
        &'a self,
        project: &'a ProjectRecord,
        wanted: &'a [Wanted<'a>],
        known: &'a Known<'a>,
    ) -> Fetch<'a, Vec<Result<Page, Error>>> {
        Box::pin(self.read_pages(project, wanted, known))
    }

    /// Lists of runs, and details of all of them: from the own brand, and from about half of the others.
    fn requests(&self, project: &ProjectRecord, slices: &[&Slice]) -> u64 {
        let tracked = brands::tracked(project, &self.brands).len() as u64;
        let most = |document: &document::Document| document.most as u64;
        let bundle = |slices: &[&Slice]| {
            let scores = slices.iter().filter(|slice| slice.prompt.is_none()).count() as u64;
            let prompts = slices.len() as u64 - scores;
            let runs: u64 = slices.iter().filter(|slice| slice.prompt.is_some()).filter_map(|slice| slice.runs).sum();
            let details = runs + runs * tracked.saturating_sub(1) / 2;
            (prompts * tracked).div_ceil(most(&document::PROMPT_RUNS))
                + (scores * tracked).div_ceil(most(&document::SCORES))
                + details.div_ceil(most(&document::RUN_DETAILS))
        };
        slices.chunks(SLICES_AT_ONCE).map(bundle).sum()
    }
}

#[cfg(test)]
mod tests;
