//! Days and their counts, and what reading them will cost.

use super::*;

#[tokio::test]
async fn days_with_runs_are_slices_by_their_counts() {
    let world = World::new().await;
    let count = |request: &Received| {
        let query = request.url.query().unwrap_or_default();
        ok(match query.split('&').find_map(|pair| pair.strip_prefix("date=gte.")).unwrap() {
            "2026-11-22T00:00:00Z" | "2026-11-20T00:00:00Z" | "2026-11-02T00:00:00Z" => "0",
            "2026-11-21T00:00:00Z" => "\"12\"",
            "2026-11-09T00:00:00Z" => "70",
            _ => "3",
        })
    };
    World::mock("runs/count").respond_with(count).mount(&world.server).await;
    let days = DayRange::ending("2026-11-22".parse().unwrap(), 19);
    let lines = |slices: &[Slice]| {
        let line = |slice: &Slice| {
            let fingerprint = slice.fingerprint.as_deref().unwrap_or("-");
            format!("{} {fingerprint} {:?} {}", slice.key, slice.runs, slice.fingerprint_is_proof)
        };
        slices.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let found = world.client().fetch_slices(&project(), days).await.unwrap();
    insta::assert_snapshot!(lines(&found.items[..6]), @r"
    2026-11-22 0 Some(0) true
    2026-11-21 12 Some(12) true
    2026-11-19 3 Some(3) true
    2026-11-18 3 Some(3) true
    2026-11-17 3 Some(3) true
    2026-11-16 3 Some(3) true
    ");
    insta::assert_snapshot!(lines(&found.items[6..]), @r"
    2026-11-15 w70 None true
    2026-11-14 w70 None true
    2026-11-13 w70 None true
    2026-11-12 w70 None true
    2026-11-11 w70 None true
    2026-11-10 w70 None true
    2026-11-09 w70 None true
    ");
    let asked = world.asked().await;
    assert_eq!(asked.len(), 9);
    let tail = "&limit=1000000000";
    assert_eq!(
        asked[0],
        format!("runs/count?type=llm&date=gte.2026-11-22T00:00:00Z&date=lt.2026-11-23T00:00:00Z{tail}")
    );
    assert_eq!(
        asked[8],
        format!("runs/count?type=llm&date=gte.2026-11-02T00:00:00Z&date=lt.2026-11-09T00:00:00Z{tail}")
    );

    // Other settings make other fingerprints; with other types all are counted, and nobody knows how many are wanted.
    let runs = RunFilter { types: vec!["llm".into(), "agent".into()], ..RunFilter::default() };
    let other = Lunary::new(LunaryConfig { runs, ..world.config() }).unwrap();
    let found = other.fetch_slices(&project(), days).await.unwrap();
    let fingerprint = found.items[1].fingerprint.as_deref().unwrap();
    assert!(fingerprint.starts_with("12/") && found.items[1].runs.is_none(), "{fingerprint}");
    assert!(world.asked().await[9].starts_with("runs/count?date=gte.2026-11-22"));
}

#[tokio::test]
async fn days_that_are_not_counted_are_offered_all() {
    for response in [refused(404, "Not Found"), refused(500, "boom"), ok("{}"), ok("<html>")] {
        let world = World::new().await;
        world.give("runs/count", response).await;
        let days = DayRange::ending("2026-11-22".parse().unwrap(), 90);
        let found = world.client().fetch_slices(&project(), days).await.unwrap();
        assert_eq!(found.items.len(), 90);
        assert!(found.items.iter().all(|slice| slice.fingerprint.is_none() && !slice.fingerprint_is_proof));
        // It is not asked for each week again.
        assert!(world.asked().await.len() <= 3);
    }
    let world = World::new().await;
    world.give("runs/count", refused(401, "Invalid API key")).await;
    let days = DayRange::ending("2026-11-22".parse().unwrap(), 90);
    assert!(world.client().fetch_slices(&project(), days).await.is_err());
}

#[tokio::test]
async fn requests_are_told_beforehand() {
    let world = World::new().await;
    let of = |runs: Option<u64>| Slice { runs, ..slice() };
    let slices = [of(None), of(Some(0)), of(Some(999)), of(Some(2_500))];
    let slices: Vec<&Slice> = slices.iter().collect();
    assert_eq!(world.client().requests(&project(), &slices), 1 + 1 + 1 + 3);
    let client = Lunary::new(LunaryConfig { run_details: true, ..world.config() }).unwrap();
    assert_eq!(client.requests(&project(), &slices), 6 + 3_499);
}
