//! All that Lunary has of a project is in the cache, once, and the figures are those of the world.

use crate::{
    support::{
        lunary::{LUNARY, LunaryStage},
        world::call,
    },
    sync::picture::{assert_same, assert_sound, picture},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use visibility_mcp::{
    demo::{
        lunary::{Fault, RowChange, Run, Template, User, When},
        world::{Take, WorldRun},
    },
    model::Status,
    upstream::lunary::{Lunary, LunaryConfig},
};

const PERIOD: &str = "2026-11-17..2026-11-20";

/// What a person reads in an output, by the shapes that the world's applications have for it.
fn said(output: &Value) -> Option<String> {
    let message = match output {
        Value::Array(messages) => messages.last()?,
        other => other,
    };
    let content = message.get("content").or_else(|| message.get("answer")).unwrap_or(message);
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().find_map(|part| part["text"].as_str()).map(str::to_owned),
        _ => None,
    }
}

fn status(run: &Run) -> Status {
    match run.status.as_deref() {
        Some("started") => Status::Running,
        Some("success") => Status::Finished,
        Some("error") => Status::Failed,
        other => panic!("{other:?}"),
    }
}

/// The runs of the world behind the project, the open ones as they end.
fn world_runs(stage: &LunaryStage) -> Vec<WorldRun<'_>> {
    let (world, take) = (&stage.world, Take { number: 0, settled: true });
    let days = (0..world.days().days()).map(|i| world.days().first.plus(i));
    let places = days.flat_map(|day| (0..world.prompt_count(0)).map(move |prompt| (day, prompt)));
    let places = places.flat_map(|(day, prompt)| (0..world.engine_count()).map(move |engine| (day, prompt, engine)));
    places.map(|(day, prompt, engine)| world.run_take(0, day, prompt, engine, take).unwrap()).collect()
}

/// The pages that an answer cites, each once, with the brand whose they are: neither tracking nor a passage makes
/// another page.
fn pages<'r>(run: &'r WorldRun<'_>) -> BTreeMap<&'r str, Option<usize>> {
    run.citations.iter().map(|citation| (citation.url.split(['?', '#']).next().unwrap(), citation.brand)).collect()
}

#[tokio::test]
async fn every_model_call_is_cached_once_with_its_whole_text_and_nothing_else_is() {
    let stage = LunaryStage::small();
    let served = stage.served(false);
    assert!(
        served.iter().any(|run| run.kind != "llm") && served.iter().any(|run| run.status.as_deref() == Some("started"))
    );
    stage.sync_all().await;
    assert_sound("whole", &stage.store);
    let expected: BTreeMap<String, (Status, Option<String>)> =
        stage.calls(false).iter().map(|run| (run.id.clone(), (status(run), said(&run.output)))).collect();
    assert_eq!(expected.len(), 8 * 3 * 4);
    let runs = stage.listed(&stage.store);
    let found: BTreeMap<String, (Status, Option<String>)> =
        runs.iter().map(|run| (run.row.key.clone().unwrap(), (run.row.status.clone(), run.answer.clone()))).collect();
    assert_eq!(found, expected);
    assert_eq!(runs.len(), found.len(), "each once");
    let projects = stage.store.reader().unwrap().projects().unwrap();
    assert_eq!(projects.iter().map(|row| row.key.clone()).collect::<Vec<_>>(), [stage.project()]);

    // The texts are the world's, whatever the shape that they came in.
    for run in world_runs(&stage) {
        let id = stage.tracker.run_id(0, run.day, run.prompt, run.engine);
        let (Some(text), Some(kept)) = (&run.answer, &found[&id].1) else { continue };
        let end = text.find("\n\n[1]: ").unwrap_or(text.len());
        assert!(kept.ends_with(text.as_str()) || *kept == text[..end], "{kept}\n--- is not\n{text}");
    }
}

