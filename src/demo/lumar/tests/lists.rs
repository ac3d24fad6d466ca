//! Lists are cut by offsets that move when rows arrive, sorted as asked, and change as brands and runs do.

use super::*;
use std::collections::BTreeSet;

/// One page of a prompt's runs.
async fn page(stage: &Stage, more: &str) -> Value {
    let query = format!(
        "{{ page: getAiVisibilityPromptRuns(accountId: \"{}\", aiVisibilityPromptId: \"{}\", \
         aiVisibilityBrandId: \"{}\"{more}) {{ nodes {{ rawId createdAt status }} edges {{ cursor node {{ rawId }} }} \
         pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} totalCount }} }}",
        stage.server.account_of(0),
        stage.server.prompt_id(0, 0),
        stage.own()
    );
    stage.data(&query, Value::Null).await["page"].clone()
}

fn numbers(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|node| node["rawId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_follow_one_another_by_cursor() {
    let stage = stage().await;
    let all = numbers(&page(&stage, ", first: 1000").await);
    assert_eq!((all.len(), numbers(&page(&stage, "").await).len()), (24, 15));
    let mut walked = Vec::new();
    let mut after = String::new();
    for expected in ["MTA", "MjA", "MjQ"] {
        let one = page(&stage, &format!(", first: 10{after}")).await;
        assert_eq!(one["pageInfo"]["endCursor"], expected);
        assert_eq!(one["edges"].as_array().unwrap().last().unwrap()["cursor"], expected);
        assert_eq!(one["edges"][0]["node"]["rawId"], one["nodes"][0]["rawId"]);
        assert_eq!(one["pageInfo"]["hasNextPage"], expected != "MjQ");
        assert_eq!(one["pageInfo"]["hasPreviousPage"], !walked.is_empty());
        walked.extend(numbers(&one));
        after = format!(", after: \"{expected}\"");
    }
    assert_eq!(walked, all);
    let beyond = page(&stage, ", after: \"OTk\"").await;
    assert_eq!((numbers(&beyond).len(), &beyond["pageInfo"]["endCursor"]), (0, &Value::Null));
    assert_eq!(numbers(&page(&stage, ", last: 3").await), all[21..]);
    assert_eq!(numbers(&page(&stage, ", last: 3, before: \"MTA\"").await), all[6..9]);
    for wrong in [", first: 0", ", first: 1001", ", last: 0", ", first: 1, last: 1", ", after: \"%\""] {
        let query = format!(
            "{{ getAiVisibilityProjects(accountId: \"{}\"{wrong}) {{ totalCount }} }}",
            stage.server.account_of(0)
        );
        assert_eq!(stage.ask(&query, Value::Null).await.code(), "BAD_USER_INPUT", "{wrong}");
    }
}

#[tokio::test]
async fn runs_that_arrive_between_two_pages_move_the_second() {
    let stage = stage().await;
    let first = page(&stage, ", first: 8").await;
    let target = "getAiVisibilityPromptRuns";
    stage.server.faults().inject(target, Fault::Arriving, When::Next(1));
    let second = page(&stage, ", first: 8, after: \"OA\"").await;
    assert_eq!(second["totalCount"], 28);
    let (first, second) = (numbers(&first), numbers(&second));
    assert_eq!(first[4..], second[..4]);
    let fresh = page(&stage, ", first: 4").await;
    let newcomers: BTreeSet<String> = numbers(&fresh).into_iter().collect();
    assert!(newcomers.is_disjoint(&first.into_iter().collect()));
    assert!(
        fresh["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|node| { matches!(node["status"].as_str().unwrap(), "Finished" | "Failed") })
    );
    // Each number is that of a run which has details.
    stage.server.rerun(0, newest().plus(-1));
    let all = numbers(&page(&stage, ", first: 1000").await);
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (32, 32));
    for number in all {
        let query = format!(
            "{{ getAiVisibilityPromptRunDetails(accountId: 12345, aiVisibilityPromptRunId: \"{number}\", \
             aiVisibilityBrandId: \"{}\") {{ createdAt }} }}",
            stage.own()
        );
        stage.data(&query, Value::Null).await;
    }
}

#[tokio::test]
async fn lists_are_sorted_as_asked_and_days_are_inside_at_both_ends() {
    let stage = stage().await;
    let sorted = |field: &str, direction: &str| {
        format!(", orderBy: [{{ field: {field}, direction: {direction} }}, {{ field: createdAt, direction: ASC }}]")
    };
    let own = stage.own();
    for field in ["totalBrandMentions", "bestBrandPosition", "avgBrandSentiment", "totalBrandCitations"] {
        let down = stage.runs(1, &own, &sorted(field, "DESC"), &format!("v: {field}")).await;
        let values: Vec<Option<f64>> = down.iter().map(|run| run["v"].as_f64()).collect();
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        assert!(known.is_sorted_by(|a, b| a >= b), "{field}: {values:?}");
        assert!(values[known.len()..].iter().all(Option::is_none), "null comes last: {values:?}");
        let up = stage.runs(1, &own, &sorted(field, "ASC"), &format!("v: {field}")).await;
        assert!(up.iter().filter_map(|run| run["v"].as_f64()).is_sorted());
    }
    let days = |range: &str| {
        let range = format!(", dateRange: {range}");
        let stage = &stage;
        let own = own.clone();
        async move { stage.runs(0, &own, &range, "createdAt").await.len() }
    };
    assert_eq!(days("{ start: \"2026-11-18\", end: \"2026-11-18\" }").await, 4);
    assert_eq!(days("{ start: \"2026-11-18\", end: \"2026-11-20\" }").await, 12);
    assert_eq!(days("{ start: \"2020-01-01\", end: \"2030-01-01\" }").await, 24);
    for wrong in ["{ start: \"soon\", end: \"2026-11-18\" }", "{ start: \"2026-11-19\", end: \"2026-11-18\" }"] {
        let query = format!(
            "{{ getAiVisibilityBrands(accountId: \"{}\", aiVisibilityProjectId: \"{}\", dateRange: {wrong}) \
             {{ totalCount }} }}",
            stage.server.account_of(0),
            stage.server.project_id(0)
        );
        assert_eq!(stage.ask(&query, Value::Null).await.code(), "BAD_USER_INPUT", "{wrong}");
    }
}

#[tokio::test]
async fn open_runs_settle_new_days_come_and_what_is_deleted_is_gone() {
    let stage = stage().await;
    let is_open = |runs: &[Value]| runs.iter().any(|run| run["status"] == "Pending" || run["status"] == "Running");
    let mut any_open = false;
    for prompt in 0..6 {
        any_open |= is_open(&stage.runs(prompt, &stage.own(), "", "status").await);
    }
    assert!(any_open);
    stage.server.settle(0, newest());
    for prompt in 0..6 {
        assert!(!is_open(&stage.runs(prompt, &stage.own(), "", "status").await));
    }
    let before = stage.runs(2, &stage.own(), "", "id").await;
    stage.server.remove(before[0]["id"].as_str().unwrap());
    assert_eq!(stage.runs(2, &stage.own(), "", "id").await, before[1..]);
    stage.server.remove(&stage.server.prompt_id(0, 5));
    let prompts = stage.nodes("getAiVisibilityPrompts", &stage.seen_by(&stage.own()), "rawId").await;
    assert_eq!(prompts.len(), 5);
    stage.server.edit(0, |runs| runs.retain(|run| run.engine != "grok"));
    assert_eq!(stage.runs(1, &stage.own(), "", "id").await.len(), 18);

    let brands = format!(
        "accountId: \"{}\", aiVisibilityProjectId: \"{}\"",
        stage.server.account_of(0),
        stage.server.project_id(0)
    );
    let few = stage.nodes("getAiVisibilityBrands", &brands, "name type domain primary").await;
    let later = stage.tracker.world().until(newest().plus(12));
    stage.server.replace(Arc::new(WorldTracker::new(Arc::new(later))));
    let more = stage.nodes("getAiVisibilityBrands", &brands, "name type domain primary").await;
    assert_eq!(more.len(), few.len() + 1);
    assert_eq!(more.iter().filter(|brand| brand["primary"] == true).count(), 1);
    assert!(more.iter().filter(|brand| brand["type"] == "Other").all(|brand| brand["domain"].is_string()));
    let found = stage.nodes("getAiVisibilityBrands", &format!("{brands}, search: \"AMBR\""), "name").await;
    assert_eq!(found, [json!({ "name": "Ambrelle" })]);
}

#[tokio::test]
async fn a_merged_variant_vanishes_and_its_figures_are_the_targets() {
    let tracker = WorldTracker::new(Arc::new(small_world())).with_loose_variants();
    let stage = stage_of(tracker, LumarOptions::unhurried()).await;
    let (variant, target) = (stage.server.brand_id(0, "Ambrelle Power"), stage.server.brand_id(0, "Ambrelle"));
    let range = ", dateRange: { start: \"2026-11-16\", end: \"2026-11-21\" }";
    let brands = format!(
        "accountId: \"{}\", aiVisibilityProjectId: \"{}\"{range}",
        stage.server.account_of(0),
        stage.server.project_id(0)
    );
    let mentions = |brand: &str| {
        let arguments = format!("{}{range}", stage.seen_by(brand));
        format!(
            "{{ scores: getAiVisibilityVisibilityScores({arguments}, timeBucket: Month) {{ totalBrandMentions }} }}"
        )
    };
    let count = async |brand: &str| {
        let scores = stage.data(&mentions(brand), Value::Null).await;
        scores["scores"][0]["totalBrandMentions"].as_u64().unwrap()
    };
    let (of_variant, of_target) = (count(&variant).await, count(&target).await);
    assert!(of_variant > 0 && of_target > of_variant, "{of_variant} {of_target}");
    let names = stage.nodes("getAiVisibilityBrands", &brands, "name").await;
    assert!(names.contains(&json!({ "name": "Ambrelle Power" })));

    stage.server.merge(&variant, &target);
    assert_eq!(count(&target).await, of_variant + of_target);
    let world = stage.tracker.world();
    let truth: u32 = world.runs().filter(|run| run.project == 0).map(|run| run.mentions_of(1)).sum();
    assert_eq!(u64::from(truth), of_variant + of_target);
    let names = stage.nodes("getAiVisibilityBrands", &brands, "name").await;
    assert!(!names.contains(&json!({ "name": "Ambrelle Power" })));
    let gone = stage.ask(&mentions(&variant), Value::Null).await;
    assert_eq!(gone.code(), "ENTITY_NOT_FOUND");
}

#[tokio::test]
async fn a_big_world_is_worked_out_only_where_it_is_asked_about() {
    let big = WorldSize { prompts: vec![500], days: 365, engines: 6, brands: 40, ..WorldSize::demo() };
    let world = Arc::new(World::new(big, 7, newest()));
    let stage = stage_of(WorldTracker::new(world), LumarOptions::unhurried()).await;
    let range = ", dateRange: { start: \"2026-11-12\", end: \"2026-11-21\" }";
    for _ in 0..2 {
        assert_eq!(stage.runs(321, &stage.own(), range, "id").await.len(), 60);
    }
    assert_eq!(lock(&stage.server.inner.state).kept_places(), 10);
}
