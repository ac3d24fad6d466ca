//! Values as upstreams really send them, and text that no upstream should send.

use super::*;
use proptest::prelude::*;

const ROW: Contract = Contract { record: "Row", promised: &["a", "b"], optional: &["c"], open: false };
const ANY: Contract = Contract { record: "Any", promised: &[], optional: &[], open: true };

fn with<T>(value: &str, read: impl FnOnce(&Fields<'_, '_>) -> T) -> (T, bool) {
    let json = format!("{{\"x\":{value}}}");
    let raw: &RawValue = serde_json::from_str(&json).unwrap();
    let drift = DriftLog::default();
    let fields = Fields::read(&ANY, raw, &drift).unwrap();
    let read = read(&fields);
    let changed = !drift.into_drifts().is_empty();
    (read, changed)
}

#[test]
fn whole_numbers() {
    let cases = [
        ("3", Some(3), false),
        ("-3", Some(-3), false),
        ("3.0", Some(3), false),
        ("3e2", Some(300), false),
        ("\"3\"", Some(3), true),
        ("\" 3.0 \"", Some(3), true),
        ("9223372036854775807", Some(i64::MAX), false),
        ("3.5", None, true),
        ("1e300", None, true),
        ("\"three\"", None, true),
        ("\"\"", None, true),
        ("true", None, true),
        ("[3]", None, true),
        ("null", None, false),
    ];
    for (value, number, changed) in cases {
        assert_eq!(with(value, |f| f.opt_integer("x")), (number, changed), "{value}");
    }
}

#[test]
fn numbers() {
    for (value, number, changed) in [
        ("1.5", Some(1.5), false),
        ("2", Some(2.0), false),
        ("\"1.5\"", Some(1.5), true),
        ("1e999", None, true),
        ("\"NaN\"", None, true),
        ("\"inf\"", None, true),
        ("{}", None, true),
    ] {
        assert_eq!(with(value, |f| f.opt_number("x")), (number, changed), "{value}");
    }
}

#[test]
fn truths() {
    for (value, truth, changed) in [
        ("true", Some(true), false),
        ("false", Some(false), false),
        ("\"True\"", Some(true), true),
        ("0", Some(false), true),
        ("1", Some(true), true),
        ("2", None, true),
        ("[]", None, true),
        ("null", None, false),
    ] {
        assert_eq!(with(value, |f| f.opt_boolean("x")), (truth, changed), "{value}");
    }
}

