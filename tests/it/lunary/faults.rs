//! Lunary misbehaving: a complete cache or a named message, never a lost or half row.

use crate::{
    support::{
        lunary::LunaryStage,
        secrets::Watched as _,
        sync::{done, failure, quick, small},
        world::call,
    },
    sync::{
        kill::{seed, survives},
        picture::{assert_same, assert_sound, picture},
        two::second_asks_for_nothing,
    },
};
use serde_json::json;
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use visibility_mcp::{
    clock::Clock,
    demo::{
        lunary::{Fault, RowChange, When},
        world::WorldSize,
    },
    model::Day,
    store::Store,
    sync::SourceReport,
    upstream::{
        Upstream,
        lunary::{Lunary, LunaryConfig},
    },
};

/// The list of runs alone.
const LIST: &str = "/runs/$";
const COUNT: &str = "/runs/count";

/// Kills of all worlds together.
const KILLS: usize = 200;

#[tokio::test]
async fn what_passes_leaves_no_trace() {
    let stage = LunaryStage::small();
    stage.settle();
    let expected = picture(&stage.undisturbed("undisturbed.sqlite").await);
    for (target, fault) in [
        ("", Fault::Internal),
        ("", Fault::Html),
        ("", Fault::TooMany { retry_after: Some(0) }),
        ("", Fault::TooMany { retry_after: None }),
        ("", Fault::Reset),
        ("", Fault::Truncated),
        ("", Fault::Closed),
        ("", Fault::Drip { chunk: 700, pause: Duration::from_millis(1) }),
        (LIST, Fault::Internal),
        (LIST, Fault::Html),
        (LIST, Fault::Truncated),
        (LIST, Fault::Closed),
        (COUNT, Fault::Html),
        (COUNT, Fault::Reset),
    ] {
        let case = format!("{target} {fault:?}");
        let store = stage.other_cache(&format!("{}.sqlite", case.replace(|c: char| !c.is_alphanumeric(), "-")));
        stage.server.faults().inject(target, fault, When::After { skip: 2, count: 2 });
        let report = stage.sync_into(&store).await;
        stage.server.faults().clear();
        if !matches!(report.outcome, visibility_mcp::sync::Outcome::Done) {
            // It was told, and the next sync does the rest.
            failure(&report);
            done(stage.sync_into(&store).await);
        }
        assert_sound(&case, &store);
        assert_same(&case, &picture(&store), &expected);
    }
}

#[tokio::test]
async fn a_server_that_does_not_count_is_read_all_the_same() {
    let stage = LunaryStage::small();
    stage.settle();
    let expected = runs(&stage.undisturbed("undisturbed.sqlite").await);
    for fault in [Fault::Internal, Fault::Html] {
        let case = format!("{fault:?}");
        let store = stage.other_cache(&format!("{case}.sqlite"));
        stage.server.faults().inject(COUNT, fault, When::Always);
        done(stage.sync_into(&store).await);
        stage.server.faults().clear();
        assert_same(&case, &runs(&store), &expected);
        assert_sound(&case, &store);
    }
}

#[tokio::test]
async fn keys_that_open_nothing_are_named_with_their_variable() {
    let stage = LunaryStage::small();
    let sync = async |name: &str, config: LunaryConfig| {
        let upstream: Arc<dyn Upstream> = Arc::new(Lunary::new(config).unwrap());
        let store = stage.other_cache(&format!("{name}.sqlite"));
        let report = stage.sync_with(&store, &[upstream], stage.last_day()).await.sources.remove(0);
        let (class, error, hint) = failure(&report);
        assert!(error.contains("LUNARY_API_KEY") || hint.contains("LUNARY_API_KEY"), "{name}: {error}; {hint}");
        (class.to_owned(), error.to_owned(), hint.to_owned())
    };
    let with = |key: String| LunaryConfig { api_key: key.into(), ..stage.config() };
    let (_, error, _) = sync("public", with(stage.server.public_key(0))).await;
    assert!(error.contains("public key"), "{error}");
    let (_, error, _) = sync("organisation", with(stage.server.org_key())).await;
    assert!(error.contains("organisation"), "{error}");
    let (class, ..) = sync("nobody's", with("3b420e08-5210-43b8-aa31-80a2daff575c".to_owned())).await;
    assert_eq!(class, "unauthorized");
    // What answers like a missing key: a path that is none.
    let elsewhere = stage.server.base_url().replace("/v1", "/v2").parse().unwrap();
    let (_, _, hint) = sync("elsewhere", LunaryConfig { base_url: elsewhere, ..stage.config() }).await;
    assert!(hint.contains("base URL"), "{hint}");

    // No key at all: the program says so without asking anybody.
    stage.server.clear_requests();
    let cache = stage.folder.path().join("none.sqlite");
    let said = stage.program(&cache).env_remove("LUNARY_API_KEY").arg("sync").watched();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!said.status.success() && text.contains("LUNARY_API_KEY"), "{text}");
    assert_eq!(stage.server.requests(), []);
}