#[tokio::test]
async fn a_second_sync_adds_nothing_and_reads_no_day_that_is_proven() {
    let stage = LunaryStage::small();
    stage.sync_all().await;
    let whole = picture(&stage.store);
    stage.server.clear_requests();
    let report = stage.sync_all().await;
    assert_eq!((report.counts.added, report.counts.changed, report.counts.gone), (0, 0, 0));
    assert_same("open runs are asked for again", &picture(&stage.store), &whole);
    assert_eq!(stage.days_read(), [stage.last_day()], "only the day that has open runs");

    stage.settle();
    assert!(stage.sync_all().await.counts.changed > 0);
    let whole = picture(&stage.store);
    stage.server.clear_requests();
    let report = stage.sync_all().await;
    assert_eq!((report.slices_planned, report.counts.added, report.counts.changed), (0, 0, 0));
    assert_same("nothing is left to do", &picture(&stage.store), &whole);
    assert_eq!(stage.days_read(), []);
}

#[tokio::test]
async fn figures_are_those_that_the_world_put_into_the_answers() {
    let stage = LunaryStage::small();
    stage.settle();
    stage.sync_all().await;
    let backend = stage.backend();
    let prompts = stage.world.prompts(0);
    for (place, brand) in stage.world.brands(0).iter().enumerate() {
        for branded in [false, true] {
            let case = format!("{} {branded}", brand.name);
            let mut runs = world_runs(&stage);
            runs.retain(|run| run.status == Status::Finished && (branded || prompts[run.prompt].names.is_empty()));
            let arguments = json!({
                "brand": brand.name, "period": PERIOD, "include_branded": branded, "response_format": "detailed",
            });
            let answer = call(&backend, "brand_summary", arguments).unwrap();
            let summary = &answer["summaries"][0];
            assert_eq!((&summary["source"], &summary["runs"]), (&json!(LUNARY), &json!(runs.len())), "{case}");
            let of_prompts = runs.iter().map(|run| run.prompt).collect::<BTreeSet<_>>().len();
            assert_eq!(summary["prompts"], of_prompts, "{case}");
            for basis in ["mentions", "citations"] {
                assert_eq!(summary["basis"][basis], json!(["derived"]), "{case}: {basis}");
            }
            let own = |run: &WorldRun<'_>| pages(run).values().filter(|owner| **owner == Some(place)).count();
            let tracked = |run: &WorldRun<'_>| pages(run).values().flatten().count();
            let named = |run: &&WorldRun<'_>| run.mentions_of(place) > 0;
            let all = |run: &WorldRun<'_>| run.mentions.iter().map(|mention| mention.count).sum::<u32>();
            let figures = [
                ("mention_rate", runs.iter().filter(named).count(), runs.len()),
                ("citation_rate", runs.iter().filter(|run| own(run) > 0).count(), runs.len()),
                ("presence_rate", runs.iter().filter(|run| named(run) || own(run) > 0).count(), runs.len()),
                (
                    "mention_share_of_voice",
                    runs.iter().map(|run| run.mentions_of(place)).sum::<u32>() as usize,
                    runs.iter().map(all).sum::<u32>() as usize,
                ),
                (
                    "citation_share_of_voice",
                    runs.iter().map(own).sum::<usize>(),
                    runs.iter().map(tracked).sum::<usize>(),
                ),
            ];
            assert!(figures.iter().all(|(_, _, of)| *of > 0), "{case}: {figures:?}");
            for (figure, hits, of) in figures {
                let rate = &summary[figure];
                assert_eq!((&rate["hits"], &rate["runs"]), (&json!(hits), &json!(of)), "{case}: {figure}");
            }
        }
    }
}

