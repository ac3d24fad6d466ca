//! What the server serves: a small trait, and its records exactly as the API spells them.

use crate::{
    demo::{prose::count_names, rng::uuid, world::Take},
    model::{Day, host_of},
};
use jiff::Timestamp;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

/// Data to serve. Equal arguments must give equal answers: the server asks again for every page.
pub trait Tracker: Send + Sync {
    /// Every universe, the owner's and strangers', finished or not.
    fn universes(&self) -> Vec<Universe>;

    /// Days that have rows, in any order.
    fn days(&self, universe: &str) -> Vec<Day>;

    /// The rows of a day, in any order. A tracker without other takes may ignore `take`.
    fn rows(&self, universe: &str, day: Day, take: Take) -> Vec<PromptRow>;
}

/// A brand that a universe tracks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrackedBrand {
    /// Its name.
    pub name: String,
    /// Its site, as a URL.
    pub website: String,
    /// Other spellings of the name.
    pub tokens: Vec<String>,
}

impl TrackedBrand {
    /// Does this URL lead to the brand's site, or to a host below it?
    #[must_use]
    pub fn owns(&self, url: &str) -> bool {
        let (Some(site), Some(host)) = (host_of(&self.website), host_of(url)) else { return false };
        is_at(&host, &site)
    }

    /// Every spelling, the name first.
    pub(super) fn spellings(&self) -> Vec<&str> {
        std::iter::once(&self.name).chain(&self.tokens).map(String::as_str).collect()
    }
}