#[tokio::test]
async fn a_key_that_is_revoked_in_the_middle_is_named_and_the_next_sync_goes_on() {
    let stage = LunaryStage::small();
    stage.settle();
    let expected = picture(&stage.undisturbed("undisturbed.sqlite").await);
    stage.server.faults().inject(LIST, Fault::RevokeKeys, When::After { skip: 2, count: 1 });
    let report = stage.sync().await;
    let (class, _, hint) = failure(&report);
    assert_eq!(class, "unauthorized");
    assert!(hint.contains("`LUNARY_API_KEY`"), "{hint}");
    assert!(report.counts.added > 0, "what came before is kept: {report:?}");
    stage.server.faults().clear();
    stage.server.restore_keys();
    stage.sync_all().await;
    assert_sound("the key restored", &stage.store);
    assert_same("the key restored", &picture(&stage.store), &expected);
}

/// The runs of a cache, whole.
fn runs(store: &Store) -> Vec<String> {
    picture(store).into_iter().filter(|line| line.starts_with("RunDetails")).collect()
}

#[tokio::test]
async fn a_server_that_ignores_filters_is_found_out_and_nothing_of_it_is_stored() {
    let stage = LunaryStage::small();
    stage.settle();
    let told = |report: &SourceReport| {
        let (class, error, _) = failure(report);
        assert_eq!(class, "decode", "{report:?}");
        assert!(error.contains("filter was dropped"), "{error}");
    };
    stage.server.faults().inject(LIST, Fault::FiltersIgnored, When::Always);
    let report = stage.sync().await;
    told(&report);
    assert_eq!(runs(&stage.store), [""; 0]);
    stage.server.faults().clear();
    stage.sync_all().await;
    let whole = runs(&stage.store);
    assert_eq!(whole.len(), 8 * 3 * 4);

    // Nor do the runs of then go when it begins to.
    stage.server.faults().inject(LIST, Fault::FiltersIgnored, When::Always);
    told(&stage.sync_on(stage.last_day().plus(1)).await);
    assert_same("ignored later", &runs(&stage.store), &whole);
    assert_sound("filters ignored", &stage.store);
    stage.server.faults().clear();
    done(stage.sync_on(stage.last_day().plus(1)).await);
    assert_same("minded again", &runs(&stage.store), &whole);
}

#[tokio::test]
async fn a_server_that_cuts_pages_short_is_read_to_the_end() {
    let stage = LunaryStage::small();
    stage.settle();
    // Without the records: a run under two chats is sent twice, and a page may end between the two.
    let expected = stage.listed(&stage.undisturbed("undisturbed.sqlite").await);
    for (target, limit) in [(LIST, 7), (LIST, 5), ("", 7), ("", 33)] {
        let case = format!("{target} {limit}");
        let store = stage.other_cache(&format!("capped-{}-{limit}.sqlite", target.len()));
        stage.server.faults().inject(target, Fault::LimitCapped(limit), When::Always);
        done(stage.sync_into(&store).await);
        stage.server.faults().clear();
        assert_eq!(stage.listed(&store), expected, "{case}");
        assert_sound(&case, &store);
    }
}

