//! Writes an answer and keeps the books while writing: every naming and every URL passes through one function.
//!
//! URLs are counted as often as they are written. Footnote marks are written once each, in the order of their
//! definitions, so that the order of marks and the order of URLs agree.

use super::{
    cast::WorldBrand,
    engines::LinkStyle,
    links::Planned,
    themes::{CLOSINGS, ODD_LINES, OPENINGS, Theme},
};
use crate::demo::rng::Dice;
use std::fmt::Write as _;

/// A URL in an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorldCitation {
    /// The URL as it is written.
    pub url: String,
    /// The brand whose site it is, by index in the project.
    pub brand: Option<usize>,
}

/// A brand named in an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorldMention {
    /// The brand, by index in the project.
    pub brand: usize,
    /// How often the prose names it.
    pub count: u32,
}

/// What there is to write.
pub(super) struct Brief<'w> {
    pub(super) theme: &'w Theme,
    pub(super) brands: &'w [WorldBrand],
    /// Brands to name, in order.
    pub(super) named: Vec<usize>,
    /// URLs to cite, in order.
    pub(super) links: Vec<Planned<'w>>,
    pub(super) style: LinkStyle,
    pub(super) table: bool,
    pub(super) odd: bool,
    /// Bytes aimed at, prose and links together.
    pub(super) length: usize,
}

/// An answer and the truth about it.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) citations: Vec<WorldCitation>,
    pub(super) mentions: Vec<WorldMention>,
}

/// Writes what the brief asks for.
pub(super) fn write(brief: Brief<'_>, dice: Dice) -> Answer {
    let mut scribe = Scribe {
        theme: brief.theme,
        brands: brief.brands,
        style: brief.style,
        dice,
        text: String::with_capacity(brief.length + 512),
        links: brief.links.into_iter(),
        citations: Vec::new(),
        mentions: Vec::with_capacity(brief.named.len()),
        definitions: String::new(),
    };
    let opening = scribe.dice.phrase(OPENINGS);
    scribe.text.push_str(opening);
    scribe.text.push_str("\n\n");
    if brief.table && brief.named.len() > 1 {
        scribe.table(&brief.named);
    } else {
        scribe.list(&brief.named);
    }
    if brief.odd {
        let line = scribe.dice.phrase(ODD_LINES);
        scribe.text.push_str(line);
        scribe.text.push_str("\n\n");
    }
    scribe.decoys();
    scribe.facts(brief.length);
    scribe.conclude(&brief.named);
    scribe.sources();
    Answer { text: scribe.text, citations: scribe.citations, mentions: scribe.mentions }
}

struct Scribe<'w> {
    theme: &'w Theme,
    brands: &'w [WorldBrand],
    style: LinkStyle,
    dice: Dice,
    text: String,
    links: std::vec::IntoIter<Planned<'w>>,
    citations: Vec<WorldCitation>,
    mentions: Vec<WorldMention>,
    /// Footnote definitions, written at the end.
    definitions: String,
}

