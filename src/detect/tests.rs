//! The rules of the module's page, one by one, and what holds for any text whatever.

use super::*;
use crate::model::{Brand, BrandKey, BrandKind};
use proptest::prelude::*;

fn brand(key: &str, name: &str, aliases: &[&str]) -> Brand {
    let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
    Brand {
        key: BrandKey(key.into()),
        name: name.into(),
        kind: BrandKind::Other,
        domains: vec![format!("{key}.com")],
        aliases,
        exact: vec![],
        excluded: vec![],
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// What is named, as it stands in the text, with the brands' keys.
fn named<'t>(brands: &[Brand], text: &'t str) -> Vec<(&'t str, String)> {
    let detector = Detector::of(brands);
    let mentions = detector.mentions(text);
    mentions.into_iter().map(|mention| (&text[mention.start..mention.end], mention.brand.0.clone())).collect()
}

fn spellings<'t>(brands: &[Brand], text: &'t str) -> Vec<&'t str> {
    named(brands, text).into_iter().map(|(spelling, _)| spelling).collect()
}

#[test]
fn names_in_questions_are_whole_words_in_any_case() {
    let brand = brand("a", "Acme", &["Café Zwei", "X"]);
    let names = Detector::of(&[brand]);
    for text in ["Is ACME good?", "acme's best", "(acme)", "das CAFÉ ZWEI am Eck"] {
        assert!(!names.mentions(text).is_empty(), "{text}");
    }
    for text in ["acmeology", "placme", "x", "", "café drei"] {
        assert!(names.mentions(text).is_empty(), "{text}");
    }
}

#[test]
fn the_longest_spelling_that_stands_as_a_word_wins() {
    let brands = [brand("acme", "Acme", &[]), brand("pro", "Acme Pro", &[]), brand("fit", "Pro Fit", &[])];
    let expected = [("Acme Pro", "pro".to_owned()), ("Acme", "acme".to_owned()), ("Pro Fit", "fit".to_owned())];
    assert_eq!(named(&brands, "Acme Pro, Acme Products and Pro Fit"), expected);
    assert_eq!(spellings(&brands, "Acme Pro Fit"), ["Acme Pro"], "the leftmost wins");
}

#[test]
fn a_spelling_of_two_brands_is_that_of_the_first_key_in_whatever_order() {
    let (one, two) = (brand("1", "Delta", &[]), brand("2", "Delta", &["Delta Air Lines"]));
    for brands in [[one.clone(), two.clone()], [two, one]] {
        assert_eq!(named(&brands, "Delta"), [("Delta", "1".to_owned())]);
    }
}

#[test]
fn excluded_phrases_shield_what_they_cover() {
    let brands = [
        Brand { excluded: words(&["apple pie", "blood orange"]), ..brand("apple", "Apple", &[]) },
        brand("orange", "Orange", &[]),
        brand("pie", "Apple Pie Works", &[]),
    ];
    assert_eq!(spellings(&brands, "Apple’s apple  pie, a blood orange"), ["Apple"]);
    assert_eq!(spellings(&brands, "apple pies by Apple Pie Works"), ["apple", "Apple Pie Works"]);
}

#[test]
fn an_exact_spelling_counts_in_its_forms_alone() {
    let brands = [Brand { exact: words(&["Gap", "GAP"]), ..brand("gap", "Gap", &["Gap Inc"]) }];
    assert_eq!(spellings(&brands, "Gap, GAP, gap, gAP and gap inc"), ["Gap", "GAP", "gap inc"]);
    let brands = [Brand { excluded: words(&["meta"]), ..brand("meta", "Meta", &["Meta AI"]) }];
    assert_eq!(spellings(&brands, "Meta and Meta AI"), ["Meta AI"], "a spelling can be switched off");
}

#[test]
fn addresses_name_nobody_unless_the_brand_is_called_so() {
    let brands = [brand("acme", "Acme", &[]), brand("booking", "Booking.com", &["Booking"])];
    for text in [
        "https://acme.com/acme",
        "www.acme.com",
        "sales@acme.com",
        "acme.com",
        "docs.acme.com/acme",
        "@acme",
        "[site](https://acme.com/acme \"Acme\")",
        "[1]: https://acme.com \"Acme\"",
        "![Acme](acme.png)",
        "<img alt=\"Acme\" src=acme>",
        "booking.com/hotel",
        "a@booking.com",
    ] {
        assert_eq!(spellings(&brands, text), [""; 0], "{text}");
    }
    assert_eq!(spellings(&brands, "Booking.com's and booking.com."), ["Booking.com", "booking.com"]);
    assert_eq!(spellings(&brands, "Booking.Com is #Acme"), ["Booking.Com", "Acme"]);
}

