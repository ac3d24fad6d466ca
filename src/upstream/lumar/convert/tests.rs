//! Records as they come, whole and with anything missing.

use super::*;
use crate::model::{Brand, BrandKind};
use serde_json::Value;

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn brand(key: &str, name: &str, kind: BrandKind) -> Brand {
    Brand {
        key: BrandKey(key.into()),
        name: name.into(),
        kind,
        domains: vec![],
        aliases: vec![],
        exact: vec![],
        excluded: vec![],
    }
}

fn project() -> ProjectRecord {
    let brands = vec![
        brand("b1", "Acme", BrandKind::Own),
        brand("b2", "Globex", BrandKind::Competitor),
        brand("b3", "Hooli", BrandKind::Other),
    ];
    ProjectRecord {
        key: "p".into(),
        account: Some("a".into()),
        name: "P".into(),
        website: None,
        brands,
        latest_day: None,
        raw: String::new(),
    }
}

fn prompt() -> PromptRecord {
    PromptRecord { key: "q".into(), text: "Which shop?".into(), topic: Some("Shops".into()), label: None }
}

fn row(status: &str, provider: &str) -> Value {
    json!({
        "id": "r1", "rawId": "1", "status": status, "aiProviderType": provider, "brandVisible": true,
        "totalBrandCitations": 1, "totalBrandMentions": 2, "bestBrandPosition": 3, "avgBrandSentiment": 61.5,
        "createdAt": "2026-11-20T23:59:59.000Z", "failureReason": null,
    })
}

fn sight(value: &Value) -> Sight {
    Sight::read(&raw(value), &DriftLog::default()).unwrap()
}

fn details() -> Value {
    json!({
        "aiProviderType": "OpenAiApi", "promptText": "Which shop?", "topicName": "Shops",
        "fullAnswerText": "Acme, and Globex too.", "brandVisible": true, "totalBrandCitations": 1,
        "totalBrandMentions": 2, "bestBrandPosition": 3, "avgBrandSentiment": 61.5, "visibilityScore": 48.25,
        "brandCitations": [{ "url": "https://acme.example/a", "position": 3, "citationQualityScore": 80 }],
        "brandMentions": [
            { "brandName": "Acme", "brandType": "Own", "brandMentionQualityScore": 70, "sentiment": 60, "sentimentJustification": "Praised." },
            { "brandName": "acme", "brandType": "Own", "brandMentionQualityScore": 50, "sentiment": 63, "sentimentJustification": "Praised." },
            { "brandName": "Globex", "brandType": "Competitor", "brandMentionQualityScore": 1, "sentiment": 1, "sentimentJustification": "Not ours." },
        ],
        "otherBrandCitations": [
            { "url": "https://news.example", "position": 2, "brandName": "News", "brandType": "Other" },
            { "url": "https://globex.example", "position": 1, "brandName": "GLOBEX", "brandType": "Competitor" },
        ],
        "searchQueries": ["best shop"], "createdAt": "2026-11-20T23:59:59.000Z",
    })
}

#[test]
fn a_run_is_joined_from_the_views_of_its_brands() {
    let (own, rival) = (BrandKey("b1".into()), BrandKey("b2".into()));
    let joined = Joined {
        sights: vec![(&own, sight(&row("Finished", "OpenAiApi"))), (&rival, sight(&row("finished", "OpenAiApi")))],
        hash: 7,
    };
    let mut other = details();
    other["brandCitations"] = json!([{ "url": "https://globex.example", "position": 1, "citationQualityScore": 40 }]);
    other["otherBrandCitations"] = json!([]);
    let (one, two) = (raw(&details()), raw(&other));
    let drift = DriftLog::default();
    let run = run(&project(), &prompt(), &joined, &[(&own, &one), (&rival, &two)], &drift).unwrap();
    assert_eq!((run.key.as_str(), run.engine.as_str(), run.surface), ("r1", "chatgpt", Surface::Api));
    assert_eq!((run.day.to_string().as_str(), &run.status, run.raw_hash), ("2026-11-20", &Status::Finished, 7));
    assert_eq!(run.answer.as_deref(), Some("Acme, and Globex too."));
    assert_eq!(run.web_search, Some(true));
    let cited: Vec<_> = run
        .citations
        .iter()
        .flatten()
        .map(|c| (c.url.as_str(), c.brand.as_ref().map(|b| b.0.as_str()), c.quality))
        .collect();
    assert_eq!(
        cited,
        [
            ("https://globex.example", Some("b2"), Some(40.0)),
            ("https://news.example", None, None),
            ("https://acme.example/a", Some("b1"), Some(80.0)),
        ]
    );
    let fact = &run.facts[0];
    assert_eq!((fact.mentions, fact.citations, fact.best_citation_position), (Some(2), Some(1), Some(3)));
    assert_eq!((fact.sentiment, fact.mention_quality, fact.citation_quality), (Some(61.5), Some(60.0), Some(80.0)));
    assert_eq!((fact.visibility_score, fact.sentiment_justification.as_deref()), (Some(48.25), Some("Praised.")));
    assert_eq!((run.facts.len(), run.facts[1].citation_quality), (2, Some(40.0)));
    let kept: Value = serde_json::from_str(&run.raw).unwrap();
    assert_eq!(kept["details"]["b1"]["fullAnswerText"], Value::Null);
    assert_eq!(kept["details"]["b2"]["visibilityScore"], 48.25);
    assert_eq!(kept["list"]["b2"]["id"], "r1");
    assert!(drift.into_drifts().is_empty());
}

