//! Rows as Verseodin sends them, and as it should not.

use super::*;
use crate::model::Brand;

/// A row with everything; the answer has escapes, so cutting it out is not trivial.
const ROW: &str = include_str!("../../../../tests/fixtures/verseodin/prompt_row.json");

fn brand(key: &str, kind: BrandKind, domains: &[&str]) -> Brand {
    let domains = domains.iter().map(|&domain| domain.to_owned()).collect();
    Brand {
        key: BrandKey(key.into()),
        name: key.into(),
        kind,
        domains,
        aliases: vec![],
        exact: vec![],
        excluded: vec![],
    }
}

fn project() -> ProjectRecord {
    ProjectRecord {
        key: "5a1e0000-0000-4000-8000-000000000001".into(),
        account: None,
        name: "Acme".into(),
        website: None,
        brands: vec![
            brand("acme.example", BrandKind::Own, &["acme.example"]),
            brand("globex.example", BrandKind::Competitor, &["globex.example"]),
            brand("initech", BrandKind::Competitor, &[]),
        ],
        latest_day: None,
        raw: String::new(),
    }
}

/// The row with one field's value replaced; an empty value removes it.
fn row_with(field: &str, value: &str) -> String {
    let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(ROW).unwrap();
    if value.is_empty() {
        row.remove(field);
    } else {
        row.insert(field.into(), serde_json::from_str(value).unwrap());
    }
    serde_json::to_string(&row).unwrap()
}

fn page_of(rows: &[&str]) -> Page {
    decode_prompts(&project(), format!("{{\"data\":[{}],\"limit\":1000,\"offset\":0}}", rows.join(",")).as_bytes())
        .unwrap()
}

fn run_with(field: &str, value: &str) -> RunRecord {
    let page = page_of(&[&row_with(field, value)]);
    assert_eq!(page.rejected, [], "{field} {value}");
    page.runs.into_iter().next().unwrap()
}

fn drift_with(field: &str, value: &str) -> Vec<String> {
    page_of(&[&row_with(field, value)]).drift.iter().map(|drift| format!("{} {}", drift.field, drift.kind)).collect()
}

type Fact<'a> = (&'a str, Option<u32>, Option<u32>, Option<u32>);

fn facts(run: &RunRecord) -> Vec<Fact<'_>> {
    run.facts.iter().map(|f| (f.brand.0.as_str(), f.mentions, f.citations, f.best_citation_position)).collect()
}

fn cited(run: &RunRecord) -> Option<Vec<(&str, Option<&str>)>> {
    run.citations
        .as_ref()
        .map(|all| all.iter().map(|c| (c.url.as_str(), c.brand.as_ref().map(|key| key.0.as_str()))).collect())
}