#[test]
fn markup_does_not_hide_a_name() {
    let brands = [brand("acme", "Acme Pro", &["Acme", "AT&T"])];
    for (text, found) in [
        ("**Acme**", "Acme"),
        ("_Acme_", "Acme"),
        ("**Ac**me's", "Ac**me"),
        ("[Acme](https://acme.com)s", "Acme"),
        ("Acme[1](https://acme.com)", "Acme"),
        ("`acme`", "acme"),
        ("`\nAcme Products`", "Acme"),
        ("**Acme** Pro", "Acme** Pro"),
        ("> Acme\n> Pro", "Acme\n> Pro"),
        ("AT&amp;T!", "AT&amp;T"),
        ("# Acme\nPro", "Acme"),
        ("|Acme|Pro|\n|-|-|", "Acme"),
    ] {
        assert_eq!(spellings(&brands, text), [found], "{text}");
    }
    for text in ["```\nAcme\n```", "    Acme", "my_acme_key", "Acme**s**"] {
        assert_eq!(spellings(&brands, text), [""; 0], "{text}");
    }
}

#[test]
fn a_domain_owns_what_is_below_it_and_the_longest_wins() {
    let brands = [
        brand("acme", "Acme", &[]),
        Brand { domains: words(&["https://www.shop.acme.com/", "bücher.example"]), ..brand("shop", "Shop", &[]) },
    ];
    let detector = Detector::of(&brands);
    for (url, owner) in [
        ("https://acme.com/x", Some("acme")),
        ("https://eu.shop.acme.com", Some("shop")),
        ("http://xn--bcher-kva.example/", Some("shop")),
        ("https://notacme.com", None),
        ("https://acme.com.evil.example", None),
        ("not a url", None),
    ] {
        assert_eq!(detector.owner(url).map(|key| key.0.as_str()), owner, "{url}");
    }
}

#[test]
fn facts_are_counts_places_and_ranks() {
    let brands = [brand("a", "Acme", &[]), brand("b", "Bolt", &[]), brand("c", "Core", &[]), brand("d", "Dyne", &[])];
    let facts = Detector::of(&brands).facts(
        "Core, then Acme and core again",
        ["https://x.example", "https://b.com/1", "https://a.com", "https://b.com/2"],
    );
    let all = facts.iter().map(|fact| {
        (fact.brand.0.as_str(), fact.mentions, fact.citations, fact.best_citation_position, fact.mention_rank)
    });
    assert_eq!(
        all.collect::<Vec<_>>(),
        [
            ("a", Some(1), Some(1), Some(3), Some(2)),
            ("b", Some(0), Some(2), Some(2), None),
            ("c", Some(2), Some(0), None, Some(1)),
        ]
    );
}

#[test]
fn the_stamp_changes_with_what_matters_and_with_nothing_else() {
    let (one, two) = (brand("a", "Acme", &["Ac", "Me"]), brand("b", "Bolt", &[]));
    let stamp = |brands: &[Brand]| Detector::of(brands).stamp();
    let first = stamp(&[one.clone(), two.clone()]);
    assert_eq!(stamp(&[two.clone(), one.clone()]), first);
    let turned = Brand { aliases: words(&["Me", "Ac"]), kind: BrandKind::Own, ..one.clone() };
    assert_eq!(stamp(&[turned, two.clone()]), first);
    for other in [
        Brand { key: BrandKey("c".into()), ..one.clone() },
        Brand { name: "Akme".into(), ..one.clone() },
        Brand { aliases: words(&["Ac"]), ..one.clone() },
        Brand { exact: words(&["Ac"]), ..one.clone() },
        Brand { excluded: words(&["Ac"]), ..one.clone() },
        Brand { domains: vec![], ..one },
    ] {
        assert_ne!(stamp(&[other.clone(), two.clone()]), first, "{other:?}");
    }
}

#[test]
fn a_detector_can_be_shared() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Detector>();
    assert_eq!(Detector::of(&[]).mentions("Acme"), []);
}