#[tokio::test]
async fn mentions_have_a_place_and_a_sentence_that_hold_the_spelling() {
    let stage = LunaryStage::small();
    stage.settle();
    stage.sync_all().await;
    let (backend, runs) = (stage.backend(), stage.by_key());
    let mut checked = 0;
    for truth in world_runs(&stage).iter().filter(|run| run.status == Status::Finished) {
        let run = &runs[&stage.tracker.run_id(0, truth.day, truth.prompt, truth.engine)];
        let arguments = json!({ "run_id": run.row.id.to_string(), "response_format": "detailed" });
        let details = call(&backend, "get_run_details", arguments).unwrap();
        let text: Vec<char> = details["answer"]["text"].as_str().unwrap().chars().collect();
        let table = &details["mentions"];
        assert_eq!(table["columns"], json!(["brand", "spelling", "offset", "sentence"]));
        let rows = table["rows"].as_array().unwrap();
        let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
        for row in rows {
            let (brand, spelling) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
            let offset = usize::try_from(row[2].as_u64().unwrap()).unwrap();
            let there: String = text[offset..].iter().take(spelling.chars().count()).collect();
            assert_eq!(there.to_lowercase(), spelling.to_lowercase(), "at {offset} of {details}");
            assert!(row[3].as_str().unwrap().contains(&there), "{there} in {row}");
            let known = stage.brands.iter().find(|known| known.name == brand).unwrap();
            assert!(
                known.name.eq_ignore_ascii_case(spelling)
                    || known.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(spelling)),
                "{row}"
            );
            *counted.entry(brand).or_default() += 1;
            checked += 1;
        }
        assert_eq!(details["mentions_known"], rows.len());
        let names = stage.world.brands(0);
        let expected: BTreeMap<&str, u32> =
            truth.mentions.iter().map(|mention| (&*names[mention.brand].name, mention.count)).collect();
        assert_eq!(counted, expected);
    }
    assert!(checked > 100, "{checked}");
}

#[tokio::test]
async fn a_prompt_is_its_template_or_what_the_user_asked_last() {
    let stage = LunaryStage::small();
    stage.settle();
    let at = stage.last_day().start();
    let ended = at.checked_add(jiff::SignedDuration::from_secs(9)).unwrap();
    let template = |slug: &str| Some(Template { id: 900, version: 9_001, slug: slug.to_owned() });
    let user = |text: &str| json!({ "role": "user", "content": text });
    let asked = [
        // One prompt, in other shapes, spaces and letter cases, whatever was said before.
        ("1", json!([{ "role": "system", "content": "Be brief." }, user("Which  CRAWLER is best? ")]), None),
        ("1", json!("which crawler is best?"), None),
        ("1", json!([user("Hello"), { "role": "assistant", "content": "Hi." }, user("Which crawler\nis best?")]), None),
        ("2", json!("Which crawler is the best?"), None),
        // The template counts, not what it was filled with.
        ("3", json!([user("Compare A and B.")]), template("compare")),
        ("3", json!([user("Compare C and D.")]), template("compare")),
        ("4", json!([user("Compare C and D.")]), template("contrast")),
    ];
    let id = |n: usize| format!("00000000-0000-4000-8000-{n:012x}");
    for (n, (_, input, template)) in asked.iter().enumerate() {
        let run = Run { input: input.clone(), template: template.clone(), ..Run::started(&id(n), "gpt-5", at, "") };
        stage.server.add(0, run.answered(ended, "It depends."));
    }
    stage.sync_all().await;
    let runs = stage.by_key();
    let found: Vec<_> = (0..asked.len()).map(|n| &runs[&id(n)].row.prompt).collect();
    for (n, one) in asked.iter().enumerate() {
        for (m, other) in asked.iter().enumerate() {
            assert_eq!(found[n].id == found[m].id, one.0 == other.0, "{} and {}", one.1, other.1);
        }
    }
    assert_eq!((found[4].label.as_deref(), found[6].label.as_deref()), (Some("compare"), Some("contrast")));
    assert_eq!(found[0].label, None);

    // The world's prompts are as many as before, though they came in many shapes.
    let of_world: BTreeSet<_> = stage.calls(true).iter().map(|run| runs[&run.id].row.prompt.id).collect();
    assert_eq!(of_world.len(), stage.world.prompt_count(0));
    for run in world_runs(&stage) {
        let kept = &runs[&stage.tracker.run_id(0, run.day, run.prompt, run.engine)].row;
        assert_eq!(kept.prompt.text, run.prompt_text);
        let label = (run.prompt % 5 == 2).then(|| format!("visibility-p{:02}", run.prompt + 1));
        assert_eq!(kept.prompt.label, label);
        assert_eq!(kept.engine, run.engine_name, "{:?}", kept.model);
    }
}

