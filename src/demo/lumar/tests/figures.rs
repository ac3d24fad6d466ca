//! Published figures follow from the runs by the documented formulas: recounted here from the details of every run.

use super::*;

const DETAILS: &str = "query D($account: ObjectID!, $run: ObjectID!, $brand: ObjectID!) { \
    d: getAiVisibilityPromptRunDetails(accountId: $account, aiVisibilityPromptRunId: $run, aiVisibilityBrandId: $brand) \
    { topicName aiProviderType createdAt visibilityScore brandCitations { url position citationQualityScore } \
      brandMentions { brandMentionQualityScore sentiment brandName brandType } otherBrandCitations { url } } }";
const COLUMNS: &str = "avgVisibilityScore avgVisibilityIndex avgCitationQualityScore avgBrandMentionQualityScore \
    totalBrandCitations totalBrandMentions avgPresenceRate avgQualityScore totalRuns";
const RANGE: &str = ", dateRange: { start: \"2026-11-17\", end: \"2026-11-20\" }";

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn close(value: &Value, expected: Option<f64>) -> bool {
    match expected {
        Some(expected) => value.as_f64().is_some_and(|value| (value - expected).abs() < 0.006),
        None => value.is_null(),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / crate::demo::rng::real(values.len()))
}

/// Every finished run of project 0 in the range, as a brand sees it: its prompt and its details.
async fn finished(stage: &Stage, brand: &str) -> Vec<(usize, Value)> {
    let mut all = Vec::new();
    for prompt in 0..6 {
        for run in stage.runs(prompt, brand, RANGE, "id status").await {
            if run["status"] == "Finished" {
                let variables = json!({ "account": stage.server.account_of(0), "run": run["id"], "brand": brand });
                all.push((prompt, stage.data(DETAILS, variables).await["d"].clone()));
            }
        }
    }
    all
}

/// The figures of these runs, counted the plain way, compared with published ones.
fn check(published: &Value, runs: &[&Value], what: &str) {
    let count = crate::demo::rng::real(runs.len());
    let items = |list: &str, column: &str| -> Vec<f64> {
        runs.iter().flat_map(|run| run[list].as_array().unwrap()).map(|item| number(&item[column])).collect()
    };
    let holding = |lists: &[&str]| {
        let holds = |run: &&&Value| lists.iter().any(|list| !run[*list].as_array().unwrap().is_empty());
        crate::demo::rng::real(runs.iter().filter(holds).count())
    };
    let citation = mean(&items("brandCitations", "citationQualityScore"));
    let mention = mean(&items("brandMentions", "brandMentionQualityScore"));
    let index = 0.25 * citation.unwrap_or(0.0) * (holding(&["brandCitations"]) / count).sqrt()
        + 0.75 * mention.unwrap_or(0.0) * (holding(&["brandMentions"]) / count).sqrt();
    let quality = match (mention, citation) {
        (Some(mention), Some(citation)) => Some(0.75 * mention + 0.25 * citation),
        (one, other) => one.or(other),
    };
    for (name, expected) in [
        ("avgVisibilityIndex", Some(index)),
        ("avgVisibilityScore", Some(index)),
        ("avgCitationQualityScore", citation),
        ("avgBrandMentionQualityScore", mention),
        ("avgPresenceRate", Some(100.0 * holding(&["brandCitations", "brandMentions"]) / count)),
        ("avgQualityScore", quality),
        ("totalRuns", Some(count)),
        ("totalBrandCitations", Some(crate::demo::rng::real(items("brandCitations", "position").len()))),
        ("totalBrandMentions", Some(crate::demo::rng::real(items("brandMentions", "sentiment").len()))),
        ("avgBrandPosition", mean(&items("brandCitations", "position"))),
        ("avgBrandSentiment", mean(&items("brandMentions", "sentiment"))),
    ] {
        if let Some(value) = published.get(name) {
            assert!(close(value, expected), "{what}: {name} is {value}, counted {expected:?}");
        }
    }
}