#[tokio::test]
async fn rows_that_come_twice_or_in_no_order_are_neither_lost_nor_doubled() {
    let stage = LunaryStage::small();
    stage.settle();
    let expected = runs(&stage.undisturbed("undisturbed.sqlite").await);
    // Full pages whose first rows come twice, so that as many fewer come at the end: the next page has them.
    stage.server.faults().inject(LIST, Fault::LimitCapped(12), When::Always);
    stage.server.faults().inject(LIST, Fault::Repeated { count: 3 }, When::After { skip: 1, count: 1 });
    stage.sync_all().await;
    stage.server.faults().clear();
    assert_same("repeated", &runs(&stage.store), &expected);
    assert_sound("repeated", &stage.store);

    let store = stage.other_cache("order.sqlite");
    stage.server.faults().inject(LIST, Fault::OutOfOrder, When::Always);
    let report = stage.sync_into(&store).await;
    let (class, error, _) = failure(&report);
    assert_eq!(class, "decode");
    assert!(error.contains("order"), "{error}");
    assert_eq!(runs(&store), [""; 0], "nothing is taken from a page that cannot be trusted");
    stage.server.faults().clear();
    done(stage.sync_into(&store).await);
    assert_same("in order again", &runs(&store), &expected);
    assert_sound("in order again", &store);
}

#[tokio::test]
async fn odd_rows_are_put_aside_and_the_others_land() {
    // Eight rows of a day are of other types and come first.
    const ODD: usize = 12;
    for (change, is_readable) in [
        (RowChange::MissingId, false),
        (RowChange::NullId, false),
        (RowChange::BadCreatedAt, false),
        (RowChange::NullCreatedAt, false),
        (RowChange::UnknownStatus, true),
        (RowChange::NumberDuration, true),
        (RowChange::StringCost, true),
        (RowChange::ExtraFields, true),
    ] {
        let case = format!("{change:?}");
        let stage = LunaryStage::small();
        stage.settle();
        let all: BTreeSet<String> = stage.calls(true).into_iter().map(|run| run.id).collect();
        // The first request is about the project.
        let when = When::After { skip: 1, count: 1_000 };
        stage.server.faults().inject(LIST, Fault::Rows { change, count: ODD }, when);
        let report = stage.sync_all().await;
        let found: BTreeSet<String> = stage.by_key().into_keys().collect();
        let quarantined = stage.store.reader().unwrap().quarantined(&"lunary".into()).unwrap().unwrap();
        if is_readable {
            assert_eq!((found, quarantined, report.counts.rejected), (all, 0, 0), "{case}");
        } else {
            let lost = all.difference(&found).count();
            assert!(found.is_subset(&all) && lost > 0 && lost <= 4 * (ODD - 8), "{case}: {lost} lost");
            assert!(quarantined > 0, "{case}");
            let sources = call(&stage.backend(), "list_sources", json!({ "response_format": "detailed" })).unwrap();
            assert_eq!(sources["sources"][0]["quarantined_rows"], quarantined, "{case}");
            assert!(!sources["sources"][0]["quarantine"]["rows"].as_array().unwrap().is_empty(), "{case}");
        }
        assert_sound(&case, &stage.store);
    }
}

#[tokio::test]
async fn rows_of_which_nothing_is_as_promised_are_told_and_leave_what_was_there() {
    let stage = LunaryStage::small();
    stage.settle();
    stage.sync_all().await;
    let whole = runs(&stage.store);
    // A number where a time belongs may be one of another day: that page is not believed.
    let odd = Fault::Rows { change: RowChange::WrongTypes, count: 12 };
    stage.server.faults().inject(LIST, odd, When::After { skip: 1, count: 1_000 });
    let tomorrow = stage.last_day().plus(1);
    assert_eq!(failure(&stage.sync_on(tomorrow).await).0, "decode");
    assert_same("odd", &runs(&stage.store), &whole);
    stage.server.faults().clear();
    let report = done(stage.sync_on(tomorrow).await);
    assert_eq!((report.counts.added, report.counts.changed, report.counts.gone), (0, 0, 0));
    assert_same("even again", &runs(&stage.store), &whole);
    assert_sound("odd rows", &stage.store);
}

