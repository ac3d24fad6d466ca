//! Lumar over the wire: what is asked and how often, and what becomes of the answers and the failures.

mod sessions;
mod shifting;
mod tracker;

use super::*;
use crate::{
    model::{BrandKind, Day, Status},
    upstream::{Cursor, DriftKind},
};
use tracker::{OTHER, OWN, RIVAL, Run, State, Tracker};

fn run(id: u32, prompt: &'static str, day: &str, status: &'static str) -> Run {
    Run {
        id: format!("r{id}"),
        prompt,
        at: format!("{day}T10:00:{:02}.{:03}Z", id / 1000, id % 1000),
        status,
        rival: id % 2,
    }
}

/// Two weeks of two prompts: thirty finished runs each, and one that is at work.
fn two_weeks() -> State {
    let mut runs = vec![];
    for (start, prompt) in [(0, "q1"), (100, "q2")] {
        runs.extend((0..15).map(|n| run(start + n, prompt, "2026-11-12", "Finished")));
        runs.extend((15..30).map(|n| run(start + n, prompt, "2026-11-20", "Finished")));
    }
    runs.push(run(500, "q1", "2026-11-21", "Running"));
    State { runs, ..State::default() }
}

fn days(count: i32) -> DayRange {
    DayRange::ending("2026-11-22".parse().unwrap(), count)
}

async fn project(lumar: &Lumar) -> ProjectRecord {
    lumar.fetch_projects().await.unwrap().items.remove(0)
}

fn nothing() -> Box<Known<'static>> {
    Box::new(|_: &str, _: u64| false)
}

/// Reads slices to their ends, as a sync does.
async fn read(lumar: &Lumar, project: &ProjectRecord, slices: &[Slice], known: &Known<'_>) -> Vec<Page> {
    let mut pages = vec![];
    for bundle in slices.chunks(lumar.slices_at_once()) {
        let mut open: Vec<(&Slice, Option<Cursor>)> = bundle.iter().map(|slice| (slice, None)).collect();
        while !open.is_empty() {
            let wanted: Vec<Wanted<'_>> =
                open.iter().map(|(slice, cursor)| Wanted { slice, cursor: cursor.as_ref() }).collect();
            let read = lumar.fetch_pages(project, &wanted, known).await.unwrap();
            let next: Vec<_> = open
                .iter()
                .zip(&read)
                .filter_map(|((slice, _), page)| Some((*slice, Some(page.as_ref().unwrap().next.clone()?))))
                .collect();
            pages.extend(read.into_iter().map(Result::unwrap));
            open = next;
        }
    }
    pages
}

