//! The models behind engines, by rollup and by rows.

use super::world::{World, run};
use crate::model::*;

#[tokio::test]
async fn models_are_counted_from_rollups_as_from_rows_at_every_moment() {
    let world = World::new().await;
    let runs = |version: u64| -> Vec<RunRecord> {
        let model = |day: i32, prompt: u64| match (day, prompt % 7) {
            (_, 0) => None,
            (20_000..20_004, _) | (_, 1) => Some("old".to_owned()),
            _ => Some("new".to_owned()),
        };
        (20_000..20_008)
            .flat_map(|day| (0..12).flat_map(move |prompt| ["a", "bb"].map(|engine| (day, prompt, engine))))
            .map(|(day, prompt, engine)| RunRecord { model: model(day, prompt), ..run(day, prompt, engine, version) })
            .collect()
    };
    let days = |first, last| DayRange { first: Day::from_epoch_days(first), last: Day::from_epoch_days(last) };
    for step in 0..4 {
        match step {
            0 => world.save(runs(0)).await,
            1 => world.refresh().await,
            2 => world.save(runs(1).into_iter().filter(|run| run.day.epoch_days() > 20_005).collect()).await,
            _ => world.refresh().await,
        }
        let reader = world.store.reader().unwrap();
        for days in [days(20_000, 20_007), days(20_003, 20_006), days(20_007, 20_007), days(1, 9)] {
            let found = reader.models(&world.project, days).unwrap();
            assert_eq!(found, reader.models_from_rows(&world.project, days).unwrap(), "{step} {days}");
            assert_eq!(found.is_empty(), days.last.epoch_days() == 9);
            assert!(found.iter().all(|row| row.runs > 0 && days.contains(row.day)));
        }
        let plan = reader.explain_models();
        assert!(plan.contains("SEARCH day_model USING PRIMARY KEY"), "{plan}");
        assert!(plan.contains("SEARCH r USING INDEX run_by_day"), "{plan}");
        assert!(!plan.contains("SCAN day_model") && !plan.contains("SCAN r"), "{plan}");
    }
    let finished = runs(0).iter().chain(&runs(1)).filter(|run| run.model.is_some()).count();
    let counted: u64 = world
        .store
        .reader()
        .unwrap()
        .models(&world.project, days(20_000, 20_007))
        .unwrap()
        .iter()
        .map(|m| m.runs)
        .sum();
    assert!(counted > 0 && counted < finished as u64);
}