#[test]
fn hostile_texts_are_read_in_linear_time() {
    let brands = [brand("a", "aa", &["aaaa", "aa aa", "a.a"]), brand("acme", "Acme", &[])];
    let detector = Detector::of(&brands);
    let started = std::time::Instant::now();
    for unit in [
        "[",
        "> ",
        "*a ",
        "![a",
        "[a](",
        "`a``",
        "<a ",
        "<a href=\"x",
        "aa",
        "aa ",
        "a.",
        "a@",
        "a:",
        "://",
        "aa\u{301}",
        "’",
        "\0",
        "\\",
        "&amp;",
        "- a\n  ",
        "[^1]: ",
        "[^a]\n\n[^a]: aa\n\n",
        "|a|b\n|-|-\n",
        "<!-- ",
        "<script>",
        "https://(",
        "www.a.",
        "(a@a.com",
        "한",
        "은",
        "e\u{301}\u{301}",
        "\u{200B}",
        "Acme ",
        "https://a.com/aa ",
        "<div>\naa ",
        "@",
    ] {
        let text = unit.repeat(400_000 / unit.len());
        assert!(detector.facts(&text, []).len() <= 2);
        assert!(links(&text).len() <= text.len());
        let middle = text.len() / 2;
        assert!(text.get(sentence_around(&text, middle..middle + 1)).is_some());
    }
    // Forty texts of 400 kB: a quadratic step among them would take minutes.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// Pieces of which texts are made that look like answers, or like nothing at all.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "Acme",
            "acme",
            "Acme Pro",
            "ACME",
            "Bolt",
            "Éclair",
            "e\u{301}clair",
            "小米",
            "삼성",
            "은",
            "İstanbul",
            " ",
            "  ",
            "\n",
            "\n\n",
            "**",
            "_",
            "`",
            "```\n",
            "[",
            "](",
            ")",
            "https://acme.com",
            "www.bolt.com/x",
            "@",
            ".",
            ",",
            "'s",
            "’",
            "-",
            "|",
            "# ",
            "> ",
            "- ",
            "1. ",
            "<a href=\"",
            "\">",
            "&amp;",
            "\u{200B}",
            "\u{A0}",
            "\u{301}",
            "s",
            "\0",
            "[^1]",
            "[^1]: ",
            "[a]: ",
            "    ",
            "!",
            "Acme Products",
            "acme pie",
            "ß",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn roster() -> Vec<Brand> {
    vec![
        Brand { excluded: words(&["acme pie"]), ..brand("acme", "Acme", &["Acme Pro"]) },
        brand("eclair", "Éclair", &[]),
        brand("mi", "小米", &[]),
        brand("samsung", "삼성", &[]),
        Brand { exact: words(&["İstanbul"]), ..brand("istanbul", "İstanbul", &[]) },
    ]
}

proptest! {
    #[test]
    fn mentions_are_spellings_in_order_and_apart(text in text()) {
        let detector = Detector::of(&roster());
        let mut free = 0;
        for mention in detector.mentions(&text) {
            prop_assert!(free <= mention.start && mention.start < mention.end);
            let found = text.get(mention.start..mention.end).expect("offsets are between characters");
            // Read by itself, without what markup it holds.
            let inner: String = found.replace(['*', '_', '`', '>'], "").split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(fold::key(&inner), fold::key(mention.alias), "{}", found);
            free = mention.end;
        }
        let for_one = Detector::of_one_text(&roster());
        prop_assert_eq!(for_one.mentions(&text), detector.mentions(&text));
    }

    #[test]
    fn nothing_panics_on_any_text(text in any::<String>(), from in 0usize..64, len in 0usize..64) {
        let detector = Detector::of(&roster());
        detector.facts(&text, [text.as_str()]);
        for link in links(&text) {
            prop_assert!(text.is_char_boundary(link.start) && link.url.len() <= 4_096);
        }
        let sentence = sentence_around(&text, from..from + len);
        prop_assert!(text.get(sentence).is_some());
        prop_assert!(!group_key(&text).is_empty());
    }

    #[test]
    fn links_are_in_order_and_each_page_is_one(text in text()) {
        let found = links(&text);
        prop_assert!(found.is_sorted_by_key(|link| link.start));
        let keys: std::collections::HashSet<String> = found.iter().map(|link| group_key(&link.url)).collect();
        prop_assert_eq!(keys.len(), found.len());
    }

    #[test]
    fn brands_with_other_spellings_change_nothing(text in text(), turn in 0usize..5) {
        let without = Detector::of(&roster());
        let mut brands = roster();
        brands.rotate_left(turn);
        brands.push(brand("a-bolt", "Bolt", &["zzz"]));
        let with = Detector::of(&brands);
        let others: Vec<Mention<'_>> =
            with.mentions(&text).into_iter().filter(|mention| mention.brand.0 != "a-bolt").collect();
        prop_assert_eq!(others, without.mentions(&text));
    }
}
