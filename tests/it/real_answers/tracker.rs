//! The data as a tracker's API gives it: a file is a universe, an answer is a row.

use super::{File, Record};
use std::{collections::BTreeMap, sync::Arc};
use visibility_mcp::{
    demo::{
        verseodin::{PromptRow, TrackedBrand, Tracker, Universe},
        world::Take,
    },
    model::Day,
};

/// The files, and for each the number of every question. A question that an engine was asked several times a day has
/// as many numbers, as a tracker's user would have to enter it several times.
pub struct Served {
    files: Arc<Vec<File>>,
    universes: Vec<Universe>,
    numbers: Vec<BTreeMap<(String, usize), u32>>,
}

impl Served {
    pub fn new(files: Arc<Vec<File>>) -> Self {
        let mut universes = Vec::new();
        let mut numbers = Vec::new();
        for file in files.iter() {
            let mut keys: Vec<(String, usize)> = keyed(file).into_iter().map(|(key, _)| key).collect();
            keys.sort();
            keys.dedup();
            let brand = |(name, domain): &(&str, &str)| TrackedBrand {
                name: (*name).to_owned(),
                website: format!("https://www.{domain}/"),
                tokens: Vec::new(),
            };
            let mut brands = file.brands.iter().map(brand);
            let own = brands.next().unwrap();
            universes.push(Universe {
                universe_name: file.name.to_owned(),
                prompts: keys.iter().map(|(question, _)| question.clone()).collect(),
                ..Universe::new(file.name, own, brands.collect())
            });
            numbers.push(keys.into_iter().zip(1..).collect());
        }
        Self { files, universes, numbers }
    }

    fn place(&self, universe: &str) -> usize {
        self.universes.iter().position(|known| known.id == universe).unwrap()
    }
}

/// Every record with its question and how often that was asked of this engine on this day before.
fn keyed(file: &File) -> Vec<((String, usize), &Record)> {
    let mut asked: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let key = |record: &'_ Record, before: usize| (record.question().to_owned(), before);
    file.records
        .iter()
        .map(|record| {
            let before = asked.entry((record.day(), &record.engine, record.question())).or_default();
            *before += 1;
            (key(record, *before - 1), record)
        })
        .collect()
}

/// The host of a link, without `www.`.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#', ':']).unwrap_or(rest.len());
    let host = rest[..end].to_lowercase();
    host.strip_prefix("www.").map_or(host.clone(), str::to_owned)
}

fn is_of(url: &str, domain: &str) -> bool {
    let host = host(url);
    host == domain || host.ends_with(&format!(".{domain}"))
}

/// How often a text has the name as a word by itself; where the text is withheld, whether the data lists the name.
fn mentions(record: &Record, name: &str) -> u32 {
    let name = name.to_lowercase();
    let Some(text) = &record.answer_text else {
        return u32::from(record.brands.iter().any(|brand| brand.name.to_lowercase() == name));
    };
    let text = text.to_lowercase();
    let ends = |part: Option<char>| !part.is_some_and(char::is_alphanumeric);
    let alone = |at: usize| ends(text[..at].chars().next_back()) && ends(text[at + name.len()..].chars().next());
    u32::try_from(text.match_indices(&name).filter(|(at, _)| alone(*at)).count()).unwrap()
}

impl Tracker for Served {
    fn universes(&self) -> Vec<Universe> {
        self.universes.clone()
    }

    fn days(&self, universe: &str) -> Vec<Day> {
        let mut days: Vec<Day> =
            self.files[self.place(universe)].records.iter().map(|record| record.day().parse().unwrap()).collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    fn rows(&self, universe: &str, day: Day, _: Take) -> Vec<PromptRow> {
        let place = self.place(universe);
        let (file, universe, numbers) = (&self.files[place], &self.universes[place], &self.numbers[place]);
        let of_day = day.to_string();
        keyed(file)
            .into_iter()
            .filter(|(_, record)| record.day() == of_day)
            .map(|(key, record)| row(file, universe, day, numbers[&key], record))
            .collect()
    }
}

fn row(file: &File, universe: &Universe, day: Day, number: u32, record: &Record) -> PromptRow {
    let links: Vec<String> = record
        .links
        .iter()
        .map(|link| link.url.clone().unwrap_or_else(|| format!("https://{}/", link.domain)))
        .collect();
    let of = |domain: &str| links.iter().filter(|url| is_of(url, domain)).cloned().collect::<Vec<_>>();
    let mine = of(file.brands[0].1);
    let rivals = links.iter().filter(|url| file.brands.iter().skip(1).any(|(_, domain)| is_of(url, domain)));
    let rivals: Vec<String> = rivals.cloned().collect();
    let mut unique: Vec<String> = Vec::new();
    for url in &links {
        if !unique.contains(url) {
            unique.push(url.clone());
        }
    }
    let asked = PromptRow::pending(universe, day, &record.engine, number, record.question());
    PromptRow {
        created_at: record.captured_at.parse().unwrap_or_else(|_| day.start()),
        status: "completed".to_owned(),
        response_text: record.answer_text.clone(),
        total_citations_count: links.len(),
        my_domain_citations_count: mine.len(),
        my_brand_mentions_count: mentions(record, file.brands[0].0),
        my_citations: Some(mine),
        competitor_citations: Some(rivals),
        appeared_links_unique: unique,
        appeared_links: links,
        model_used: record.model.clone(),
        ..asked
    }
}
