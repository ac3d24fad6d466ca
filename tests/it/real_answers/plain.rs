//! A plain count over the data: one pass, no sharing with what serves it or with the program.

use super::{File, Record};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What is counted: seen from which brand, on which days (both inside), on which engine.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'f> {
    pub brand: usize,
    pub first: &'f str,
    pub last: &'f str,
    pub engine: Option<&'f str>,
    /// With questions that name a tracked brand?
    pub branded: bool,
}

/// What a summary shows.
#[derive(Default)]
pub struct Count {
    pub runs: u64,
    pub prompts: usize,
    pub left_out: u64,
    pub named: u64,
    pub cited: u64,
    pub present: u64,
    pub citations: u64,
    pub citations_of_all: u64,
    /// Where the brand's first link stands, for each answer that has one.
    pub positions: Vec<usize>,
    /// Runs and citing runs.
    pub engines: BTreeMap<String, (u64, u64)>,
    /// Citing runs and links.
    domains: BTreeMap<String, (u64, u64)>,
}

/// The words of a text in lower case.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// How often the text's words hold these, side by side.
fn occurrences(text: &str, name: &str) -> usize {
    let (text, name) = (words(text), words(name));
    text.windows(name.len()).filter(|window| *window == name).count()
}

fn names(record: &Record, brand: &str) -> bool {
    match &record.answer_text {
        Some(text) => occurrences(text, brand) > 0,
        None => record.brands.iter().any(|named| named.name.eq_ignore_ascii_case(brand)),
    }
}

/// The labels of a link's host, the last one first: `com`, `example`, `blog`.
fn labels(link: &super::Link) -> Vec<String> {
    let url = link.url.as_deref().unwrap_or(&link.domain);
    let host = url.trim_start_matches("https://").trim_start_matches("http://");
    let host: String = host.chars().take_while(|c| !"/?#:".contains(*c)).collect();
    host.to_lowercase().split('.').rev().map(str::to_owned).collect()
}

fn is_below(labels: &[String], domain: &str) -> bool {
    let domain: Vec<&str> = domain.split('.').rev().collect();
    labels.len() >= domain.len() && labels.iter().zip(&domain).all(|(label, part)| label == part)
}

/// The brand whose site a link leads to.
fn owner(file: &File, link: &super::Link) -> Option<usize> {
    let labels = labels(link);
    file.brands.iter().position(|(_, domain)| is_below(&labels, domain))
}

impl Count {
    pub fn of(file: &File, scope: &Scope<'_>) -> Self {
        let mut count = Self::default();
        let mut questions = HashSet::new();
        for record in &file.records {
            if !(scope.first..=scope.last).contains(&record.day()) {
                continue;
            }
            if scope.engine.is_some_and(|engine| engine != record.engine) {
                continue;
            }
            let branded = file.brands.iter().any(|(name, _)| occurrences(record.question(), name) > 0);
            if branded && !scope.branded {
                count.left_out += 1;
                continue;
            }
            questions.insert(record.question());
            count.add(file, scope.brand, record);
        }
        count.prompts = questions.len();
        count
    }

    fn add(&mut self, file: &File, brand: usize, record: &Record) {
        let owners: Vec<Option<usize>> = record.links.iter().map(|link| owner(file, link)).collect();
        let mine = owners.iter().filter(|owner| **owner == Some(brand)).count() as u64;
        let named = names(record, file.brands[brand].0);
        self.runs += 1;
        self.named += u64::from(named);
        self.cited += u64::from(mine > 0);
        self.present += u64::from(named || mine > 0);
        self.citations += mine;
        self.citations_of_all += owners.iter().flatten().count() as u64;
        // A page that is named twice is one page: it has one place, and counts once for its domain.
        let mut seen = HashSet::new();
        let pages: Vec<&super::Link> =
            record.links.iter().filter(|link| seen.insert(link.url.as_ref().unwrap_or(&link.domain))).collect();
        let first = pages.iter().position(|link| owner(file, link) == Some(brand));
        self.positions.extend(first.map(|place| place + 1));
        let engine = self.engines.entry(record.engine.clone()).or_default();
        engine.0 += 1;
        engine.1 += u64::from(mine > 0);
        let domains: Vec<String> = pages.into_iter().map(domain).collect();
        for domain in &domains {
            self.domains.entry(domain.clone()).or_default().1 += 1;
        }
        for domain in domains.into_iter().collect::<BTreeSet<_>>() {
            self.domains.entry(domain).or_default().0 += 1;
        }
    }

    /// The domains that most answers cite, then those with most links, then by name.
    pub fn top_domains(&self, most: usize) -> Vec<(&str, u64, u64)> {
        let mut domains: Vec<(&str, u64, u64)> =
            self.domains.iter().map(|(domain, (runs, links))| (domain.as_str(), *runs, *links)).collect();
        domains.sort_by(|a, b| (b.1, b.2).cmp(&(a.1, a.2)).then_with(|| a.0.cmp(b.0)));
        domains.truncate(most);
        domains
    }
}

/// The domain that one registers, by the public suffix list.
fn domain(link: &super::Link) -> String {
    let mut labels = labels(link);
    labels.reverse();
    let host = labels.join(".");
    psl::domain_str(&host).unwrap_or(&host).to_owned()
}

/// How many answers hold all these words, or their questions do.
pub fn holding(file: &File, wanted: &str) -> u64 {
    let wanted = words(wanted);
    let holds = |text: &str| {
        let words: HashSet<String> = words(text).into_iter().collect();
        wanted.iter().all(|word| words.contains(word))
    };
    let hit = |record: &&Record| holds(record.answer_text.as_deref().unwrap_or_default()) || holds(record.question());
    file.records.iter().filter(hit).count() as u64
}
