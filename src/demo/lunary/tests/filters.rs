//! Filters: section 5 of what was observed, row by row.

use super::*;

type Fits = Box<dyn Fn(&Run) -> bool>;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, one row of it a line")]
async fn each_filter_lets_through_what_it_says() {
    let stage = stage().await;
    let models = stage.stored().iter().filter_map(|run| run.name.clone()).collect::<BTreeSet<_>>();
    assert!(models.contains("gemini-2.5-pro") && models.contains("grok-4"), "{models:?}");
    let user = stage.stored_run(|run| run.is("llm") && run.user.is_some()).user.unwrap().id;
    let template = stage.stored_run(|run| run.template.is_some()).template.unwrap().id;
    let agent = stage.stored_run(|run| run.is("agent")).id;
    let (from, to) = (at("2026-11-19T00:00:00Z"), at("2026-11-20T00:00:00Z"));
    let llm = |run: &Run| run.is("llm");
    let named = |run: &Run, name: &str| run.name.as_deref() == Some(name);
    let tagged = |run: &Run, tag: &str| run.tags.iter().flatten().any(|given| given == tag);
    let text = |run: &Run| format!("{}\n{}", run.input, run.output).to_lowercase();
    let parent = agent.clone();
    let cases: Vec<(String, Fits)> = vec![
        ("type=llm".into(), Box::new(llm)),
        ("type=agent".into(), Box::new(|run| run.is("agent"))),
        ("type=chain".into(), Box::new(|run| run.is("chain"))),
        ("type=tool".into(), Box::new(|run| run.is("tool"))),
        ("type=retriever".into(), Box::new(|run| run.is("retriever"))),
        ("type=thread".into(), Box::new(|run| run.is("thread"))),
        ("type=chat".into(), Box::new(|run| run.is("chat"))),
        ("type=custom-event".into(), Box::new(|run| run.is("custom-event"))),
        // The chain lies under the agent.
        ("type=trace".into(), Box::new(|run| run.is("agent"))),
        ("type=llm,agent".into(), Box::new(|_| false)),
        ("type=llm&type=agent".into(), Box::new(|_| false)),
        ("type=".into(), Box::new(llm)),
        ("status=success".into(), Box::new(|run| run.status.as_deref() == Some("success"))),
        ("status=error".into(), Box::new(|run| run.status.as_deref() == Some("error"))),
        ("status=started".into(), Box::new(|run| run.status.as_deref() == Some("started"))),
        ("status=done".into(), Box::new(|_| false)),
        ("models=grok-4".into(), Box::new(move |run| named(run, "grok-4"))),
        ("models=gemini-2%2E5-pro".into(), Box::new(move |run| named(run, "gemini-2.5-pro"))),
        (
            "models=gemini-2%252E5-pro,grok-4".into(),
            Box::new(move |run| named(run, "gemini-2.5-pro") || named(run, "grok-4")),
        ),
        ("models=google%2Fgemini-2%2E5-pro".into(), Box::new(move |run| named(run, "google/gemini-2.5-pro"))),
        ("models=grok-4&models=sonar-pro".into(), Box::new(|_| false)),
        ("models=gemini-2.5-pro".into(), Box::new(llm)),
        ("tags=weekly".into(), Box::new(move |run| tagged(run, "weekly"))),
        ("tags=weekly,v1%2E2".into(), Box::new(move |run| tagged(run, "weekly") || tagged(run, "v1.2"))),
        ("tags=weekly%2Cvisibility".into(), Box::new(move |run| tagged(run, "weekly") || tagged(run, "visibility"))),
        ("tags=visibility&tags=weekly".into(), Box::new(move |run| tagged(run, "weekly"))),
        ("tags=experiment%252Ca".into(), Box::new(move |run| tagged(run, "experiment,a"))),
        ("tags=experiment%2ca".into(), Box::new(move |run| tagged(run, "experiment,a"))),
        ("tags=tag%20with%20space".into(), Box::new(move |run| tagged(run, "tag with space"))),
        ("tags=tag+with+space".into(), Box::new(|_| false)),
        (
            "date=gte.2026-11-19T00:00:00Z&date=lt.2026-11-20T00:00:00Z".into(),
            Box::new(move |run| (from..to).contains(&run.created_at)),
        ),
        (
            "date=gte.2026-11-19T00%3A00%3A00Z&date=lt.2026-11-20".into(),
            Box::new(move |run| (from..to).contains(&run.created_at)),
        ),
        (
            "date=gte.2026-11-19T01:00:00%2B01:00&date=lt.2026-11-20T01:00:00+01:00".into(),
            Box::new(move |run| (from..to).contains(&run.created_at)),
        ),
        ("date=gte.2026-11-20T00:00:00%2E000Z".into(), Box::new(move |run| run.created_at >= to)),
        ("date=gt.2026-11-20".into(), Box::new(move |run| run.created_at > to)),
        ("date=lte.2026-11-20".into(), Box::new(move |run| run.created_at <= to)),
        ("date=eq.2026-11-20".into(), Box::new(move |run| run.created_at == to)),
        // The dots of the fraction make it a filter of too many parts.
        ("date=gte.2026-11-20T00:00:00.000Z".into(), Box::new(llm)),
        ("date=gte%2E2026-11-20".into(), Box::new(llm)),
        ("d%61te=gte.2026-11-20".into(), Box::new(llm)),
        // Understood, and worth nothing: all types come back.
        ("date=gte.2026-11-20+00:00:00".into(), Box::new(|_| true)),
        ("date=gte.2026-11-20T00:00:00%252E000Z".into(), Box::new(|_| true)),
        ("date=gte.1795132800".into(), Box::new(|_| true)),
        ("date=gte.nonsense".into(), Box::new(|_| true)),
        ("date=nonsense".into(), Box::new(|_| true)),
        ("tokens=500".into(), Box::new(|_| true)),
        ("search=BEST".into(), Box::new(move |run| text(run).contains("best"))),
        ("search=archive".into(), Box::new(move |run| text(run).contains("archive"))),
        ("search=a.b".into(), Box::new(llm)),
        ("search=is+the".into(), Box::new(move |run| text(run).contains("is+the"))),
        ("search=is%20the".into(), Box::new(move |run| text(run).contains("is the"))),
        ("metadata=prompt_id.p03".into(), Box::new(|run| run.metadata["prompt_id"] == "p03")),
        ("metadata=promptId.p03".into(), Box::new(|_| false)),
        ("metadata=web_search.true".into(), Box::new(|run| run.metadata["web_search"] == true)),
        ("metadata=attempt.2".into(), Box::new(|run| run.metadata["attempt"] == 2)),
        (format!("users={user}"), Box::new(move |run| run.user.as_ref().is_some_and(|u| u.id == user))),
        (format!("users={user},999"), Box::new(move |run| run.user.as_ref().is_some_and(|u| u.id == user))),
        (format!("templates={template}"), Box::new(move |run| run.template.as_ref().is_some_and(|t| t.id == template))),
        ("feedback=%7B%22thumb%22%3A%22up%22%7D".into(), Box::new(|run| run.feedback["thumb"] == "up")),
        ("feedback=%7B%22thumb%22%3A%22down%22%7D".into(), Box::new(|run| run.feedback["thumb"] == "down")),
        ("feedback=%7B%22thumb%22%3Anull%7D".into(), Box::new(|run| run.feedback["thumb"].is_null())),
        ("tokens=total.gt.300".into(), Box::new(|run| super::checks::total_tokens(run) > 300.0)),
        ("cost=gt.0%2E005".into(), Box::new(|run| run.cost.is_some_and(|cost| cost > 0.005))),
        ("duration=gt.1%2E5".into(), Box::new(|run| super::checks::seconds(run).is_some_and(|s| s > 1.5))),
        (
            "duration=lte.20&type=llm&type=llm".into(),
            Box::new(move |run| llm(run) && super::checks::seconds(run).is_some_and(|s| s <= 20.0)),
        ),
        ("tools=search".into(), Box::new(|run| run.is("tool"))),
        ("retrievers=ARCH".into(), Box::new(|run| run.is("retriever"))),
        (format!("parentRunId={agent}"), Box::new(|_| false)),
        (format!("parentRunId={agent}&type=chain"), Box::new(move |run| run.is("chain") && run.parent.is_some())),
        (format!("parentRunId={parent}&status=success"), Box::new(move |run| run.parent.as_ref() == Some(&parent))),
        (
            "OR&status=error&status=started".into(),
            Box::new(|run| matches!(run.status.as_deref(), Some("error" | "started"))),
        ),
        ("status=error&status=started".into(), Box::new(|_| false)),
        ("languages=input.en&status=error".into(), Box::new(|run| run.status.as_deref() == Some("error"))),
        ("topics=input.x&type=agent".into(), Box::new(|run| run.is("agent"))),
        ("user-props=vip.true".into(), Box::new(|_| false)),
        ("unknown=1".into(), Box::new(llm)),
        ("TYPE=agent".into(), Box::new(llm)),
    ];
    let stored = stage.stored();
    for (filter, fits) in cases {
        let got: BTreeSet<String> = texts(&stage.all(&filter).await, "id").into_iter().collect();
        // Children of one agent are those of its day.
        let day = filter.contains(&agent).then(|| stage.tracker.find(&agent).unwrap().1);
        let in_day = |run: &Run| day.is_none_or(|day| run.day() == day);
        let wanted: BTreeSet<String> =
            stored.iter().filter(|run| fits(run) && in_day(run)).map(|run| run.id.clone()).collect();
        let odd: Vec<_> = got.symmetric_difference(&wanted).take(3).collect();
        assert_eq!(got.len(), wanted.len(), "{filter}: {odd:?}");
        assert!(odd.is_empty(), "{filter}: {odd:?}");
    }
}