#[test]
fn texts() {
    for (value, text, changed) in [
        ("\"a\"", Some("a"), false),
        ("\"\"", Some(""), false),
        (r#""tab\tquote\"é\u00e9""#, Some("tab\tquote\"éé"), false),
        (r#""cut \ud83d""#, Some("cut \u{fffd}"), false),
        ("12", Some("12"), true),
        ("true", Some("true"), true),
        ("{\"a\":1}", None, true),
        ("null", None, false),
    ] {
        let (got, drifted) = with(value, |f| f.opt_text("x").map(Cow::into_owned));
        assert_eq!((got.as_deref(), drifted), (text, changed), "{value}");
    }
}

#[test]
fn instants() {
    let at = Some("2026-04-27T01:02:03Z");
    for (value, instant, changed) in [
        ("\"2026-04-27T01:02:03Z\"", at, false),
        ("\"2026-04-27T01:02:03.000000Z\"", at, false),
        ("\"2026-04-27T03:02:03+02:00\"", at, false),
        ("\"2026-04-27 01:02:03+00\"", at, false),
        ("\"2026-04-27 01:02:03\"", at, false),
        ("\"2026-04-27T01:02:03\"", at, false),
        ("\"2026-04-27\"", Some("2026-04-27T00:00:00Z"), false),
        ("1777251723", at, true),
        ("1777251723000", at, true),
        ("\"yesterday\"", None, true),
        ("\"2026-02-30T00:00:00Z\"", None, true),
        ("true", None, true),
        ("null", None, false),
    ] {
        let (got, drifted) = with(value, |f| f.opt_instant("x").map(|at| at.to_string()));
        assert_eq!((got.as_deref(), drifted), (instant, changed), "{value}");
    }
}

#[test]
fn days() {
    let day = Some("2026-04-27");
    for (value, expected, changed) in [
        ("\"2026-04-27\"", day, false),
        ("\"2026-04-27T00:00:00.000Z\"", day, false),
        ("\"2026-04-27T00:00:00+02:00\"", day, false), // the day that is written
        ("\"2026-04-27 00:00:00\"", day, false),
        ("\"27.04.2026\"", None, true),
        ("\"2026-04-27x\"", None, true),
        ("\"2026-04-2é\"", None, true),
        ("20260427", None, true),
        ("null", None, false),
    ] {
        let (got, drifted) = with(value, |f| f.opt_day("x").map(|day| day.to_string()));
        assert_eq!((got.as_deref(), drifted), (expected, changed), "{value}");
    }
}

#[test]
fn lists_of_texts() {
    for (value, expected, changed) in [
        (r#"["a","b"]"#, Some(vec!["a", "b"]), false),
        (r#"["a",null,"b"]"#, Some(vec!["a", "b"]), false),
        ("[]", Some(vec![]), false),
        (r#"[{"url":"a","title":"t"},"b",3,{"href":"c"}]"#, Some(vec!["a", "b"]), true),
        (r#""a""#, Some(vec!["a"]), true),
        (r#""""#, Some(vec![]), true),
        (r#""[\"a\",\"b\"]""#, Some(vec!["a", "b"]), true),
        (r#""[oops""#, None, true),
        ("3", None, true),
        ("null", None, false),
    ] {
        let (got, drifted) =
            with(value, |f| f.opt_texts("x").map(|texts| texts.into_iter().map(Cow::into_owned).collect::<Vec<_>>()));
        let expected = expected.map(|texts| texts.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!((got, drifted), (expected, changed), "{value}");
    }
}

#[test]
fn what_identity_needs_is_refused_with_a_plain_reason() {
    let reasons: Vec<String> = ["{}", r#"{"a":null}"#, r#"{"a":"x"}"#, r#"{"a":[]}"#]
        .iter()
        .map(|json| {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            Fields::read(&ANY, raw, &DriftLog::default()).unwrap().integer("a").unwrap_err().0
        })
        .collect();
    assert_eq!(reasons, ["`a` is missing", "`a` is null", "`a` is not a whole number", "`a` is not a whole number"]);
    assert_eq!(with("\"  \"", |f| f.word("x").map(Cow::into_owned)).0, Err(Unreadable("`x` is empty".into())));
    assert_eq!(with("\" a\\n\"", |f| f.word("x").unwrap().into_owned()).0, "a");
}

#[test]
fn drift_is_noted_once_cleaned_and_bounded() {
    let long = "n".repeat(200);
    let json = format!(r#"{{"b":1,"c":2,"new\u202e\u0007one":3,"{long}":4}}"#);
    let raw: &RawValue = serde_json::from_str(&json).unwrap();
    let drift = DriftLog::default();
    for _ in 0..3 {
        Fields::read(&ROW, raw, &drift).unwrap();
    }
    let drifts: Vec<String> =
        drift.into_drifts().iter().map(|d| format!("{} {} {}", d.record, d.field, d.kind)).collect();
    let cut = format!("Row {} new_field", "n".repeat(64));
    assert_eq!(drifts, ["Row newone new_field", cut.as_str(), "Row a missing_field"]);
}

#[test]
fn a_flood_of_new_fields_is_cut_short() {
    let fields: Vec<String> = (0..10_000).map(|i| format!("\"k{i}\":1")).collect();
    let json = format!("{{{}}}", fields.join(","));
    let raw: &RawValue = serde_json::from_str(&json).unwrap();
    let drift = DriftLog::default();
    Fields::read(&ROW, raw, &drift).unwrap();
    assert_eq!(drift.into_drifts().len(), MAX_DRIFTS);
}

#[test]
fn a_field_is_cut_out_of_the_raw_record_and_nothing_else_changes() {
    for (json, expected) in [
        (r#"{"a":1, "t" : "long \" text" ,"b":{"t":2}}"#, r#"{"a":1, "t" : null ,"b":{"t":2}}"#),
        (r#"{"t":"x","t":"y"}"#, r#"{"t":null,"t":null}"#),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"t":null}"#, r#"{"t":null}"#),
    ] {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let drift = DriftLog::default();
        assert_eq!(Fields::read(&ANY, raw, &drift).unwrap().raw_without("t"), expected);
    }
}

#[test]
fn answers_of_another_shape_are_told_without_their_text() {
    let told = |body| rows("the list", &["data", "rows"], body).unwrap_err().to_string();
    insta::assert_snapshot!(told("secret"), @"the answer to the list is not what the API documents: it is not JSON (line 1, column 1)");
    insta::assert_snapshot!(told("{\"data\":["), @"the answer to the list is not what the API documents: it ends too early (line 1, column 9)");
    insta::assert_snapshot!(told("[]"), @"the answer to the list is not what the API documents: it is not an object");
    insta::assert_snapshot!(told("{\"secret\":1}"), @"the answer to the list is not what the API documents: `data` or `rows` is missing");
    insta::assert_snapshot!(told("{\"data\":{}}"), @"the answer to the list is not what the API documents: `data` or `rows` is not a list");
    assert!(rows("the list", &["data"], "{\"data\":null}").unwrap().is_empty());
}

#[test]
fn a_rejected_row_is_bounded_at_a_character() {
    let raw = "é".repeat(5_000);
    let rejected = Unreadable("why".into()).reject(&raw);
    assert!(rejected.raw.len() <= MAX_RAW && raw.starts_with(&rejected.raw));
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
        "\"(\\\\u[dD][89a-fA-F][0-9]{2}|[a-z0-9:T .+-]|\\\\n){0,30}\"",
    ];
    leaf.prop_recursive(3, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec(("[axy]|t\\\\u0065xt|\\\\ud800", inner), 0..6).prop_map(|fields| {
                let fields: Vec<String> =
                    fields.into_iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn strings_are_read_as_any_parser_reads_them(text in any::<String>(), ascii in any::<bool>()) {
        let mut json = serde_json::to_string(&text).unwrap().replace('/', "\\/");
        if ascii {
            let escape = |c: char| if c.is_ascii() { c.to_string() } else {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat()
            };
            json = json.chars().map(escape).collect::<String>();
        }
        prop_assert_eq!(value::text(&json), Some((Cow::Owned(text), true)));
    }

    #[test]
    fn no_json_makes_the_reader_panic(text in prop_oneof![json(), any::<String>()]) {
        let Ok(raw) = serde_json::from_str::<&RawValue>(&text) else { return Ok(()) };
        let drift = DriftLog::default();
        let _ = rows("it", &["a"], raw.get());
        if let Ok(fields) = Fields::read(&ROW, raw, &drift) {
            for name in ["a", "x", "y", "text", ""] {
                let _ = (fields.opt_text(name), fields.opt_word(name), fields.word(name), fields.opt_integer(name));
                let _ = (fields.opt_number(name), fields.opt_boolean(name), fields.opt_instant(name), fields.opt_day(name));
                let _ = (fields.day(name), fields.opt_list(name), fields.opt_texts(name), fields.opt_count(name));
                let _ = fields.opt_object(name, &ANY).map(|inner| inner.entries().count());
                let cut = fields.raw_without(name);
                prop_assert!(serde_json::from_str::<&RawValue>(&cut).is_ok(), "{}", cut);
            }
        }
    }
}