#[tokio::test]
async fn half_emojis_and_lists_without_end_cost_no_row() {
    let stage = LunaryStage::small();
    stage.settle();
    stage.sync_all().await;
    let plain = stage.by_key();
    let halved = stage.other_cache("halved.sqlite");
    stage.server.faults().inject(LIST, Fault::LoneSurrogates, When::Always);
    done(stage.sync_into(&halved).await);
    let runs = stage.listed(&halved);
    assert_eq!(runs.len(), plain.len());
    for run in &runs {
        let before = plain[run.row.key.as_ref().unwrap()].answer.as_ref().map(|answer| format!("{answer}\u{fffd}"));
        assert_eq!(run.answer, before, "the text is there, and a sign for the half that is not");
    }
    assert_sound("half emojis", &halved);

    let deep = stage.other_cache("deep.sqlite");
    stage.server.faults().clear();
    // The first row is the one that it happens to.
    stage.server.edit(0, |runs| runs.retain(|run| run.kind == "llm"));
    stage.server.faults().inject(LIST, Fault::Deep { levels: 5_000 }, When::After { skip: 1, count: 1_000 });
    done(stage.sync_into(&deep).await);
    assert_eq!(stage.listed(&deep).len(), plain.len());
    assert_sound("lists in lists", &deep);
}

#[tokio::test]
async fn pages_that_are_too_large_are_asked_for_in_smaller_parts() {
    let stage = LunaryStage::small();
    stage.settle();
    let expected = runs(&stage.undisturbed("undisturbed.sqlite").await);
    let limits = visibility_mcp::upstream::Limits { max_bytes: 30_000, ..quick() };
    let upstream: Arc<dyn Upstream> = Arc::new(Lunary::new(LunaryConfig { limits, ..stage.config() }).unwrap());
    stage.server.clear_requests();
    done(stage.sync_with(&stage.store, &[upstream], stage.last_day()).await.sources.remove(0));
    let queries: Vec<String> = stage.server.requests().into_iter().map(|request| request.query).collect();
    assert!(
        queries.iter().any(|query| query.ends_with("limit=1000"))
            && queries.iter().any(|query| query.ends_with("limit=15")),
        "{queries:?}"
    );
    assert_same("small parts", &runs(&stage.store), &expected);
}

#[test]
fn a_sync_killed_anywhere_ends_as_one_that_was_not() {
    let today = Day::of(Clock::system().now());
    let size = WorldSize { prompts: vec![3], engines: 2, days: 8, brands: 3, domains: 8, ..small() };
    // Days long past, days that may still change and hold open runs, days of many runs, a project beside others.
    let worlds = [
        (size.clone(), today.plus(-9)),
        (size.clone(), today),
        (WorldSize { prompts: vec![30], days: 2, ..size.clone() }, today.plus(-20)),
        (WorldSize { prompts: vec![2, 2, 2], days: 4, ..size }, today.plus(-1)),
    ];
    let mut chance = seed();
    let share = KILLS / worlds.len();
    for (world, (size, last_day)) in worlds.into_iter().enumerate() {
        let stage = LunaryStage::until(size, last_day);
        let program = |cache: &Path| stage.program(cache);
        // Pages of ten rows, so that days are cut in their middle too.
        stage.server.faults().inject(LIST, Fault::LimitCapped(10), When::Always);
        survives(&format!("world {world}"), share, &mut chance, &program, &|name| stage.other_cache(name));
    }
}

#[test]
fn the_second_of_two_processes_asks_for_nothing_that_the_first_one_does() {
    let today = Day::of(Clock::system().now());
    let stage = LunaryStage::until(small(), today.plus(-9));
    // Slow enough that the second one comes while the first one is at it.
    stage.server.faults().inject("/runs/$", Fault::Drip { chunk: 500, pause: Duration::from_millis(30) }, When::Always);
    let clear = || {
        stage.server.faults().clear();
        stage.server.clear_requests();
    };
    let (program, requests) = (|cache: &Path| stage.program(cache), || stage.server.requests().len());
    second_asks_for_nothing("lunary", &stage.store, &stage.other_cache("alone.sqlite"), &program, &requests, &clear);
}
