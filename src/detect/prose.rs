//! What a reader of Markdown sees: the words without their marks, and the links.
//!
//! The words are one text in which a line break parts what must not be read together: paragraphs, table cells, list
//! items, the inside of a link and what is around it. Marks of emphasis and of inline code leave no trace.

use super::{
    html::{self, Piece},
    offsets::Offsets,
};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

/// The words of a text, and where they stand in it.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) text: String,
    offsets: Offsets,
}

impl Words {
    /// Where a range of the words stands in the text as given.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        self.offsets.start(range.start)..self.offsets.end(range.end)
    }

    /// Adds what was read at this place of the text.
    fn push(&mut self, words: &str, text: &str, at: Range<usize>) {
        // Inline code is given with its marks around it, and a line break in it, or a quote's mark, as a space; an escaped
        // character and an entity are given as what they stand for. So word by word, where not all at once.
        let source = text.get(at.clone()).unwrap_or_default();
        let whole = if source == words { Some(0) } else { source.find(words) };
        if let Some(inside) = whole {
            self.offsets.copied(words.len(), at.start + inside);
        } else {
            let mut from = at.start;
            for (ix, word) in words.split(' ').enumerate() {
                self.offsets.made(usize::from(ix > 0), from..from);
                let rest = text.get(from..at.end).unwrap_or_default();
                if let Some(inside) = rest.find(word) {
                    self.offsets.copied(word.len(), from + inside);
                    from += inside + word.len();
                } else {
                    self.offsets.made(word.len(), from..at.end);
                }
            }
        }
        self.text.push_str(words);
    }

    /// Parts what follows from what was before.
    fn part(&mut self, at: usize) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
            self.offsets.made(1, at..at);
        }
    }
}

/// A text as a reader sees it. All places are offsets into the text as given.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) words: Words,
    /// Links made by markup, with their places: Markdown's of any kind, and HTML's.
    pub(super) links: Vec<(usize, String)>,
    /// Definitions of link targets that no link uses.
    pub(super) unused: Vec<(usize, String)>,
    /// Markdown links from end to end, in their order.
    pub(super) linked: Vec<Range<usize>>,
    /// Footnotes by their place, with the place of the first mark that leads to them.
    pub(super) notes: Vec<(Range<usize>, usize)>,
}

impl Page {
    pub(super) fn read(text: &str) -> Self {
        Reader { text, page: Self::default(), hidden: 0, notes: Vec::new(), marks: HashMap::new() }.read()
    }
}

struct Reader<'t> {
    text: &'t str,
    page: Page,
    /// How many things deep we are in what is not prose: code blocks, images, addresses as link texts.
    hidden: usize,
    notes: Vec<(Range<usize>, String)>,
    marks: HashMap<String, usize>,
}

impl Reader<'_> {
    fn read(mut self) -> Page {
        let mut events =
            Parser::new_ext(self.text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES).into_offset_iter();
        let mut used = HashSet::new();
        while let Some((event, at)) = events.next() {
            if let Event::Start(Tag::Link { link_type, id, .. }) = &event
                && !matches!(link_type, LinkType::Inline | LinkType::Autolink | LinkType::Email)
                && let Some(definition) = events.reference_definitions().get(id)
            {
                used.insert(definition.span.start);
            }
            self.event(event, at);
        }
        let mut unused: Vec<(usize, String)> = events
            .reference_definitions()
            .iter()
            .filter(|(_, definition)| !used.contains(&definition.span.start))
            .map(|(_, definition)| (definition.span.start, definition.dest.to_string()))
            .collect();
        unused.sort_unstable();
        self.page.unused = unused;
        let marks = self.marks;
        self.page.notes = self.notes.into_iter().filter_map(|(at, label)| Some((at, *marks.get(&label)?))).collect();
        self.page
    }

    fn event(&mut self, event: Event<'_>, at: Range<usize>) {
        match event {
            Event::Text(words) | Event::Code(words) if self.hidden == 0 => self.page.words.push(&words, self.text, at),
            Event::SoftBreak | Event::HardBreak if self.hidden == 0 => self.page.words.push(" ", self.text, at),
            Event::InlineHtml(_) => self.html(at),
            Event::FootnoteReference(label) => {
                self.page.words.part(at.start);
                self.marks.entry(label.to_string()).or_insert(at.start);
            }
            Event::Start(tag) => self.start(tag, at),
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {}
            Event::End(tag) => {
                if matches!(tag, TagEnd::CodeBlock | TagEnd::Image) {
                    self.hidden = self.hidden.saturating_sub(1);
                }
                self.page.words.part(at.end);
            }
            Event::Rule => self.page.words.part(at.start),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, at: Range<usize>) {
        match tag {
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough => return,
            Tag::CodeBlock(_) | Tag::Image { .. } => self.hidden += 1,
            Tag::HtmlBlock => self.html(at.clone()),
            Tag::FootnoteDefinition(label) => self.notes.push((at.clone(), label.to_string())),
            // A link in an image's description is none.
            Tag::Link { dest_url, .. } if self.hidden == 0 => {
                self.page.links.push((at.start, dest_url.into_string()));
                self.page.linked.push(at.clone());
            }
            _ => {}
        }
        self.page.words.part(at.start);
    }

    fn html(&mut self, at: Range<usize>) {
        let Some(source) = self.text.get(at.clone()).filter(|_| self.hidden == 0) else { return };
        for piece in html::pieces(source) {
            match piece {
                Piece::Text(range) => {
                    let place = at.start + range.start..at.start + range.end;
                    self.page.words.push(source.get(range).unwrap_or_default(), self.text, place);
                }
                Piece::Tag(range) => {
                    let place = at.start + range.start;
                    self.page.words.part(place);
                    let href = source.get(range).and_then(html::href);
                    self.page.links.extend(href.map(|url| (place, url)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        Page::read(text).words.text
    }

    #[test]
    fn words_are_what_a_reader_sees() {
        for (text, seen) in [
            ("**Ac**me and _Bolt_", "Acme and Bolt\n"),
            ("One\nline", "One line\n"),
            ("AT&amp;T \\*", "AT&T *\n"),
            ("See [Acme](https://a.example) now", "See \nAcme\n now\n"),
            ("![Acme logo](x.png) here", " here\n"),
            ("`acme --fix`", "acme --fix\n"),
            ("```\nAcme\n```\nafter", "after\n"),
            ("text\n\n    Acme\n\nafter", "text\nafter\n"),
            ("<https://acme.example> x", "https://acme.example\n x\n"),
            ("| a | b |\n|---|---|\n| c | d |", "a\nb\nc\nd\n"),
            ("<div title=\"Acme\">Bolt</div>", "Bolt\n"),
            ("a <b class=\"Acme\">c</b>", "a \nc\n"),
        ] {
            assert_eq!(words(text), seen, "{text}");
        }
    }

    #[test]
    fn every_kind_of_link_is_seen_and_images_are_not() {
        let page = Page::read(
            "[a](https://1.example) ![i](https://no.example) [b][r] [r] <https://2.example> \
             <a href='https://4.example'>d</a>\n\n[r]: https://3.example\n[s]: https://5.example",
        );
        let urls: Vec<&str> = page.links.iter().map(|(_, url)| url.as_str()).collect();
        let three = "https://3.example";
        assert_eq!(urls, ["https://1.example", three, three, "https://2.example", "https://4.example"]);
        assert_eq!(page.unused.len(), 1);
        assert_eq!(page.unused[0].1, "https://5.example");
    }
}
