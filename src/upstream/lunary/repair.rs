//! Bodies with half an emoji in them: a text cut in JavaScript leaves a lone surrogate, which no strict parser takes.

use std::borrow::Cow;

/// The same JSON with each lone surrogate escape as the replacement character's; untouched where there is none.
pub(super) fn repair(json: &str) -> Cow<'_, str> {
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return Cow::Borrowed(json);
    }
    let mut text = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let start = at + found;
        let Some(unit) = unit_at(json, start) else {
            // Another escape: its second character is passed over, since it may be a backslash. Never half a letter.
            at = start + 1 + json.get(start + 1..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            continue;
        };
        let is_low = |unit: u16| (0xdc00..=0xdfff).contains(&unit);
        at = start + 6;
        if (0xd800..=0xdbff).contains(&unit) && unit_at(json, at).is_some_and(is_low) {
            at += 6;
        } else if (0xd800..=0xdfff).contains(&unit) {
            text.push_str(json.get(done..start).unwrap_or_default());
            text.push_str("\\ufffd");
            done = at;
        }
    }
    if done == 0 {
        return Cow::Borrowed(json);
    }
    text.push_str(json.get(done..).unwrap_or_default());
    Cow::Owned(text)
}

/// The code unit of the escape that begins here, if one does.
fn unit_at(json: &str, at: usize) -> Option<u16> {
    let hex = json.get(at..at + 6)?.strip_prefix("\\u")?;
    // `from_str_radix` would take a sign.
    hex.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn lone_halves_are_replaced_and_all_else_stays() {
        for (json, repaired) in [
            (r#""plain""#, None),
            (r#""\ud83d""#, Some(r#""\ufffd""#)),
            (r#""\uD83Dx\uDE00""#, Some(r#""\ufffdx\ufffd""#)),
            (r#""\ud83d\ude00""#, None),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            // An escaped backslash, and then four letters.
            (r#""\\ud83d""#, None),
            (r#""\\\ud83d""#, Some(r#""\\\ufffd""#)),
            (r#""é\ud83dé\nü""#, Some(r#""é\ufffdé\nü""#)),
            (r#""\ud8é""#, None),
            (r#""\ud83d"#, Some(r#""\ufffd"#)),
            (r#""\ud83d\"#, Some(r#""\ufffd\"#)),
        ] {
            assert_eq!(repair(json), repaired.unwrap_or(json), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_of_code_units_can_be_read_after_it(units in prop::collection::vec(any::<u16>(), 0..20)) {
            let json: Vec<String> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let json = json.concat();
            let read: Value = serde_json::from_str(&format!("\"{}\"", repair(&json))).unwrap();
            prop_assert_eq!(read, Value::String(String::from_utf16_lossy(&units)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\\\\udD83éx\"0-9a-f]{0,40}") {
            repair(&text);
        }
    }
}