#[test]
fn a_whole_row_becomes_a_run() {
    let page = page_of(&[ROW]);
    assert_eq!((page.drift.as_slice(), page.rejected.as_slice(), page.next.as_ref()), (&[][..], &[][..], None));
    let [run] = page.runs.as_slice() else { panic!("{page:?}") };
    insta::assert_debug_snapshot!(
        RunRecord { raw: String::new(), raw_hash: 0, facts: vec![], citations: None, ..run.clone() },
        @r#"
    RunRecord {
        key: "2026-04-27/chatgpt/7",
        upstream_id: Some(
            "9d2c0000-0000-4000-8000-000000000007",
        ),
        prompt: PromptRecord {
            key: "What is the best CRM for a small team?",
            text: "What is the best CRM for a small team?",
            topic: None,
            label: Some(
                "7",
            ),
        },
        engine: "chatgpt",
        model: Some(
            "gpt-5-3",
        ),
        surface: Consumer,
        status: Finished,
        failure_reason: None,
        day: Day(
            20570,
        ),
        created_at: 2026-04-27T02:00:00Z,
        started_at: Some(
            2026-04-27T02:00:05Z,
        ),
        finished_at: Some(
            2026-04-27T02:01:10Z,
        ),
        answer: Some(
            "Best CRMs:\n\n\"Acme\" and **Globex** – see [Globex](https://blog.globex.example/crm).",
        ),
        citations: None,
        source_urls: [],
        total_citations: Some(
            5,
        ),
        facts: [],
        web_search: Some(
            true,
        ),
        cost_usd: Some(
            0.01234,
        ),
        raw: "",
        raw_hash: 0,
    }
    "#
    );
    assert_eq!(
        cited(run).unwrap(),
        [
            ("https://blog.globex.example/crm", Some("globex.example")),
            ("https://acme.example/crm", Some("acme.example")),
            ("https://globex.example/", Some("globex.example")),
            ("https://news.example/crm?utm_source=chatgpt.com", None),
        ]
    );
    assert_eq!(run.raw_hash, xxh3_64(ROW.trim_end().as_bytes()));
    // Nothing but the answer's value differs from what was sent.
    let start = ROW.find("\"Best CRMs:").unwrap();
    let end = ROW.find(",\n  \"appeared_links\"").unwrap();
    assert_eq!(run.raw, format!("{}null{}", &ROW[..start], &ROW[end..]).trim_end());
}

#[test]
fn statuses_keep_their_meaning() {
    for (value, status, drifts) in [
        ("\"pending\"", Status::Pending, false),
        ("\"processing\"", Status::Running, false),
        ("\"completed\"", Status::Finished, false),
        ("\"Completed \"", Status::Finished, false),
        ("\"failed\"", Status::Failed, false),
        ("\"finished\"", Status::Finished, true),
        ("\"skipped\"", Status::Unknown("skipped".into()), true),
        ("null", Status::Unknown("unknown".into()), false),
    ] {
        let run = run_with("status", value);
        assert_eq!(run.status, status, "{value}");
        assert_eq!(run.facts.is_empty(), status != Status::Finished, "{value}");
        assert_eq!(!drift_with("status", value).is_empty(), drifts, "{value}");
    }
}

#[test]
fn engines_are_an_open_set_in_lower_case() {
    assert_eq!(run_with("engine", "\"ChatGPT\"").engine, "chatgpt");
    let run = run_with("engine", "\"Perplexity\"");
    assert_eq!((run.engine.as_str(), run.key.as_str()), ("perplexity", "2026-04-27/perplexity/7"));
    assert_eq!(drift_with("engine", "\"Perplexity\""), ["engine unknown_value"]);
}