impl Scribe<'_> {
    /// Names a brand: the only place that writes one, and counts it.
    fn name(&mut self, brand: usize) {
        let Some(cast) = self.brands.get(brand) else { return };
        let throw = self.dice.below(100);
        match throw {
            0..12 if !cast.aliases.is_empty() => {
                let alias = self.dice.pick(&cast.aliases).map_or("", String::as_str);
                self.text.push_str(alias);
            }
            12..14 => self.text.extend(cast.name.chars().flat_map(char::to_uppercase)),
            _ => self.text.push_str(&cast.name),
        }
        match self.mentions.iter_mut().find(|mention| mention.brand == brand) {
            Some(mention) => mention.count += 1,
            None => self.mentions.push(WorldMention { brand, count: 1 }),
        }
    }

    /// Writes the next URL, if one is left, in the engine's style: the only place that writes one, and lists it.
    fn cite(&mut self) {
        // Engines that list their sources write them all at the end.
        if self.style == LinkStyle::List {
            return;
        }
        let Some(link) = self.links.next() else { return };
        let number = self.citations.len() + 1;
        // Writing to a string cannot fail.
        let _ = match self.style {
            LinkStyle::Inline | LinkStyle::List => write!(self.text, " ([{}]({}))", link.label, link.url),
            LinkStyle::Footnotes => {
                let _ = write!(self.definitions, "[{number}]: {}", link.url);
                // Some definitions carry the page's title.
                self.definitions.push_str(if number.is_multiple_of(3) { " \"A page about it\"\n" } else { "\n" });
                write!(self.text, " [{number}]")
            }
            LinkStyle::Bare => match number % 4 {
                0 => write!(self.text, " <{}>", link.url),
                1 => write!(self.text, " ({})", link.url),
                2 => write!(self.text, " Source: {}.", link.url),
                _ => write!(self.text, " – {}", link.url),
            },
        };
        self.citations.push(WorldCitation { url: link.url, brand: link.brand });
    }

    /// The brands one below the other, or one after the other.
    fn list(&mut self, named: &[usize]) {
        let shape = self.dice.below(3);
        for (i, brand) in named.iter().enumerate() {
            match shape {
                0 => {
                    let _ = write!(self.text, "{}. **", i + 1);
                    self.name(*brand);
                    self.text.push_str("** – ");
                }
                1 => {
                    self.text.push_str("- **");
                    self.name(*brand);
                    self.text.push_str("**: ");
                }
                _ => {
                    self.name(*brand);
                    // Copied from a page, a name is often followed by a no-break space.
                    self.text.push(if self.dice.below(12) == 0 { '\u{a0}' } else { ' ' });
                }
            }
            let praise = self.dice.phrase(self.theme.praise);
            self.text.push_str(praise);
            self.text.push('.');
            self.cite();
            if self.dice.below(10) < 4 {
                self.text.push(' ');
                self.aside(*brand);
            }
            self.text.push_str(if shape == 2 { " " } else { "\n" });
        }
        self.text.push_str("\n\n");
    }

    /// The brands in a Markdown table.
    fn table(&mut self, named: &[usize]) {
        self.text.push_str("| Name | In short | More |\n|---|---|---|\n");
        for brand in named {
            self.text.push_str("| ");
            self.name(*brand);
            let praise = self.dice.phrase(self.theme.praise);
            let _ = write!(self.text, " | {praise} |");
            self.cite();
            self.text.push_str(" |\n");
        }
        self.text.push('\n');
    }

    /// A sentence about a brand.
    fn aside(&mut self, brand: usize) {
        let (before, after) = self.dice.pick(self.theme.asides).copied().unwrap_or_default();
        self.text.push_str(before);
        self.name(brand);
        self.text.push_str(after);
    }

    /// Now and then, what looks like a naming and is none: an e-mail address, a longer word.
    fn decoys(&mut self) {
        let throw = self.dice.below(40);
        let Some(brand) = self.dice.pick(self.brands) else { return };
        let _ = match throw {
            0 => write!(self.text, "Questions? Write to help@{}.\n\n", brand.domain),
            1 => write!(self.text, "Some shops call any such thing a “{}ish” one.\n\n", brand.slug()),
            _ => return,
        };
    }

    /// Advice without names, up to the length aimed at.
    fn facts(&mut self, length: usize) {
        // What is still to be written below: the remaining links and the closing words.
        let rest = 180 + self.links.len() * 70 + self.definitions.len();
        let start = self.dice.below(self.theme.facts.len());
        let mut heading = true;
        for i in 0.. {
            if self.text.len() + rest >= length || i >= 40 {
                break;
            }
            if heading && i % 5 == 0 {
                self.text.push_str(if i == 0 { "### What to look for\n\n" } else { "\n\n### Also good to know\n\n" });
                heading = i == 0;
            }
            let fact = self.theme.facts.get((start + i) % self.theme.facts.len()).copied().unwrap_or_default();
            self.text.push_str(fact);
            if self.dice.below(5) == 0 {
                self.cite();
            }
            self.text.push_str(if i % 3 == 2 { "\n\n" } else { " " });
        }
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str("\n\n");
    }

    fn conclude(&mut self, named: &[usize]) {
        if let Some(first) = named.first().copied().filter(|_| self.dice.below(3) == 0) {
            self.text.push_str("**Bottom line:** ");
            self.aside(first);
            self.text.push_str("\n\n");
        }
        let closing = self.dice.phrase(CLOSINGS);
        self.text.push_str(closing);
    }

    /// The links that found no place so far, then the definitions of footnotes.
    fn sources(&mut self) {
        if self.links.len() > 0 {
            self.text.push_str("\n\nSources:");
        }
        match self.style {
            LinkStyle::Inline | LinkStyle::List => {
                for link in self.links.by_ref() {
                    let _ = write!(self.text, "\n- [{}]({})", link.label, link.url);
                    self.citations.push(WorldCitation { url: link.url, brand: link.brand });
                }
            }
            LinkStyle::Footnotes => {
                while self.links.len() > 0 {
                    self.cite();
                }
                if !self.definitions.is_empty() {
                    self.text.push_str("\n\n");
                    self.text.push_str(self.definitions.trim_end());
                }
            }
            LinkStyle::Bare => {
                while self.links.len() > 0 {
                    self.text.push('\n');
                    self.cite();
                }
            }
        }
    }
}