#[tokio::test]
async fn filters_that_stumble_are_errors_of_the_server() {
    let stage = stage().await;
    let ambiguous = |column: &str| format!("column reference \"{column}\" is ambiguous");
    let empty = "reduce of empty array with no initial value".to_owned();
    for (filter, message) in [
        ("type", "undefined is not an object (evaluating 'params.split')".to_owned()),
        ("search&type=llm", "undefined is not an object (evaluating 'params.split')".to_owned()),
        ("users=u-anna", "invalid input syntax for type bigint: \"u-anna\"".to_owned()),
        ("templates=slug", "invalid input syntax for type bigint: \"slug\"".to_owned()),
        ("tokens=completion.lt.100", ambiguous("completion_tokens")),
        ("tokens=prompt.lt.100", ambiguous("prompt_tokens")),
        ("duration=10", "Unsupported operator: 10".to_owned()),
        ("cost=5", "Unsupported operator: 5".to_owned()),
        ("feedback=up", "JSON Parse error: Unexpected identifier \"up\"".to_owned()),
        ("string=output.contains.false.Lumar", ambiguous("output")),
        ("length=input.gt.5", ambiguous("input")),
        ("languages=input.en", empty.clone()),
        ("topics=input.x", empty.clone()),
        ("intents=x", empty.clone()),
        ("pii=input.x", empty.clone()),
        ("parentRunId=nope", "invalid input syntax for type uuid: \"nope\"".to_owned()),
    ] {
        let got = stage.get(&format!("/runs?{filter}")).await;
        assert_eq!((got.status, got.message()), (500, message), "{filter}");
    }
    for filter in
        ["feedback=%7B%22comment%22%3A%22x%22%7D", "regex=output.x", "json=output.x.y", "sentiment=input.gt.1"]
    {
        assert_eq!(stage.get(&format!("/runs?{filter}")).await.status, 500, "{filter}");
    }
}

