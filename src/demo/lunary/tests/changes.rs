//! What happens between two syncs.

use super::*;

#[tokio::test]
async fn open_runs_end_when_their_day_is_settled() {
    let stage = stage().await;
    let open = texts(&stage.all("status=started").await, "id");
    assert!(open.len() > 3, "{}", open.len());
    let before = stage.all("").await;
    stage.server.settle(0, newest());
    assert!(stage.all("status=started").await.is_empty());
    let after = stage.all("").await;
    assert_eq!(texts(&before, "id"), texts(&after, "id"), "nothing moves");
    for (before, after) in before.iter().zip(&after) {
        let was_open = before["status"] == "started";
        assert!(was_open || before == after, "{before}\n{after}");
        assert_eq!((&before["createdAt"], &before["name"]), (&after["createdAt"], &after["name"]));
    }
}

#[tokio::test]
async fn a_later_world_has_the_same_past() {
    let stage = stage().await;
    let before = stage.all("date=gte.2026-11-19&date=lt.2026-11-21").await;
    let later = small_world().until(newest().plus(1));
    stage.server.replace(Arc::new(WorldTracker::new(Arc::new(later))));
    let after = stage.all("date=gte.2026-11-19&date=lt.2026-11-21").await;
    assert_eq!(texts(&before, "id"), texts(&after, "id"));
    for (before, after) in before.iter().zip(&after) {
        for field in ["status", "createdAt", "output", "input", "tags", "cost"] {
            assert_eq!(before[field], after[field], "{field}");
        }
    }
    assert_eq!(stage.all("").await.len(), LLM_ROWS);
}

#[tokio::test]
async fn feedback_and_tags_change_old_runs() {
    let stage = stage().await;
    let id = stage.tracker.run_id(0, newest().plus(-3), 7, 3);
    let path = format!("/runs/{id}");
    let before = stage.ok(&path).await;
    stage.server.feedback(&id, Value::Null);
    stage.server.feedback(&id, json!({ "thumb": "up" }));
    stage.server.feedback(&id, json!({ "comment": "late" }));
    stage.server.tag(&id, &["moved"]);
    let after = stage.ok(&path).await;
    assert_eq!(after["feedback"], json!({ "thumb": "up", "comment": "late" }));
    assert_eq!(after["tags"], json!(["moved"]));
    assert_eq!(before["output"], after["output"]);
    assert_eq!(stage.all("tags=moved").await.len(), 1);
    stage.server.feedback(&id, Value::Null);
    assert_eq!(stage.ok(&path).await["feedback"], Value::Null);
}

#[tokio::test]
async fn runs_are_deleted_added_late_and_edited() {
    let stage = stage().await;
    let gone = stage.tracker.run_id(0, newest(), 5, 1);
    stage.server.remove(&gone);
    assert_eq!(stage.get(&format!("/runs/{gone}")).await.status, 404);
    assert_eq!(stage.all("").await.len(), LLM_ROWS - 1);
    // One that began long ago, and one right in the middle of a day.
    for (n, time) in ["2024-02-29T12:00:00.123456Z", "2026-11-19T00:20:00Z"].into_iter().enumerate() {
        let id = format!("22222222-2222-4222-8222-22222222222{n}");
        let at: Timestamp = time.parse().unwrap();
        stage.server.add(0, Run::started(&id, "gpt-4o", at, "Late?").answered(at, "Late."));
        let row = stage.ok(&format!("/runs/{id}")).await;
        assert_eq!(row["output"]["content"], "Late.");
        let rows = stage.all("").await;
        assert!(texts(&rows, "createdAt").iter().rev().is_sorted());
        assert!(texts(&rows, "id").contains(&id));
    }
    let oldest = stage.rows("?sortField=createdAt&limit=1").await;
    assert_eq!(
        (&oldest[0]["createdAt"], &oldest[0]["duration"]),
        (&json!("2024-02-29T12:00:00.123Z"), &json!("00:00:00"))
    );
    assert_eq!(stage.get_of(1, "/runs?models=gpt-4o&models=gpt-4o").await.json()["data"], json!([]));
    stage.server.edit(0, |runs| {
        runs.retain(|run| run.is("llm"));
        for run in runs.iter_mut().filter(|run| run.name.as_deref() == Some("grok-4")) {
            run.created_at = "2025-01-01T00:00:00Z".parse().unwrap();
            run.ended_at = None;
        }
    });
    assert!(stage.all("type=agent").await.is_empty());
    let moved = stage.all("date=gte.2025-01-01&date=lt.2025-01-02").await;
    assert_eq!(kinds(&moved, "name"), BTreeSet::from(["grok-4".to_owned()]));
    assert_eq!(stage.ok(&format!("/runs/{}", moved[0]["id"].as_str().unwrap())).await["duration"], Value::Null);
    assert_eq!(stage.get(&format!("/runs/{gone}")).await.status, 404);
}

#[tokio::test]
async fn offset_paging_slips_while_runs_move() {
    let stage = stage().await;
    let first = texts(&stage.rows("?limit=10").await, "id");
    let at: Timestamp = "2026-11-21T23:00:00Z".parse().unwrap();
    stage.server.add(0, Run::started("33333333-3333-4333-8333-333333333333", "gpt-4o", at, "New?"));
    let second = texts(&stage.rows("?limit=10&page=1").await, "id");
    assert_eq!(second[0], first[9], "one comes twice");
    stage.server.remove("33333333-3333-4333-8333-333333333333");
    let whole = texts(&stage.rows("?limit=30").await, "id");
    stage.server.remove(&first[0]);
    assert_eq!(texts(&stage.rows("?limit=10&page=1").await, "id")[0], whole[11], "one is skipped");
}