#[tokio::test]
async fn projects_have_their_brands_with_merged_ones_as_names() {
    let tracker = Tracker::start(two_weeks()).await;
    let lumar = tracker.client();
    let found = lumar.fetch_projects().await.unwrap();
    let [project] = found.items.as_slice() else { panic!("{found:?}") };
    assert_eq!((project.key.as_str(), project.account.as_deref()), ("p1", Some("acc1")));
    let brands: Vec<String> = project
        .brands
        .iter()
        .map(|b| format!("{} {} {:?} {:?} {:?}", b.kind.as_str(), b.key.0, b.name, b.domains, b.aliases))
        .collect();
    insta::assert_snapshot!(brands.join("\n"), @r#"
    own TjAxN0FpVmlzaWJpbGl0eUJyYW5kMQ "Acme" ["acme.example", "acme-shop.example", "acmeshop.example"] ["Acme-Shop", "AcmeShop"]
    competitor TjAxN0FpVmlzaWJpbGl0eUJyYW5kMg "Globex" ["globex.example"] []
    other TjAxN0FpVmlzaWJpbGl0eUJyYW5kMw "Hooli" ["hooli.example"] []
    "#);
    assert_eq!(found.rejected.iter().map(|r| r.reason.as_str()).collect::<Vec<_>>(), ["`id` is null"]);
    assert!(found.failed.is_empty());
    assert_eq!(tracker.counts(), (3, 1));
    for listed in ["hooli", "Hooli.example", OTHER, "3"] {
        assert_eq!(brands::tracked(project, &[listed.to_owned()]).len(), 3, "{listed}");
    }
    assert_eq!(brands::tracked(project, &[]).len(), 2);
}

#[tokio::test]
async fn accounts_are_those_of_the_key_and_one_failing_hides_no_other() {
    let tracker = Tracker::start(two_weeks()).await;
    let mut lumar = tracker.client();
    lumar.accounts.clear();
    let found = lumar.fetch_projects().await.unwrap();
    assert_eq!(found.items.len(), 1);
    let failed: Vec<String> = found.failed.iter().map(ToString::to_string).collect();
    assert_eq!(failed, ["the key may not read account acc2"]);
    let config = |credential| LumarConfig {
        source: "lumar".into(),
        credential,
        key_variables: vec!["LUMAR_API_KEY".into()],
        base_url: "https://api.lumar.example/graphql".parse().unwrap(),
        accounts: vec![],
        brands: vec![],
        limits: Limits::default(),
    };
    let error = Lumar::new(config(Credential::ServiceKey("lmr_sa_1_x".into()))).unwrap_err();
    assert!(error.to_string().contains("which accounts") && matches!(error, Error::Config { .. }));
    let error = Lumar::new(config(Credential::UserKey { id: "1".into(), secret: " ".into() })).unwrap_err();
    assert!(error.to_string().contains("`LUMAR_API_KEY` is empty"), "{error}");
}

#[tokio::test]
async fn a_first_sync_reads_all_and_a_second_one_next_to_nothing() {
    let tracker = Tracker::start(two_weeks()).await;
    let lumar = tracker.client();
    let project = project(&lumar).await;
    let found = lumar.fetch_slices(&project, days(14)).await.unwrap();
    let slices: Vec<String> = found
        .items
        .iter()
        .map(|s| format!("{} {} {:?} proof {}", s.key, s.last_day, s.runs, s.fingerprint_is_proof))
        .collect();
    insta::assert_snapshot!(slices.join("\n"), @"
    2026-11-16/q1 2026-11-22 Some(15) proof true
    2026-11-16/q2 2026-11-22 Some(15) proof true
    2026-11-16/scores 2026-11-22 None proof true
    2026-11-09/q1 2026-11-15 Some(15) proof true
    2026-11-09/q2 2026-11-15 Some(15) proof true
    2026-11-09/scores 2026-11-15 None proof true
    ");
    let prompt = found.items[0].prompt.clone().unwrap();
    assert_eq!(
        (prompt.text.as_str(), prompt.topic.as_deref(), prompt.label.as_deref()),
        ("Text of q1?", Some("Shops"), Some("q1"))
    );

    let pages = read(&lumar, &project, &found.items, &nothing()).await;
    let runs: Vec<_> = pages.iter().flat_map(|page| &page.runs).collect();
    assert_eq!((runs.len(), runs.iter().filter(|run| run.answer.is_some()).count()), (61, 60));
    assert_eq!(runs.iter().filter(|run| run.status == Status::Running).map(|run| run.facts.len()).sum::<usize>(), 0);
    let scores: Vec<String> = pages
        .iter()
        .flat_map(|page| &page.published)
        .filter(|p| p.brand.as_ref().is_some_and(|brand| brand.0 == OWN))
        .map(|p| format!("{} {} {}", p.day, p.metric, p.value))
        .collect();
    assert_eq!(scores[..2], ["2026-11-16 visibility_index 41.5", "2026-11-16 runs 3"]);
    // Own details of 60 runs; of the rival's 60 those in which it is, 30; as many of the third.
    assert_eq!(tracker.state().count("getAiVisibilityPromptRunDetails"), 120);
    assert_eq!(tracker.state().count("getAiVisibilityPromptRuns"), 4 * 3);
    // Discovery 3, prompts 1, lists 1, scores 1, details 3.
    assert_eq!(tracker.state().requests, 9);
    let refs: Vec<&Slice> = found.items.iter().collect();
    assert_eq!(lumar.requests(&project, &refs), 1 + 1 + 3);

    // All is stored now: lists alone are read, and only of slices that a plan asks for.
    tracker.state().requests = 0;
    let again = lumar.fetch_slices(&project, days(14)).await.unwrap();
    assert_eq!(again.items, found.items);
    assert_eq!(tracker.state().requests, 1);
    let stored: std::collections::HashMap<String, u64> =
        runs.iter().map(|run| (run.key.clone(), run.raw_hash)).collect();
    let known = move |key: &str, hash: u64| stored.get(key) == Some(&hash);
    let pages = read(&lumar, &project, &again.items[..1], &known).await;
    assert!(pages[0].runs.iter().all(|run| run.answer.is_none() && known(&run.key, run.raw_hash)));
    assert_eq!(tracker.state().requests, 2);

    // A run that ends shows in the fingerprints of its prompt and of the scores.
    tracker.state().runs.iter_mut().for_each(|run| run.status = "Finished");
    let changed = lumar.fetch_slices(&project, days(14)).await.unwrap();
    let differ: Vec<&str> = changed
        .items
        .iter()
        .zip(&again.items)
        .filter(|(new, old)| new.fingerprint != old.fingerprint)
        .map(|(new, _)| new.key.as_str())
        .collect();
    assert_eq!(differ, ["2026-11-16/q1", "2026-11-16/scores"]);
}

#[tokio::test]
async fn weeks_without_any_run_are_no_slices_but_for_the_newest() {
    let tracker =
        Tracker::start(State { runs: vec![run(1, "q1", "2026-10-06", "Finished")], ..State::default() }).await;
    let lumar = tracker.client();
    let project = project(&lumar).await;
    let found = lumar.fetch_slices(&project, days(90)).await.unwrap();
    let keys: Vec<&str> = found.items.iter().map(|slice| slice.key.as_str()).collect();
    assert_eq!(
        keys,
        ["2026-11-16/q1", "2026-11-16/q2", "2026-11-16/scores", "2026-10-05/q1", "2026-10-05/q2", "2026-10-05/scores"]
    );
    // 13 weeks of 3 brands in one request.
    assert_eq!(tracker.state().requests, 3 + 1);
}

#[tokio::test]
async fn questions_that_fail_fail_alone() {
    for strict in [false, true] {
        let tracker = Tracker::start(two_weeks()).await;
        let lumar = tracker.client();
        let project = project(&lumar).await;
        let slices = lumar.fetch_slices(&project, days(7)).await.unwrap().items;
        {
            let mut state = tracker.state();
            state.failing = vec![("\"q2\"", "INTERNAL_SERVER_ERROR"), ("\"r16\"", "ENTITY_NOT_FOUND")];
            state.strict = strict;
        }
        let wanted: Vec<Wanted<'_>> = slices.iter().map(|slice| Wanted { slice, cursor: None }).collect();
        let pages = lumar.fetch_pages(&project, &wanted, &*nothing()).await.unwrap();
        assert_eq!(pages[1].as_ref().unwrap_err().class(), "server", "strict: {strict}");
        assert!(!pages[2].as_ref().unwrap().published.is_empty());
        let runs = &pages[0].as_ref().unwrap().runs;
        assert_eq!((runs.len(), runs.iter().filter(|run| run.answer.is_some()).count()), (16, 14));
        // What it was stored with does not pass for the whole.
        tracker.state().failing.clear();
        let whole = lumar.fetch_pages(&project, &wanted[..1], &*nothing()).await.unwrap();
        let hash = |page: &Page| page.runs.iter().find(|run| run.key == "r16").unwrap().raw_hash;
        assert_ne!(hash(pages[0].as_ref().unwrap()), hash(whole[0].as_ref().unwrap()));
    }
}

#[tokio::test]
async fn a_question_that_fails_in_passing_is_asked_again_alone() {
    let tracker = Tracker::start(two_weeks()).await;
    let lumar = tracker.client();
    let project = project(&lumar).await;
    let slices = lumar.fetch_slices(&project, days(7)).await.unwrap().items;
    {
        let mut state = tracker.state();
        state.failing = vec![("\"q2\"", "INTERNAL_SERVER_ERROR")];
        state.failures = Some(4);
        state.asked.clear();
    }
    let pages = read(&lumar, &project, &slices[..2], &nothing()).await;
    assert_eq!((pages[0].runs.len(), pages[1].runs.len()), (16, 15));
    // Six questions, three of them again, and one of those once more.
    assert_eq!(tracker.state().count("getAiVisibilityPromptRuns"), 6 + 3 + 1);
}

#[tokio::test]
async fn a_missing_right_names_the_project() {
    let tracker = Tracker::start(two_weeks()).await;
    let lumar = tracker.client();
    let project = project(&lumar).await;
    tracker.state().failing = vec![("accountId", "INSUFFICIENT_PERMISSIONS")];
    let found = lumar.fetch_slices(&project, days(7)).await.unwrap();
    assert!(found.items.is_empty());
    assert_eq!(found.failed[0].to_string(), "the key may not read project p1");
}

#[tokio::test]
async fn what_the_server_does_not_know_is_left_out_and_told() {
    let mut state = two_weeks();
    state.unknown =
        vec!["searchQueries", "orderBy", "failureReason", "avgVisibilityIndex", "mergedIntoAiVisibilityBrandRawId"];
    state.old_scores = true;
    let tracker = Tracker::start(state).await;
    let lumar = tracker.client();
    let found = lumar.fetch_projects().await.unwrap();
    let mut drift = found.drift.clone();
    assert_eq!(found.items[0].brands.len(), 5, "variants cannot be told from brands any more");
    let slices = lumar.fetch_slices(&found.items[0], days(7)).await.unwrap();
    drift.extend(slices.drift);
    let pages = read(&lumar, &found.items[0], &slices.items, &nothing()).await;
    drift.extend(pages.iter().flat_map(|page| page.drift.clone()));
    let unknown = tracker.state().unknown.clone();
    let mut missing: Vec<String> = drift
        .iter()
        .filter(|drift| drift.kind == DriftKind::MissingField && unknown.contains(&drift.field.as_str()))
        .map(|drift| format!("{} {}", drift.record, drift.field))
        .collect();
    missing.sort();
    missing.dedup();
    insta::assert_snapshot!(missing.join("\n"), @"
    AiVisibilityBrandListItem mergedIntoAiVisibilityBrandRawId
    AiVisibilityBrandListItem orderBy
    AiVisibilityPromptListItem orderBy
    AiVisibilityPromptRunDetails searchQueries
    AiVisibilityPromptRunListItem failureReason
    AiVisibilityPromptRunListItem orderBy
    AiVisibilityVisibilityScore avgVisibilityIndex
    ");
    assert_eq!(pages.iter().map(|page| page.runs.len()).sum::<usize>(), 31);
    assert!(pages.iter().flat_map(|page| &page.published).any(|figure| figure.metric == "visibility_index"));
    // Remembered: not one more refusal.
    let before = tracker.state().requests;
    let _ = lumar.fetch_slices(&found.items[0], days(7)).await.unwrap();
    assert_eq!(tracker.state().requests, before + 1);
}

#[tokio::test]
async fn a_server_that_is_asked_too_much_at_once_is_asked_less() {
    let mut state = two_weeks();
    state.most = Some(7);
    let tracker = Tracker::start(state).await;
    let lumar = tracker.client();
    let project = project(&lumar).await;
    let slices = lumar.fetch_slices(&project, days(14)).await.unwrap();
    let pages = read(&lumar, &project, &slices.items, &nothing()).await;
    assert_eq!(pages.iter().map(|page| page.runs.len()).sum::<usize>(), 61);
    let before = tracker.state().requests;
    let _ = lumar.fetch_slices(&project, days(14)).await.unwrap();
    assert_eq!(tracker.state().requests, before + 1);
}

#[tokio::test]
async fn a_server_may_want_enum_values_in_lower_case() {
    for lower_case in [false, true] {
        let mut state = two_weeks();
        state.lower_case = lower_case;
        let tracker = Tracker::start(state).await;
        let lumar = tracker.client();
        let project = project(&lumar).await;
        let slices = lumar.fetch_slices(&project, days(7)).await.unwrap().items;
        for _ in 0..2 {
            let pages = read(&lumar, &project, &slices[2..], &nothing()).await;
            assert!(!pages[0].published.is_empty());
        }
        assert_eq!(tracker.state().requests, 4 + 2 + usize::from(lower_case));
    }
}

#[tokio::test]
async fn a_brand_merged_between_two_lists_leaves_the_others() {
    let tracker = Tracker::start(two_weeks()).await;
    let lumar = tracker.client();
    let before = project(&lumar).await;
    let slices = lumar.fetch_slices(&before, days(7)).await.unwrap().items;
    let whole = read(&lumar, &before, &slices[..1], &nothing()).await;
    tracker.state().merged = true;
    let pages = read(&lumar, &before, &slices[..1], &nothing()).await;
    assert_eq!((pages[0].runs.len(), pages[0].moved), (16, false));
    assert!(pages[0].runs.iter().all(|run| run.facts.iter().all(|fact| fact.brand.0 != RIVAL)));
    assert!(whole[0].runs.iter().any(|run| run.facts.iter().any(|fact| fact.brand.0 == RIVAL)));
    assert_ne!(whole[0].runs[0].raw_hash, pages[0].runs[0].raw_hash);
    // The slice looks changed from now on, and the variant is a name of its target.
    let merged = lumar.fetch_slices(&before, days(7)).await.unwrap().items;
    assert_ne!(merged[0].fingerprint, slices[0].fingerprint);
    let after = project(&lumar).await;
    assert!(after.brands[0].kind == BrandKind::Own && after.brands[0].aliases.contains(&"Globex".to_owned()));
    assert_eq!(after.brands.len(), 2);
}

#[test]
fn a_slice_knows_its_week() {
    let day: Day = "2026-11-18".parse().unwrap();
    let week = slices::Week::of_slice(&Slice { key: "2026-11-16/q1".into(), ..Slice::of_day(day) });
    assert_eq!(week.days(), json!({ "start": "2026-11-16", "end": "2026-11-19" }));
}