#[tokio::test]
async fn figures_by_brand_prompt_topic_and_bucket_are_what_the_runs_give() {
    let stage = stage().await;
    for name in ["Fernvolt", "Solénne"] {
        let brand = stage.server.brand_id(0, name);
        let runs = finished(&stage, &brand).await;
        assert!(runs.len() > 80, "{}", runs.len());
        let arguments = format!("{}{RANGE}", stage.seen_by(&brand));
        let select = format!("name {COLUMNS} avgBrandPosition avgBrandSentiment");
        let brand_columns = select.replace("totalBrandMentions", "").replace("totalRuns", "");
        let brands = stage.nodes("getAiVisibilityBrands", &arguments, &brand_columns).await;
        let own = brands.iter().find(|node| node["name"] == name).unwrap();
        check(own, &runs.iter().map(|(_, run)| run).collect::<Vec<_>>(), name);

        let prompts = stage
            .nodes(
                "getAiVisibilityPrompts",
                &arguments,
                &format!("id {} topBrands {{ name type avgVisibilityScore }}", select.replace("name ", "")),
            )
            .await;
        assert_eq!(prompts.len(), 6);
        for node in &prompts {
            let place = (0..6).find(|n| node["id"] == stage.server.prompt_id(0, *n).as_str()).unwrap();
            let of: Vec<&Value> = runs.iter().filter(|(prompt, _)| *prompt == place).map(|(_, run)| run).collect();
            check(node, &of, &format!("{name}, prompt {place}"));
            assert!(!node["topBrands"].as_array().unwrap().is_empty());
        }
        let scores: Vec<f64> = prompts.iter().map(|node| number(&node["avgVisibilityScore"])).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");

        let topic_columns = format!(
            "name {}",
            COLUMNS
                .split(' ')
                .filter(|c| !c.is_empty() && !["avgVisibilityIndex", "avgPresenceRate", "avgQualityScore"].contains(c))
                .collect::<Vec<_>>()
                .join(" ")
        );
        for node in stage.nodes("getAiVisibilityTopics", &arguments, &topic_columns).await {
            let of: Vec<&Value> =
                runs.iter().filter(|(_, run)| run["topicName"] == node["name"]).map(|(_, run)| run).collect();
            check(&node, &of, &format!("{name}, topic {}", node["name"]));
        }
        for bucket in ["Day", "Week", "Month"] {
            let query = format!(
                "{{ points: getAiVisibilityVisibilityScores({arguments}, timeBucket: {bucket}) {{ date {COLUMNS} }} }}"
            );
            let points = stage.data(&query, Value::Null).await["points"].as_array().unwrap().clone();
            assert_eq!(points.len(), if bucket == "Day" { 4 } else { 1 });
            for point in points {
                let day = point["date"].as_str().unwrap().strip_suffix("T00:00:00.000Z").unwrap().to_owned();
                let of: Vec<&Value> = runs
                    .iter()
                    .map(|(_, run)| run)
                    .filter(|run| bucket != "Day" || run["createdAt"].as_str().unwrap().starts_with(&day))
                    .collect();
                assert!(bucket != "Week" || day == "2026-11-16");
                assert!(bucket != "Month" || day == "2026-11-01");
                check(&point, &of, &format!("{name}, {bucket} {day}"));
            }
        }
    }
}

