//! Syncs that go well: what is cached is what is served, from either credential, and merges are followed.

use crate::{
    support::{
        lumar::LumarStage,
        sync::{done, small, sync_into},
        world::call,
    },
    sync::picture::{assert_same, assert_sound, picture},
};
use serde_json::{Value, json};
use visibility_mcp::demo::lumar::{LumarOptions, Spelling};

#[tokio::test]
async fn both_keys_open_the_same_and_a_second_sync_changes_nothing() {
    let stage = LumarStage::small();
    stage.settle();
    let report = stage.sync_all().await;
    assert!(report.counts.added > 0 && report.projects == 2, "{report:?}");
    assert_sound("the user's key", &stage.store);
    let whole = picture(&stage.store);
    let by_service = stage.other_cache("service.sqlite");
    done(sync_into(&by_service, &[stage.upstream_of_service()], stage.last_day()).await.sources.remove(0));
    assert_same("the service account's key", &picture(&by_service), &whole);
    let report = stage.sync_all().await;
    assert_eq!((report.counts.added, report.counts.changed, report.counts.gone), (0, 0, 0));
    assert_same("a second sync", &picture(&stage.store), &whole);
}

#[tokio::test]
async fn spelling_and_the_shape_of_errors_make_no_difference() {
    let plain = LumarStage::small();
    plain.settle();
    plain.sync_all().await;
    let facts = |stage: &LumarStage| {
        let project = stage.world.project_name(0);
        let mut answer = call(&stage.backend(), "brand_summary", json!({ "project": project })).unwrap();
        answer["as_of"].take();
        answer["caveats"].take();
        // Ranks are read off the text, where a merged brand is known by its old name only if it is still listed.
        answer["summaries"][0]["avg_mention_rank"].take();
        answer
    };
    let expected = facts(&plain);
    for options in [
        LumarOptions { spelling: Spelling::Lower, ..LumarOptions::unhurried() },
        LumarOptions { invalid_is_200: true, missing_is_bad_input: true, ..LumarOptions::unhurried() },
        LumarOptions { dates_are_days: true, merged_are_listed: true, ..LumarOptions::unhurried() },
        LumarOptions { session_requests: Some(8), unauthenticated_is_200: true, ..LumarOptions::unhurried() },
        LumarOptions { session_requests: Some(9), ..LumarOptions::unhurried() },
        LumarOptions { max_fields: Some(7), ..LumarOptions::unhurried() },
    ] {
        let case = format!("{options:?}");
        let stage = LumarStage::with(small(), options);
        stage.settle();
        stage.sync_all().await;
        assert_sound(&case, &stage.store);
        assert_eq!(facts(&stage), expected, "{case}");
    }
}

#[tokio::test]
async fn a_brand_that_is_merged_between_two_syncs_counts_as_its_target() {
    let stage = LumarStage::dressed(small(), "2026-11-20".parse().unwrap(), LumarOptions::unhurried(), |tracker| {
        tracker.with_loose_variants()
    });
    stage.settle();
    stage.sync_all().await;
    let competitor =
        stage.world.brands(0).iter().find(|brand| !brand.own && !brand.aliases.is_empty()).unwrap().clone();
    let variant = stage.server.brand_id(0, &competitor.aliases[0]);
    let target = stage.server.brand_id(0, &competitor.name);
    let project = stage.world.project_name(0).to_owned();
    let mentions = |stage: &LumarStage| {
        let arguments = json!({ "project": project, "brand": competitor.name, "include_branded": true, "period": "2026-11-17..2026-11-20" });
        call(&stage.backend(), "brand_summary", arguments).unwrap()["summaries"][0]["mention_rate"]["hits"]
            .as_u64()
            .unwrap()
    };
    let before = mentions(&stage);
    stage.server.merge(&variant, &target);
    stage.sync_all().await;
    assert_sound("merged", &stage.store);
    let after = mentions(&stage);
    assert!(after > before, "{before} {after}: the variant's mentions are its target's now");
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    let fresh = LumarStage { store: undisturbed, ..stage };
    assert_eq!(mentions(&fresh), after);
}

#[tokio::test]
async fn what_lumar_publishes_is_what_the_cached_runs_come_to() {
    let stage = LumarStage::small();
    stage.settle();
    stage.sync_all().await;
    let sources = call(&stage.backend(), "list_sources", json!({ "response_format": "detailed" })).unwrap();
    let mut compared = 0;
    for project in sources["sources"][0]["projects"].as_array().unwrap() {
        let columns = project["rechecked"]["columns"].as_array().unwrap();
        let value = |row: &Value, name: &str| row[columns.iter().position(|column| column == name).unwrap()].clone();
        for row in project["rechecked"]["rows"].as_array().unwrap() {
            // Published figures have two decimals, and so have the qualities that ours are computed from.
            assert!(value(row, "greatest_difference").as_f64().unwrap() < 0.02, "{row}");
            compared += value(row, "days").as_u64().unwrap();
        }
    }
    println!("{compared} published figures recomputed");
    assert!(compared > 2 * 3 * 4, "{sources}");
}