/// The documented run, with values of the documented types in place of `<string>` and 123.
const DOCUMENTED: &str = r#"{
  "id": "", "projectId": "", "isPublic": true,
  "feedback": { "score": 123, "flags": [""], "comment": "" },
  "parentFeedback": { "score": 123, "flags": [""], "comment": "" },
  "type": "", "name": "", "createdAt": "", "endedAt": "", "duration": 123, "templateVersionId": "",
  "templateSlug": "", "cost": 123, "tokens": { "completion": 123, "prompt": 123, "total": 123 }, "tags": [""],
  "input": {}, "output": {}, "error": {}, "status": "", "siblingRunId": "", "params": {}, "metadata": {},
  "user": { "id": "", "externalId": "", "createdAt": "", "lastSeen": "", "props": {} },
  "traceId": ""
}"#;

/// Where a documented field is in the answer of `get_run_details`.
enum At {
    /// In the field of this JSON pointer, as it came.
    Field(&'static str),
    /// In the field of this JSON pointer, as this.
    As(&'static str, &'static str),
    /// In the record, under its own name.
    Record,
}

const PLACES: &[(&str, At)] = &[
    ("/id", At::Field("/upstream_key")),
    ("/name", At::Field("/model")),
    ("/name", At::As("/engine", "chatgpt")),
    ("/createdAt", At::As("/created_at", "2026-11-20T11:22:33.444Z")),
    ("/createdAt", At::As("/day", "2026-11-20")),
    ("/endedAt", At::As("/finished_at", "2026-11-20T11:22:39.449Z")),
    ("/templateSlug", At::Field("/prompt_label")),
    ("/cost", At::Field("/cost_usd")),
    ("/input/0/content", At::Field("/prompt/text")),
    ("/output/content", At::Field("/answer/text")),
    ("/status", At::As("/status", "finished")),
    ("/projectId", At::Record),
    ("/isPublic", At::Record),
    ("/feedback", At::Record),
    ("/feedback/score", At::Record),
    ("/feedback/flags", At::Record),
    ("/feedback/comment", At::Record),
    ("/parentFeedback", At::Record),
    ("/parentFeedback/score", At::Record),
    ("/parentFeedback/flags", At::Record),
    ("/parentFeedback/comment", At::Record),
    ("/type", At::Record),
    ("/duration", At::Record),
    ("/templateVersionId", At::Record),
    ("/tokens", At::Record),
    ("/tokens/completion", At::Record),
    ("/tokens/prompt", At::Record),
    ("/tokens/total", At::Record),
    ("/tags", At::Record),
    ("/input", At::Record),
    ("/output/annotations", At::Record),
    ("/error", At::Record),
    ("/siblingRunId", At::Record),
    ("/params", At::Record),
    ("/metadata", At::Record),
    ("/user", At::Record),
    ("/user/id", At::Record),
    ("/user/externalId", At::Record),
    ("/user/createdAt", At::Record),
    ("/user/lastSeen", At::Record),
    ("/user/props", At::Record),
    ("/traceId", At::Record),
];

/// Every name in an object and in the objects right below it, as JSON pointers.
fn names(object: &Value) -> Vec<String> {
    let below = |(name, value): (&String, &Value)| {
        let inner = value.as_object().into_iter().flatten().map(move |(inner, _)| format!("/{name}/{inner}"));
        std::iter::once(format!("/{name}")).chain(inner).collect::<Vec<_>>()
    };
    object.as_object().unwrap().iter().flat_map(below).collect()
}

/// Asks the server as a script would.
async fn ask(stage: &LunaryStage, path: &str) -> Value {
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "another client than the program's")]
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let request = client
        .get(format!("{}{path}", stage.server.base_url()))
        .header("authorization", format!("Bearer {}", stage.server.private_key(0)));
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// A run below a chat, with something in every field that a caller can fill.
fn full_run(id: &str, chat: &str) -> [Run; 2] {
    let at = "2026-11-20T11:22:33.444Z".parse().unwrap();
    let feedback = |comment: &str| json!({ "score": 3, "flags": ["slow"], "comment": comment });
    let chat = Run {
        kind: "chat".to_owned(),
        status: None,
        feedback: feedback("The chat was fine"),
        ..Run::started(chat, "", at, "")
    };
    let run = Run {
        parent: Some(chat.id.clone()),
        is_public: true,
        template: Some(Template { id: 71, version: 711, slug: "shoe-advice".to_owned() }),
        cost: Some(0.000_372_6),
        prompt_tokens: Some(30),
        completion_tokens: Some(12),
        tags: Some(vec!["weekly".to_owned()]),
        params: json!({ "temperature": 0.7 }),
        metadata: json!({ "region": "north" }),
        feedback: feedback("The run was better"),
        user: Some(User {
            id: 41,
            external_id: "u-full".to_owned(),
            created_at: at,
            last_seen: at,
            props: json!({ "plan": "pro" }),
        }),
        error: json!({ "message": "only a warning" }),
        ..Run::started(id, "gpt-5.1", at, "Which shoes last?")
    };
    let ended = "2026-11-20T11:22:39.449Z".parse().unwrap();
    let mut run = run.answered(ended, "These last.");
    let cited = json!({ "type": "url_citation", "url_citation": { "url": "https://shoes.example/last" } });
    run.output["annotations"] = json!([cited]);
    [chat, run]
}