#[test]
fn null_is_fine_everywhere_but_in_ids() {
    let own = BrandKey("b1".into());
    let mut bare = row("Finished", "OpenAiApi");
    for (name, value) in bare.as_object_mut().unwrap() {
        if !["id", "createdAt", "status"].contains(&name.as_str()) {
            *value = Value::Null;
        }
    }
    let mut empty = details();
    empty.as_object_mut().unwrap().values_mut().for_each(|value| *value = Value::Null);
    let empty = raw(&empty);
    let joined = Joined { sights: vec![(&own, sight(&bare))], hash: 1 };
    let run = run(&project(), &prompt(), &joined, &[(&own, &empty)], &DriftLog::default()).unwrap();
    assert_eq!((run.answer, run.citations, run.engine.as_str(), run.web_search), (None, None, "unknown", None));
    assert_eq!(run.facts, [BrandFact::unchecked(own.clone())]);
    assert!(!joined.sights[0].1.shows_the_brand());
    for field in ["id", "createdAt"] {
        let mut broken = row("Finished", "OpenAiApi");
        broken[field] = Value::Null;
        assert!(Sight::read(&raw(&broken), &DriftLog::default()).is_err());
    }
    // A list of which the items are null.
    let mut holes = details();
    for list in ["brandCitations", "brandMentions", "otherBrandCitations"] {
        holes[list] = json!([null, {}]);
    }
    let holes = raw(&holes);
    let run = super::run(&project(), &prompt(), &joined, &[(&own, &holes)], &DriftLog::default()).unwrap();
    assert_eq!(run.citations, Some(vec![]));
}

#[test]
fn providers_become_engines_and_unknown_words_are_kept() {
    use Surface::{Api, Consumer};
    for (provider, engine, surface, known) in [
        ("OpenAiApi", "chatgpt", Api, true),
        ("open_ai_api", "chatgpt", Api, true),
        ("GEMINIAPI", "gemini", Api, true),
        ("PerplexityApi", "perplexity", Api, true),
        ("AnthropicApi", "claude", Api, true),
        ("XAiApi", "grok", Api, true),
        ("GoogleAiMode", "google_ai_mode", Consumer, true),
        ("GoogleAiOverview", "google_ai_overviews", Consumer, true),
        ("GoogleAiOverviews", "google_ai_overviews", Consumer, true),
        ("MistralApi", "mistral_api", Api, false),
        ("CopilotWeb", "copilot_web", Consumer, false),
    ] {
        let drift = DriftLog::default();
        let sight = Sight::read(&raw(&row("Running", provider)), &drift).unwrap();
        assert_eq!((sight.engine.as_str(), sight.surface), (engine, surface));
        assert_eq!(drift.into_drifts().is_empty(), known, "{provider}");
    }
    for (word, status, known) in [
        ("PENDING", Status::Pending, true),
        ("Running", Status::Running, true),
        ("failed", Status::Failed, true),
        ("Paused", Status::Unknown("paused".into()), false),
    ] {
        let drift = DriftLog::default();
        assert_eq!(Sight::read(&raw(&row(word, "OpenAiApi")), &drift).unwrap().status, status);
        assert_eq!(drift.into_drifts().is_empty(), known, "{word}");
    }
}

#[test]
fn a_score_has_one_name_whichever_the_server_uses() {
    let own = BrandKey("b1".into());
    let figures = |value: Value| -> String {
        let figures = scores(&own, &raw(&value), &DriftLog::default()).unwrap();
        let text: Vec<String> = figures.iter().map(|f| format!("{} {}={}", f.day, f.metric, f.value)).collect();
        text.join(", ")
    };
    let index = json!({ "date": "2026-11-20", "avgVisibilityIndex": 41.5, "avgVisibilityScore": 12, "totalRuns": 7 });
    assert_eq!(figures(index), "2026-11-20 visibility_index=41.5, 2026-11-20 runs=7");
    let old = json!({ "date": "2026-11-20T00:00:00.000Z", "avgVisibilityScore": 12, "avgPresenceRate": null });
    assert_eq!(figures(old), "2026-11-20 visibility_index=12, 2026-11-20 presence_rate_percent=null");
    let half = json!({ "date": "2026-11-20", "avgVisibilityIndex": null, "avgVisibilityScore": 12 });
    assert_eq!(figures(half), "2026-11-20 visibility_index=12");
    assert!(scores(&own, &raw(&json!({ "date": null })), &DriftLog::default()).is_err());
}

#[test]
fn a_score_that_nobody_can_read_is_left_out_and_noted() {
    let deep = format!("{}1{}", "[".repeat(2_000), "]".repeat(2_000));
    for value in ["9e999", &deep] {
        let row = format!(r#"{{"date": "2026-11-20", "avgVisibilityIndex": {value}, "totalRuns": 7}}"#);
        let (row, drift) = (RawValue::from_string(row).unwrap(), DriftLog::default());
        let figures = scores(&BrandKey("b1".into()), &row, &drift).unwrap();
        assert_eq!(figures.iter().map(|figure| figure.metric.as_str()).collect::<Vec<_>>(), ["runs"]);
        assert!(drift.into_drifts().iter().any(|drift| drift.field == "avgVisibilityIndex"));
    }
}