/// Is a host this site, or below it?
pub(super) fn is_at(host: &str, site: &str) -> bool {
    host.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// One tracked site with its competitors and prompts.
#[derive(Clone, PartialEq, Debug)]
pub struct Universe {
    /// Its UUID.
    pub id: String,
    /// The owner's UUID.
    pub user_id: String,
    /// Its name.
    pub universe_name: String,
    /// The own brand.
    pub own: TrackedBrand,
    /// The competitors.
    pub competitors: Vec<TrackedBrand>,
    /// The prompts' texts, in the order of their numbers.
    pub prompts: Vec<String>,
    /// A country, where one was given.
    pub location: Option<String>,
    /// Only `completed` ones are listed.
    pub status: String,
    /// Does it belong to somebody else than the key's owner?
    pub foreign: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Universe {
    /// A completed universe of the key's owner. Its UUID is a hash of `key`.
    #[must_use]
    pub fn new(key: &str, own: TrackedBrand, competitors: Vec<TrackedBrand>) -> Self {
        Self {
            id: uuid(xxh3_64(key.as_bytes()), &[1]),
            user_id: uuid(0, &[2]),
            universe_name: own.name.clone(),
            own,
            competitors,
            prompts: Vec::new(),
            location: None,
            status: "completed".to_owned(),
            foreign: false,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// The own brand, then the competitors.
    pub fn brands(&self) -> impl Iterator<Item = &TrackedBrand> {
        std::iter::once(&self.own).chain(&self.competitors)
    }
}

/// A site as prompt rows carry it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Site {
    /// Its URL.
    pub url: String,
    /// A country; null where none was given.
    pub location: Option<String>,
    /// Other spellings of the brand's name; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brand_tokens: Vec<String>,
}

impl Site {
    fn of(brand: &TrackedBrand, location: Option<&str>) -> Self {
        Self {
            url: brand.website.clone(),
            location: location.map(str::to_owned),
            brand_tokens: brand.spellings().into_iter().map(str::to_owned).collect(),
        }
    }
}

/// One prompt on one engine on one day: every documented column, serialised under its documented name.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the columns are the API's, and its documentation says what they mean")]
pub struct PromptRow {
    pub id: String,
    pub day: Day,
    pub user_id: String,
    pub universe_id: String,
    pub job_id: Option<String>,
    pub prompt_id: u32,
    pub prompt_text: String,
    pub engine: String,
    pub engine_account: Option<String>,
    pub website: Site,
    pub competitor_websites: Vec<Site>,
    pub priority_level: i32,
    pub provider: Option<String>,
    pub attempts: Option<u32>,
    pub snapshot_id: Option<String>,
    pub status: String,
    pub error_text: Option<String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub response_text: Option<String>,
    pub appeared_links: Vec<String>,
    pub appeared_links_unique: Vec<String>,
    pub appeared_links_run1: Vec<String>,
    pub appeared_links_run2: Vec<String>,
    pub my_citations: Option<Vec<String>>,
    pub competitor_citations: Option<Vec<String>>,
    pub total_citations_count: usize,
    pub my_domain_citations_count: usize,
    pub my_brand_mentions_count: u32,
    pub model_used: Option<String>,
    pub web_search_triggered: Option<bool>,
    pub cost_milli_cents: Option<u32>,
}

impl PromptRow {
    /// A pending row. Its UUID is a hash of universe, day, engine and prompt number.
    #[must_use]
    pub fn pending(universe: &Universe, day: Day, engine: &str, prompt_id: u32, prompt_text: &str) -> Self {
        let place = u64::from(day.epoch_days().cast_unsigned());
        let universe_hash = xxh3_64(universe.id.as_bytes());
        // Documented labels exist for these; rows of other engines are what the documentation calls legacy rows.
        let account = matches!(engine, "chatgpt" | "gemini" | "grok" | "perplexity").then(|| format!("BD_{engine}"));
        Self {
            id: uuid(universe_hash, &[3, place, u64::from(prompt_id), xxh3_64(engine.as_bytes())]),
            day,
            user_id: universe.user_id.clone(),
            universe_id: universe.id.clone(),
            job_id: Some(uuid(universe_hash, &[4, place])),
            prompt_id,
            prompt_text: prompt_text.to_owned(),
            engine: engine.to_owned(),
            provider: account.is_some().then(|| "brightdata".to_owned()),
            // Legacy rows have null or nothing here.
            engine_account: account.or_else(|| prompt_id.is_multiple_of(2).then(String::new)),
            website: Site::of(&universe.own, universe.location.as_deref()),
            competitor_websites: universe.competitors.iter().map(|brand| Site::of(brand, None)).collect(),
            priority_level: 0,
            attempts: Some(0),
            snapshot_id: None,
            status: "pending".to_owned(),
            error_text: None,
            created_at: day.start(),
            started_at: None,
            finished_at: None,
            response_text: None,
            appeared_links: Vec::new(),
            appeared_links_unique: Vec::new(),
            appeared_links_run1: Vec::new(),
            appeared_links_run2: Vec::new(),
            my_citations: None,
            competitor_citations: None,
            total_citations_count: 0,
            my_domain_citations_count: 0,
            my_brand_mentions_count: 0,
            model_used: None,
            web_search_triggered: None,
            cost_milli_cents: None,
        }
    }

    /// The row with its answer: completed, with links, citations and counts worked out.
    #[must_use]
    pub fn completed(mut self, universe: &Universe, answer: &str, links: Vec<String>) -> Self {
        let hosts: Vec<Option<String>> = links.iter().map(|url| host_of(url)).collect();
        let of = |brands: &[TrackedBrand]| -> Vec<String> {
            let sites: Vec<String> = brands.iter().filter_map(|brand| host_of(&brand.website)).collect();
            let is_theirs = |host: &Option<String>| host.as_ref().is_some_and(|h| sites.iter().any(|s| is_at(h, s)));
            links.iter().zip(&hosts).filter(|(_, host)| is_theirs(host)).map(|(url, _)| url.clone()).collect()
        };
        let (mine, theirs) = (of(std::slice::from_ref(&universe.own)), of(&universe.competitors));
        let mut unique: Vec<String> = Vec::with_capacity(links.len());
        for url in &links {
            if !unique.contains(url) {
                unique.push(url.clone());
            }
        }
        let spellings: Vec<Vec<&str>> = universe.brands().map(TrackedBrand::spellings).collect();
        self.my_brand_mentions_count = count_names(answer, &spellings).first().copied().unwrap_or(0);
        "completed".clone_into(&mut self.status);
        self.error_text = None;
        self.response_text = Some(answer.to_owned());
        self.attempts = Some(1);
        self.started_at = self.started_at.or(Some(self.created_at));
        self.finished_at = self.finished_at.or(self.started_at);
        self.total_citations_count = links.len();
        self.my_domain_citations_count = mine.len();
        self.my_citations = Some(mine);
        self.competitor_citations = Some(theirs);
        self.appeared_links_unique = unique;
        // The legacy pipeline ran twice; its second run is kept only here.
        self.appeared_links_run2 =
            if self.provider.is_none() { links.iter().step_by(2).cloned().collect() } else { Vec::new() };
        self.appeared_links_run1.clone_from(&links);
        self.appeared_links = links;
        self
    }

    /// The row as one that failed, with the reason.
    #[must_use]
    pub fn failed(mut self, error: &str) -> Self {
        "failed".clone_into(&mut self.status);
        self.error_text = Some(error.to_owned());
        self.attempts = Some(3);
        self.started_at = self.started_at.or(Some(self.created_at));
        self.finished_at = self.finished_at.or(self.started_at);
        self
    }

    /// Has it reached a final status?
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed")
    }
}