#[tokio::test]
async fn shares_of_voice_sum_to_a_hundred_and_metrics_need_days() {
    let stage = stage().await;
    let arguments = stage.seen_by(&stage.own());
    let select = "name type avgVisibilityScore mentionShareOfVoice citationShareOfVoice totalBrandCitations";
    let brands = stage.nodes("getAiVisibilityBrands", &format!("{arguments}{RANGE}"), select).await;
    for share in ["mentionShareOfVoice", "citationShareOfVoice"] {
        let sum: f64 = brands.iter().map(|brand| number(&brand[share])).sum();
        assert!((sum - 100.0).abs() < 0.5, "{share}: {sum}");
    }
    let others = brands.iter().filter(|brand| brand["type"] == "Other");
    assert!(others.map(|brand| number(&brand["totalBrandCitations"])).sum::<f64>() > 0.0);
    let bare = stage.nodes("getAiVisibilityBrands", &arguments, select).await;
    assert!(bare.iter().all(|brand| brand["avgVisibilityScore"].is_null() && brand["totalBrandCitations"].is_null()));
    let names: Vec<&str> = bare.iter().map(|brand| brand["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted());
    let prompts = stage.nodes("getAiVisibilityPrompts", &arguments, "content totalRuns topBrands { name }").await;
    assert!(prompts.iter().all(|prompt| prompt["totalRuns"].is_null() && prompt["topBrands"].is_null()));
    let contents: Vec<&str> = prompts.iter().map(|prompt| prompt["content"].as_str().unwrap()).collect();
    assert!(contents.is_sorted());
}

#[tokio::test]
async fn counts_are_what_the_answers_hold_and_urls_are_gathered() {
    let stage = stage().await;
    let world = stage.tracker.world();
    for (place, brand) in world.brands(0).iter().enumerate() {
        let id = stage.server.brand_id(0, &brand.name);
        let (mut mentions, mut citations) = (0, 0);
        for prompt in 0..6 {
            for run in stage
                .runs(prompt, &id, "", "totalBrandMentions totalBrandCitations bestBrandPosition brandVisible")
                .await
            {
                mentions += run["totalBrandMentions"].as_u64().unwrap();
                citations += run["totalBrandCitations"].as_u64().unwrap();
                assert_eq!(run["bestBrandPosition"].is_null(), run["totalBrandCitations"] == 0);
                assert_eq!(run["brandVisible"], run["totalBrandCitations"] != 0 || run["totalBrandMentions"] != 0);
            }
        }
        let runs: Vec<_> = world.runs().filter(|run| run.project == 0).collect();
        assert_eq!(mentions, runs.iter().map(|run| u64::from(run.mentions_of(place))).sum::<u64>(), "{}", brand.name);
        let written: usize = runs.iter().map(|run| run.citations_of(place).count()).sum();
        assert_eq!(citations, u64::try_from(written).unwrap(), "{}", brand.name);
        let select = "url aiProviderTypes topicNames avgBrandPosition totalBrandCitations avgCitationScore";
        let urls = stage.nodes("getAiVisibilityBrandCitations", &stage.seen_by(&id), select).await;
        let counts: Vec<u64> = urls.iter().map(|url| url["totalBrandCitations"].as_u64().unwrap()).collect();
        assert_eq!((counts.iter().sum::<u64>(), counts.is_sorted_by(|a, b| a >= b)), (citations, true));
        assert!(urls.iter().all(|url| url["url"].as_str().unwrap().contains(&brand.domain)));
        assert!(urls.iter().all(|url| !url["topicNames"].as_array().unwrap().is_empty()));
    }
}

#[tokio::test]
async fn both_servers_show_the_same_runs() {
    use crate::demo::{verseodin, world::Take};
    let world = Arc::new(small_world());
    let other = verseodin::WorldTracker::new(world.clone());
    let lumar = WorldTracker::new(world);
    for day in [newest(), newest().plus(-2)] {
        let rows = verseodin::Tracker::rows(&other, other.universe_id(0), day, Take::default());
        let runs: Vec<(usize, Run)> = (0..6)
            .flat_map(|prompt| lumar.runs(0, prompt, day, Take::default()).into_iter().map(move |run| (prompt, run)))
            .collect();
        assert_eq!(rows.len(), runs.len());
        for (prompt, run) in runs {
            let row = rows
                .iter()
                .find(|row| row.engine == run.engine && usize::try_from(row.prompt_id).unwrap() == prompt + 1)
                .unwrap();
            assert_eq!((row.created_at, &row.error_text), (run.created_at, &run.failure));
            assert_eq!(row.response_text.as_deref().filter(|text| !text.is_empty()), run.answer.as_deref());
            let urls: Vec<&str> = run.citations.iter().map(|citation| citation.url.as_str()).collect();
            assert_eq!(row.appeared_links, urls);
            let own = run.mentions.iter().find(|mention| mention.brand == 0).map_or(0, |mention| mention.count);
            assert_eq!(row.my_brand_mentions_count, own);
        }
    }
}
