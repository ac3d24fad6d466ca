//! Holds to: whatever an answer says, mentions and links lie inside of it on whole characters, and what is passed on of
//! it (whole, in pieces, as a line, as an excerpt) is bounded and holds nothing hidden, no image and no HTML.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use support::assert_shown;
use visibility_mcp::{
    detect::{Detector, Words, cited_urls, group_key, links, sentence_around, sentences},
    mcp::quote::{Quoted, chars_shown, clean, cost, excerpt, line},
    model::{Brand, BrandKey, BrandKind},
};

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| {
    let brand = |name: &str, aliases: &[&str], excluded: &[&str]| Brand {
        key: BrandKey(name.to_lowercase()),
        name: name.to_owned(),
        kind: BrandKind::Competitor,
        domains: vec![format!("{}.example", name.to_lowercase())],
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        exact: vec![],
        excluded: excluded.iter().map(|phrase| (*phrase).to_owned()).collect(),
    };
    Detector::of(&[
        brand("Acme", &["ACME Corp", "アクメ", "é"], &["acme street"]),
        brand("Umbra", &["um-bra", "삼성", "小米", "Booking.com"], &[]),
        brand("Å", &["A\u{30a}b", "O'Neil", "<b>"], &[]),
    ])
});

fuzz_target!(|data: &[u8]| {
    let Some((&size, data)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(data);
    let text: &str = &text;
    check_reading(text);
    check_showing(text, usize::from(size));
});

fn check_reading(text: &str) {
    let mut end = 0;
    for mention in DETECTOR.mentions(text) {
        assert!(mention.start >= end && mention.start < mention.end, "{mention:?} in {text:?}");
        assert!(text.get(mention.start..mention.end).is_some(), "{mention:?} in {text:?}");
        let sentence = sentence_around(text, mention.start..mention.end);
        assert!(sentence.start <= mention.start && mention.end <= sentence.end, "{sentence:?} of {mention:?}");
        assert!(text.get(sentence.clone()).is_some_and(|words| words.len() <= mention.end - mention.start + 608));
        end = mention.end;
    }
    let found = links(text);
    for link in &found {
        assert!(text.is_char_boundary(link.start) && link.start < text.len(), "{link:?} in {text:?}");
        assert!(!link.url.is_empty() && link.url.len() <= 4_096, "{link:?}");
        let _ = (DETECTOR.owner(&link.url), group_key(&link.url));
    }
    let urls: Vec<String> = found.into_iter().map(|link| link.url).collect();
    assert_eq!(cited_urls(text, &urls), urls, "what is cited already is not cited beside");
    let facts = DETECTOR.facts(text, urls.iter().map(String::as_str));
    assert!(facts.iter().all(|fact| fact.mentions > Some(0) || fact.citations > Some(0)), "{facts:?}");
    let _ = DETECTOR.owner(text);
    assert!(sentences(text).iter().all(|sentence| text.contains(sentence)));
    if let Some(at) = Words::of(text.get(..text.floor_char_boundary(20)).unwrap()).first_in(text) {
        assert!(text.get(at).is_some());
    }
}

fn check_showing(text: &str, size: usize) {
    let whole = clean(text);
    assert_shown(&whole);
    assert_eq!(clean(&whole), whole);
    assert_eq!(chars_shown(text), whole.chars().count());

    let one = line(text, size);
    assert_shown(&one);
    assert!(one.chars().count() <= size && !one.contains(['\n', '\t']), "{one:?}");

    let around = excerpt(text, size..size + 7, size);
    assert_shown(&around);
    assert!(around.chars().count() <= size, "{around:?}");

    // The pieces together are the whole, but for joiners at their edges.
    let bare = |text: &str| text.replace(['\u{200d}', '\u{fe0f}'], "");
    let (mut offset, mut pieces) = (Some(0), String::new());
    while let Some(at) = offset {
        let piece = Quoted::at(text, at, size.max(16));
        assert_shown(piece.text());
        assert!(cost(piece.text()) <= size.max(16));
        assert!(piece.next_offset().is_none_or(|next| next > at), "{piece:?}");
        pieces += piece.text();
        offset = piece.next_offset();
        // Each piece reads from the beginning: a few of a long text will do.
        if at > 512 {
            return;
        }
    }
    assert_eq!(bare(&pieces), bare(&whole));
}