#[test]
fn what_identifies_a_row_must_be_there() {
    let mut reasons = vec![];
    for (field, value) in [
        ("day", ""),
        ("day", "null"),
        ("day", "\"soon\""),
        ("prompt_id", "null"),
        ("prompt_id", "1.5"),
        ("prompt_text", "\" \""),
        ("engine", "null"),
        ("universe_id", "\"5a1e0000-0000-4000-8000-000000000002\""),
    ] {
        let page = page_of(&[&row_with(field, value), ROW]);
        assert_eq!(page.runs.len(), 1, "the rest of the page lands");
        reasons.push(page.rejected[0].reason.clone());
    }
    let page = page_of(&["[]", "null", "3", "\"x\"", ROW]);
    assert_eq!((page.runs.len(), page.rejected.len()), (1, 4));
    reasons.push(page.rejected[0].reason.clone());
    insta::assert_snapshot!(reasons.join("\n"), @r"
    `day` is missing
    `day` is null
    `day` is not a day
    `prompt_id` is null
    `prompt_id` is not a whole number
    `prompt_text` is empty
    `engine` is null
    it belongs to another universe than the one asked for
    a PromptRow is not a readable object
    ");
}

#[test]
fn everything_else_may_be_null() {
    let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(ROW).unwrap();
    for (key, value) in &mut row {
        if !["day", "prompt_id", "prompt_text", "engine", "status"].contains(&key.as_str()) {
            *value = serde_json::Value::Null;
        }
    }
    let page = page_of(&[&serde_json::to_string(&row).unwrap()]);
    assert_eq!((page.drift, page.rejected), (vec![], vec![]));
    let run = &page.runs[0];
    assert_eq!(run.created_at, run.day.start());
    assert_eq!((&run.answer, &run.citations, &run.facts), (&None, &None, &vec![]));
    assert_eq!((&run.upstream_id, run.web_search, run.cost_usd), (&None, None, None));
}

#[test]
fn numbers_and_instants_are_read_liberally() {
    assert_eq!(run_with("prompt_id", "\"7\"").key, "2026-04-27/chatgpt/7");
    assert_eq!(drift_with("prompt_id", "\"7\""), ["prompt_id changed_type"]);
    assert_eq!(run_with("total_citations_count", "4.0").total_citations, Some(4));
    assert_eq!(run_with("total_citations_count", "-4").total_citations, None);
    assert_eq!(run_with("cost_milli_cents", "0").cost_usd, Some(0.0));
    assert_eq!(run_with("created_at", "\"2026-04-27 03:00:00\"").created_at.to_string(), "2026-04-27T03:00:00Z");
    assert_eq!(run_with("created_at", "").created_at.to_string(), "2026-04-27T02:00:05Z", "the start, then");
    assert_eq!(run_with("response_text", "\"\"").answer, None);
    assert_eq!(drift_with("new_column", "1"), ["new_column new_field"]);
    assert_eq!(drift_with("model_used", ""), ["model_used missing_field"]);
}

#[test]
fn citations_come_from_the_best_list_there_is() {
    let plain = |run: &RunRecord| cited(run).map(|all| all.len());
    assert_eq!(plain(&run_with("appeared_links_unique", "[]")), Some(4), "the full list, each once");
    assert_eq!(plain(&run_with("appeared_links_unique", "null")), Some(4));
    // A citation that is in no list of links stands at the end.
    let run = run_with("my_citations", "[\"https://acme.example/crm\",\"https://acme.example/hidden\"]");
    assert_eq!(cited(&run).unwrap().last(), Some(&("https://acme.example/hidden", Some("acme.example"))));
    // No list while the run is open says nothing; an empty one of a finished run says that there are none.
    let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(ROW).unwrap();
    for (key, value) in &mut row {
        if key.contains("links") || key.ends_with("_citations") {
            *value = serde_json::json!([]);
        }
    }
    let json = |row| serde_json::to_string(&row).unwrap();
    assert_eq!(page_of(&[&json(row.clone())]).runs[0].citations, Some(vec![]));
    row.insert("status".into(), "processing".into());
    assert_eq!(page_of(&[&json(row)]).runs[0].citations, None);
}

#[test]
fn many_links_are_told_apart_as_few_are() {
    let links: Vec<String> = (0..200).map(|i| format!("\"https://site.example/{}\"", i % 90)).collect();
    let run = run_with("appeared_links_unique", &format!("[{}]", links.join(",")));
    let urls: Vec<&str> = cited(&run).unwrap().into_iter().map(|(url, _)| url).take(90).collect();
    let expected: Vec<String> = (0..90).map(|i| format!("https://site.example/{i}")).collect();
    assert_eq!(urls, expected);
    assert_eq!(cited(&run).unwrap().len(), 93, "and the three of the citation lists");
}

#[test]
fn facts_tell_zero_from_not_checked() {
    let all = [
        ("acme.example", Some(3), Some(1), Some(2)),
        ("globex.example", None, Some(2), Some(1)),
        ("initech", None, Some(0), None),
    ];
    assert_eq!(facts(&run_with("attempts", "1")), all);
    // No list of competitor citations: competitors were not checked.
    assert_eq!(facts(&run_with("competitor_citations", "null")), all[..1]);
    assert_eq!(
        facts(&run_with("competitor_citations", "[]"))[1..],
        [("globex.example", None, Some(0), None), ("initech", None, Some(0), None)]
    );
    // The count falls back to the list.
    assert_eq!(facts(&run_with("my_domain_citations_count", "null"))[0], all[0]);
    assert_eq!(facts(&run_with("my_brand_mentions_count", "null"))[0], ("acme.example", None, Some(1), Some(2)));
    // Neither list nor captured competitors: those of the project that have a domain.
    assert_eq!(facts(&run_with("competitor_websites", "null"))[1..], [("globex.example", None, Some(2), Some(1))]);
    // A competitor that was tracked then and is not now keeps its own key.
    let run = run_with("competitor_websites", r#"["https://www.hooli.example", {"domain": "globex.example"}]"#);
    assert_eq!(facts(&run)[1..], [("hooli.example", None, Some(0), None), ("globex.example", None, Some(2), Some(1))]);
}

#[test]
fn rows_that_share_their_competitors_do_not_mix_with_those_that_do_not() {
    let other = row_with("competitor_websites", "[]");
    let page = page_of(&[ROW, &other, ROW]);
    let counts: Vec<usize> = page.runs.iter().map(|run| run.facts.len()).collect();
    assert_eq!(counts, [3, 2, 3], "own and globex, which is cited, where none was captured");
}

#[test]
fn the_digest_is_of_the_rows_alone() {
    let body = |limit: u32, row: &str| format!("{{\"limit\":{limit},\"data\":[{row}]}}");
    let digest = |body: String| decode_prompts(&project(), body.as_bytes()).unwrap().digest;
    assert_eq!(digest(body(1000, ROW)), digest(body(200, ROW)));
    assert_ne!(digest(body(1000, ROW)), digest(body(1000, &row_with("attempts", "9"))));
    let empty = history_page("it", &project(), "{\"data\":[]}").unwrap().digest;
    assert_ne!(empty, digest("{\"data\":[]}".into()), "two empty pages in a row are no loop");
}

#[test]
fn every_history_column_is_published() {
    let body = include_str!("../../../../tests/fixtures/verseodin/history.json");
    let page = history_page("it", &project(), body).unwrap();
    let lines: Vec<String> = page
        .published
        .iter()
        .map(|p| format!("{} {} {} = {}", p.day, p.engine.as_deref().unwrap_or("-"), p.metric, p.value))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    2026-04-27 chatgpt ai_coverage_over_time = 42.5
    2026-04-27 chatgpt ai_trust_mentions = null
    2026-04-27 chatgpt ai_visibility_ranking = [{ "brand_name": "Acme", "rank": 1 }]
    2026-04-27 chatgpt a_column_of_tomorrow = "x"
    2026-04-27 - ai_trust_mentions = 3
    "#);
    assert_eq!((page.rejected.len(), page.next), (1, None));
}

#[test]
fn a_body_of_another_shape_is_an_error() {
    for body in [&b"<html>"[..], b"", b"{}", b"{\"data\":3}", b"\xff"] {
        assert!(matches!(decode_prompts(&project(), body), Err(Error::Decode { .. })));
    }
    assert!(decode_prompts(&project(), b"{\"data\":null}").unwrap().runs.is_empty());
}

proptest::proptest! {
    #[test]
    fn no_value_makes_a_row_panic(field in 0usize..33, value in "\\PC{0,40}|-?[0-9]{1,25}|\\[(\"[a-z:/.]{0,9}\",?){0,3}") {
        let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(ROW).unwrap();
        let key = row.keys().nth(field).cloned().unwrap();
        let value = serde_json::from_str(&value).unwrap_or(serde_json::Value::String(value));
        row.insert(key, value);
        let page = page_of(&[&serde_json::to_string(&row).unwrap()]);
        proptest::prop_assert_eq!(page.runs.len() + page.rejected.len(), 1);
    }
}
