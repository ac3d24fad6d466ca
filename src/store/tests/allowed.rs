//! What a reader shows to whom: each of its doors by itself, though a tool passes several.

use super::world::{World, now, run};
use crate::{model::*, store::*};
use rusqlite::{Connection, types::Value};
use std::time::Duration;

/// What is seen through the doors of a reader, each with whether it opened.
fn seen(world: &World, projects: &[&str]) -> Vec<(&'static str, bool)> {
    let connection = Connection::open(world.store.path()).unwrap();
    let first = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, Value>(0)).unwrap();
    let Value::Integer(id) = first("SELECT public_id FROM run WHERE status_id = 3 LIMIT 1") else { panic!("an id") };
    let Value::Text(domain) = first("SELECT name FROM domain LIMIT 1") else { panic!("a domain") };
    let (id, source) = (RunId::from_i64(id), &world.project.source);
    let allowed = Allowed::Only(projects.iter().map(|&name| name.to_owned()).collect());
    let look = |reader: &Reader| -> Result<_, Error> {
        Ok(vec![
            ("project", !reader.projects()?.is_empty()),
            ("brands", !reader.brands(&world.project)?.is_empty()),
            ("prompts", !reader.topics(&world.project)?.is_empty()),
            ("run", reader.run_details(id, None)?.is_some()),
            ("answer", reader.answer(id)?.is_some()),
            ("record", reader.raw_record(id)?.is_some()),
            ("domain", reader.knows_domain(&domain)?),
            ("domains", !reader.some_domains(9)?.is_empty()),
            ("sync", reader.last_sync(source)?.is_some()),
            ("syncing", reader.is_syncing(source, now())?),
            ("counts", reader.last_sync(source)?.is_some_and(|sync| sync.counts.is_some())),
            ("put aside", reader.quarantined(source)?.is_some()),
            ("why", !reader.quarantine_reasons(source)?.is_empty()),
            ("drift", reader.drift(source)?.is_some_and(|rows| !rows.is_empty())),
            ("sql", reader.query_sql("SELECT count(*) FROM runs", 1).is_ok()),
        ])
    };
    world.store.reader().unwrap().showing(&allowed, look).unwrap()
}

#[tokio::test]
async fn every_door_of_a_reader_shows_the_allowed_projects_alone() {
    let world = World::new().await;
    world.save((0..4).map(|prompt| run(20_000, prompt, "a", 0)).collect()).await;
    let write = |w: &mut Write<'_>| {
        let source = "test".into();
        w.take_lease(&source, "somebody", Duration::from_mins(1), false, now())?;
        w.begin_sync(&source, now())?;
        w.quarantine(&source, "day", "no key", "{}", now())?;
        w.save_drift(&source, "run", "surprise", "new", now())
    };
    world.writer.write(write).await.unwrap();

    let of_the_source = ["counts", "put aside", "why", "drift"];
    for (projects, what) in [
        (&["test/another", "else/*"][..], "nothing"),
        (&["test/P"], "the project, and that it is synced"),
        (&["test/*"], "all but SQL"),
    ] {
        for (door, is_open) in seen(&world, projects) {
            let expected = match what {
                "nothing" => false,
                "all but SQL" => door != "sql",
                _ => door != "sql" && !of_the_source.contains(&door),
            };
            assert_eq!(is_open, expected, "{door} for {projects:?}, who see {what}");
        }
    }
}
