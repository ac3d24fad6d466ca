//! Opaque texts that can be looked into: global ids hold a plain one, cursors an offset.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};

const LENIENT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
const MAX_ID: usize = 128;

/// Is it an id that may stand in keys and messages?
pub(super) fn is_id(text: &str) -> bool {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"-_=+/.:".contains(&b);
    !text.is_empty() && text.len() <= MAX_ID && text.bytes().all(harmless)
}

/// The plain number at the end of a global id, such as `12345` of `N007Account12345`.
pub(super) fn raw_id(id: &str) -> Option<String> {
    let text = decode(id)?;
    let start = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    text.get(start..).filter(|number| !number.is_empty()).map(str::to_owned)
}

/// The cursor of the row before this one's; none where cursors are no offsets.
pub(super) fn cursor_before(cursor: &str) -> Option<String> {
    let offset: u64 = decode(cursor)?.parse().ok()?;
    // Written as they write it: without padding.
    Some(encode(&offset.checked_sub(1)?.to_string()))
}

/// Both alphabets occur, with padding and without.
fn decode(text: &str) -> Option<String> {
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let text = String::from_utf8(LENIENT.decode(text).ok()?).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

fn encode(text: &str) -> String {
    LENIENT.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_offsets_in_base64() {
        for (cursor, before) in
            [("Mg", Some("MQ")), ("MTAw", Some("OTk")), ("MTAw==", Some("OTk")), ("MA", None), ("x!", None), ("", None)]
        {
            assert_eq!(cursor_before(cursor).as_deref(), before, "{cursor}");
        }
        for offset in [0, 7, 42, 123, 4_567, 89_012, 345_678] {
            assert_eq!(decode(&encode(&format!("{offset}"))), Some(offset.to_string()));
        }
        assert_eq!(cursor_before(&encode("cursor:7")), None);
    }

    #[test]
    fn a_global_id_ends_with_the_plain_one() {
        for (id, raw) in [
            ("TjAwN0FjY291bnQxMjM0NQ", Some("12345")),
            ("TjAxOEFpVmlzaWJpbGl0eVByb21wdDE", Some("1")),
            ("QWlWaXNpYmlsaXR5UHJvbXB0MQ", Some("1")),
            ("TjAwN0FjY291bnQ", None),
            ("%%", None),
        ] {
            assert_eq!(raw_id(id).as_deref(), raw, "{id}");
        }
    }

    #[test]
    fn an_id_has_no_blanks_or_quotes() {
        assert!(is_id("TjAwN0FjY291bnQxMjM0NQ") && is_id("12345"));
        assert!(!is_id("") && !is_id("a b") && !is_id("a\"b") && !is_id(&"a".repeat(200)));
    }
}