#[tokio::test]
async fn every_documented_field_is_in_an_answer() {
    let stage = LunaryStage::small();
    let (id, chat) = ("00000000-0000-4000-8000-0000000000f1", "00000000-0000-4000-8000-0000000000c1");
    for run in full_run(id, chat) {
        stage.server.add(0, run);
    }
    let failed = "00000000-0000-4000-8000-0000000000e1";
    let run = Run::started(failed, "gpt-5.1", stage.last_day().start(), "Which shoes last?");
    let error = json!({ "message": "the quota is used up", "code": 429 });
    stage.server.add(0, Run { status: Some("error".to_owned()), error, ..run });
    // Documented and never seen: sent here, so that it would be kept.
    let extra = Fault::Rows { change: RowChange::ExtraFields, count: 1_000 };
    stage.server.faults().inject("/runs/$", extra, When::Always);
    let upstream = Lunary::new(LunaryConfig { run_details: true, ..stage.config() }).unwrap();
    let sources: [std::sync::Arc<dyn visibility_mcp::upstream::Upstream>; 1] = [std::sync::Arc::new(upstream)];
    let report = stage.sync_with(&stage.store, &sources, stage.last_day()).await;
    assert!(report.is_success(), "{report:?}");

    let list = ask(&stage, "/runs?date=gte.2026-11-20T00:00:00Z&type=llm&type=llm&limit=1000").await;
    let mut theirs = list["data"].as_array().unwrap().iter().find(|run| run["id"] == id).unwrap().clone();
    let alone = ask(&stage, &format!("/runs/{id}")).await;
    theirs["traceId"] = alone["traceId"].clone();
    assert_eq!(theirs["traceId"], chat);

    let key = stage.by_key()[id].row.id.to_string();
    let ours = call(&stage.backend(), "get_run_details", json!({ "run_id": key, "response_format": "detailed" }));
    let ours = ours.unwrap();
    assert_eq!(ours["upstream_record"]["truncated"], false);
    let record: Value = serde_json::from_str(ours["upstream_record"]["text"].as_str().unwrap()).unwrap();
    for (field, at) in PLACES {
        let value = theirs.pointer(field).unwrap_or_else(|| panic!("the server does not send {field}: {theirs}"));
        assert!(!value.is_null() || *field == "/siblingRunId", "{field}");
        match at {
            At::Field(place) => assert_eq!(ours.pointer(place), Some(value), "{field} at {place}"),
            At::As(place, text) => assert_eq!(ours.pointer(place), Some(&json!(text)), "{field} at {place}"),
            At::Record => assert_eq!(record.pointer(field), Some(value), "{field} in {record}"),
        }
    }
    // Every documented field has its place in the table, or all parts of it have.
    for name in names(&serde_json::from_str(DOCUMENTED).unwrap()) {
        let below = format!("{name}/");
        assert!(PLACES.iter().any(|(field, _)| *field == name || field.starts_with(&below)), "{name} is nowhere");
    }
    // And why a run failed.
    let kept = &stage.by_key()[failed].row;
    assert_eq!((kept.status.as_str(), kept.failure_reason.as_deref()), ("failed", Some("the quota is used up")));
}