#[tokio::test]
async fn asking_for_llm_runs_by_type_cuts_their_texts_unless_it_is_asked_twice() {
    let stage = stage().await;
    let whole = stage.all("").await;
    let texts_of =
        |rows: &[Value]| rows.iter().map(|row| (row["input"].clone(), row["output"].clone())).collect::<Vec<_>>();
    assert_eq!(texts_of(&stage.all("type=llm&type=llm").await), texts_of(&whole));
    let body = stage.get("/runs?type=llm&limit=100000").await.text();
    // Some emoji are halved, and the page as a whole is no JSON for a strict reader.
    assert!(body.contains("\\ud83d"), "no half emoji");
    assert!(serde_json::from_str::<Value>(&body).is_err());
    let cut: Value = serde_json::from_str(&body.replace("\\ud83d", "?")).unwrap();
    let cut = cut["data"].as_array().unwrap();
    assert_eq!(texts(cut, "id"), texts(&whole, "id"));
    let short = |value: &Value| value["content"].as_str().is_none_or(|text| text.encode_utf16().count() <= 100);
    let mut shorter = 0;
    for (cut, whole) in cut.iter().zip(&whole) {
        assert!(!cut["input"].is_array() && short(&cut["input"]), "{}", cut["input"]);
        assert!(short(&cut["output"]));
        if whole["input"].is_array() {
            assert_eq!(cut["input"]["role"], "user");
        }
        if whole["output"].is_array() || whole["output"].is_string() {
            assert_eq!(cut["output"], whole["output"], "lists and plain texts stay whole");
        }
        shorter += usize::from(cut["output"] != whole["output"]);
    }
    assert!(shorter > 100, "{shorter}");
}

#[tokio::test]
async fn the_shown_time_of_a_run_is_earlier_than_the_run() {
    let stage = stage().await;
    let run = stage.stored_run(|run| run.is("llm") && run.created_at.as_microsecond() % 1_000 > 0);
    let row = stage.ok(&format!("/runs/{}", run.id)).await;
    let shown = row["createdAt"].as_str().unwrap().replace('.', "%2E");
    for (op, found) in [("lte", false), ("lt", false), ("eq", false), ("gte", true), ("gt", true)] {
        let ids = texts(&stage.all(&format!("date={op}.{shown}")).await, "id");
        assert_eq!(ids.contains(&run.id), found, "{op}");
    }
}
