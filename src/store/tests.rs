//! Tests of the cache through its own methods.
#![allow(
    clippy::cast_precision_loss,
    clippy::items_after_statements,
    clippy::match_same_arms,
    clippy::type_complexity,
    reason = "a test is read from top to bottom"
)]

mod allowed;
mod cited;
mod lists;
mod models;
mod world;

use super::*;
use crate::model::*;
use jiff::Timestamp;
use rusqlite::Connection;
use std::{collections::BTreeSet, time::Instant};
use world::{World, now, run};

fn schema_of(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name")
        .unwrap();
    statement
        .query_map((), |row| {
            let sql: String = row.get(2)?;
            // A column that was added later stands in the same place with other white space around it.
            let words = sql.replace('"', "").replace(',', " , ").replace(')', " ) ");
            let words: Vec<&str> = words.split_whitespace().collect();
            Ok(format!("{} {} {}", row.get::<_, String>(0)?, row.get::<_, String>(1)?, words.join(" ")))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn the_upgraded_schema_is_the_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.sqlite");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("migrations/0001-cache.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    assert_eq!(Store::at(&path).prepare().unwrap(), Opened::Upgraded);
    let fresh = Connection::open_in_memory().unwrap();
    fresh.execute_batch(include_str!("schema.sql")).unwrap();
    assert_eq!(schema_of(&Connection::open(&path).unwrap()), schema_of(&fresh));
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("cache.sqlite"));
    assert_eq!(store.prepare().unwrap(), Opened::Created);
    let connection = Connection::open(store.path()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(store.prepare(), Err(Error::Newer { found: 99, .. })));
    assert!(matches!(store.reader(), Err(Error::Newer { found: 99, .. })));
    assert_eq!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "sqlite"))
            .count(),
        1
    );
}

#[test]
fn a_damaged_file_is_set_aside_and_a_new_one_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("cache.sqlite"));
    std::fs::write(store.path(), b"this is no database, but some text that a person wrote ".repeat(100)).unwrap();
    let Opened::SetAside(aside) = store.prepare().unwrap() else { panic!("not set aside") };
    assert!(std::fs::read(&aside).unwrap().starts_with(b"this is no database"));
    assert!(store.reader().is_ok());
    // Damage in the middle of the file, behind a good header.
    let mut bytes = std::fs::read(store.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[8192..middle].fill(0xa5);
    std::fs::write(store.path(), bytes).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", store.path().display()));
    }
    let Opened::SetAside(second) = store.prepare().unwrap() else { panic!("not set aside") };
    assert_ne!(aside, second);
    assert!(aside.exists() && second.exists());
}

#[test]
fn a_reader_can_not_write_and_without_a_cache_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("deep/cache.sqlite"));
    assert!(matches!(store.reader(), Err(Error::Missing)));
    store.prepare().unwrap();
    let reader = store.reader().unwrap();
    assert!(reader.connection.execute("INSERT INTO source (name, upstream) VALUES ('x', 'y')", ()).is_err());
}

#[test]
fn a_query_stops_at_its_deadline_and_when_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("cache.sqlite"));
    store.prepare().unwrap();
    let reader = store.reader().unwrap();
    let endless = |reader: &Reader| -> Result<i64> {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        Ok(reader.connection.query_row(sql, (), |row| row.get(0))?)
    };
    let limit = Limit { deadline: Some(Instant::now()), ..Limit::default() };
    assert!(matches!(reader.limited(&limit, endless), Err(Error::Stopped)));
    let limit = Limit::default();
    limit.cancelled.cancel();
    assert!(matches!(reader.limited(&limit, endless), Err(Error::Stopped)));
    // The limit ends with its work.
    assert!(reader.projects().unwrap().is_empty());
}

fn sorted(mut table: CellTable) -> Vec<String> {
    let gaps = table.gaps.clone();
    let mut rows: Vec<String> = table
        .cells
        .iter_mut()
        .zip(gaps)
        .map(|(cell, gaps)| {
            // Sums of floats depend on their order in the last bits.
            cell.sentiment_sum = (cell.sentiment_sum * 1e6).round();
            format!("{cell:?} {gaps}")
        })
        .collect();
    rows.push(format!("{:?} {}", table.engines, table.branded_runs));
    rows.sort();
    rows
}

#[tokio::test]
async fn cells_from_rollups_equal_cells_from_rows_at_every_moment() {
    let world = World::new().await;
    let runs = |version: u64| -> Vec<RunRecord> {
        (20_000..20_012)
            .flat_map(|day| {
                (0..15)
                    .flat_map(move |prompt| ["chatgpt", "gemini", "x"].map(|engine| run(day, prompt, engine, version)))
            })
            .collect()
    };
    for step in 0..4 {
        match step {
            0 => world.save(runs(0)).await,
            1 => world.refresh().await,
            // Some runs change, so some days are behind.
            2 => world.save(runs(1).into_iter().filter(|run| run.day.epoch_days() > 20_008).collect()).await,
            _ => world.refresh().await,
        }
        let reader = world.store.reader().unwrap();
        for name in ["own", "rival", "other"] {
            for (engine, include_branded) in
                [(None, false), (None, true), (Some("gemini"), false), (Some("nobody"), true)]
            {
                for (first, last) in [(20_000, 20_011), (20_003, 20_009), (20_009, 20_009), (19_000, 19_005)] {
                    let brand = BrandKey(name.into());
                    let days = DayRange { first: Day::from_epoch_days(first), last: Day::from_epoch_days(last) };
                    let query = CellQuery { engine, include_branded, ..CellQuery::new(&world.project, &brand, days) };
                    let fast = sorted(reader.cells(&query).unwrap());
                    assert_eq!(fast, sorted(reader.cells_from_rows(&query).unwrap()), "{step} {query:?}");
                    assert_eq!(fast.len() > 1, engine != Some("nobody") && first > 19_000);
                }
            }
        }
        let days = DayRange { first: Day::from_epoch_days(20_000), last: Day::from_epoch_days(20_011) };
        let domains = reader.top_domains(&world.project, days, None, true, 100).unwrap();
        let citations: u64 = domains.iter().map(|domain| domain.citations).sum();
        let rows: u64 = reader
            .connection
            .query_row(
                "SELECT count(*) FROM citation c JOIN run r ON r.id = c.run_id WHERE r.status_id = 3",
                (),
                |row| row.get(0),
            )
            .unwrap();
        assert!(rows > 100 && citations == rows, "{citations} {rows}");
        for engine in [None, Some("gemini".to_owned())] {
            for status in [None, Some(Status::Failed)] {
                let filter = RunFilter { engine: engine.clone(), status, days: Some(days), ..RunFilter::default() };
                // A condition that all runs meet, and that no rollup knows.
                let rows = RunFilter { cells: Some(all_cells(&reader)), ..filter.clone() };
                let counted = [&filter, &rows].map(|filter| reader.count_runs(&world.project, filter, 400).unwrap());
                assert!(counted[0] == counted[1] && counted[0] > 0, "{step} {filter:?}: {counted:?}");
            }
        }
        let total = reader.coverage(&world.project, None, now()).unwrap().total();
        assert_eq!(total.finished + total.failed + total.open, 12 * 15 * 3);
    }
}

#[tokio::test]
async fn answers_read_again_are_as_if_they_had_been_read_so_from_the_start() {
    let runs = || -> Vec<RunRecord> {
        (20_000..20_004).flat_map(|day| (0..12).map(move |prompt| run(day, prompt, "x", 0))).collect()
    };
    let (again, fresh) = (World::new().await, World::new().await);
    again.save(runs()).await;
    again.refresh().await;
    fresh.save_by(&fresh.writer, 2, runs()).await;
    let facts = |world: &World| -> Vec<String> {
        let reader = world.store.reader().unwrap();
        let mut statement = reader
            .connection
            .prepare(
                "SELECT r.public_id || ' ' || r.detected || ' ' || s.members || ' ' || s.share_mentions,
                        json_array(f.brand_id, f.mentions, f.citations, f.mention_rank, f.sentiment, f.derived_mentions,
                                   f.derived_citations)
                 FROM run r JOIN scope s ON s.id = r.scope_id LEFT JOIN run_brand f ON f.run_id = r.id ORDER BY 1, 2",
            )
            .unwrap();
        let rows = statement.query_map((), |row| {
            Ok(format!("{:?} {:?}", row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?))
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    assert_ne!(facts(&again), facts(&fresh));
    let finished = runs().iter().filter(|run| run.answer.is_some()).count() as u64;
    let reader = again.store.reader().unwrap();
    assert_eq!(reader.undetected(&again.project, 2).unwrap(), finished);
    let done = again.redetect(2, 7).await;
    assert_eq!((done.runs, reader.undetected(&again.project, 2).unwrap()), (finished, 0));
    assert!(done.changed > finished / 2, "{done:?}");
    assert_eq!(facts(&again), facts(&fresh));
    // Its days are counted again, and a second pass has nothing to do.
    let brand = BrandKey("own".into());
    let days = DayRange { first: Day::from_epoch_days(20_000), last: Day::from_epoch_days(20_003) };
    let cells = |world: &World| {
        let (project, engine) = (&world.project, None);
        let query = CellQuery { engine, include_branded: true, ..CellQuery::new(project, &brand, days) };
        sorted(world.store.reader().unwrap().cells(&query).unwrap())
    };
    again.refresh().await;
    assert_eq!(cells(&again), cells(&fresh));
    assert_eq!(again.redetect(2, 100).await.runs, 0);
}

#[tokio::test]
async fn pages_joined_are_the_whole_list_in_order_for_every_sort() {
    let world = World::new().await;
    world
        .save(
            (20_000..20_006).flat_map(|day| (0..9).flat_map(move |p| ["a", "b"].map(|e| run(day, p, e, 0)))).collect(),
        )
        .await;
    let reader = world.store.reader().unwrap();
    let filter = RunFilter { brand: Some(BrandKey("own".into())), ..RunFilter::default() };
    let sorts = [
        RunSort::CreatedAt,
        RunSort::Status,
        RunSort::TotalCitations,
        RunSort::TotalMentions,
        RunSort::BestPosition,
        RunSort::AvgSentiment,
    ];
    for sort in sorts {
        for direction in [Direction::Asc, Direction::Desc] {
            let (whole, none) = reader.runs(&world.project, &filter, (sort, direction), None, 1000).unwrap();
            assert_eq!((whole.len(), none), (6 * 9 * 2, None));
            let mut joined = Vec::new();
            let mut cursor = None;
            loop {
                let (page, next) = reader.runs(&world.project, &filter, (sort, direction), cursor.as_ref(), 7).unwrap();
                joined.extend(page);
                // A cursor travels as text.
                cursor = next.map(|next| serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap());
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(joined, whole, "{sort:?} {direction:?}");
            let values: Vec<Option<f64>> = whole
                .iter()
                .map(|row| match sort {
                    RunSort::TotalCitations => row.citations.map(f64::from),
                    RunSort::TotalMentions => row.mentions.map(f64::from),
                    RunSort::BestPosition => row.best_position.map(f64::from),
                    RunSort::AvgSentiment => row.sentiment,
                    RunSort::CreatedAt => Some(row.created_at.as_second() as f64),
                    RunSort::Status => Some(f64::from(u8::from(row.status == Status::Finished))),
                })
                .collect();
            assert!(values.windows(2).all(|pair| match (pair[0], pair[1]) {
                (Some(a), Some(b)) if direction == Direction::Asc => a <= b,
                (Some(a), Some(b)) => a >= b,
                (None, Some(_)) => false,
                _ => true,
            }));
        }
    }
}

#[tokio::test]
async fn filters_give_the_runs_that_they_name() {
    let world = World::new().await;
    let runs: Vec<RunRecord> =
        (20_000..20_006).flat_map(|day| (0..9).flat_map(move |p| ["a", "b"].map(|e| run(day, p, e, 0)))).collect();
    world.save_by(&world.writer, 0, runs.clone()).await;
    let reader = world.store.reader().unwrap();
    let own = |run: &RunRecord| run.facts.first().cloned();
    type Keep = Box<dyn Fn(&RunRecord) -> bool>;
    let base = RunFilter { brand: Some(BrandKey("own".into())), ..RunFilter::default() };
    let named = move |run: &RunRecord| own(run).is_some_and(|f| f.mentions > Some(0));
    let cited = |run: &RunRecord| run.facts.first().is_some_and(|f| f.citations > Some(0));
    let cases: Vec<(RunFilter, Keep)> = vec![
        (RunFilter { engine: Some("a".into()), ..base.clone() }, Box::new(|run| run.engine == "a")),
        (RunFilter { status: Some(Status::Failed), ..base.clone() }, Box::new(|run| run.status == Status::Failed)),
        (
            RunFilter { topic: Some("topic 1".into()), ..base.clone() },
            Box::new(|run| run.prompt.topic.as_deref() == Some("topic 1")),
        ),
        (RunFilter { mentioned: Some(true), ..base.clone() }, Box::new(move |run| named(run))),
        (RunFilter { cited: Some(false), ..base.clone() }, Box::new(move |run| !run.facts.is_empty() && !cited(run))),
        (
            RunFilter { visible: Some(true), ..base.clone() },
            Box::new(move |run| run.facts.first().is_some_and(|f| f.citations > Some(0) || f.mentions > Some(0))),
        ),
        (
            RunFilter { visible: Some(false), ..base.clone() },
            Box::new(move |run| run.facts.first().is_some_and(|f| f.citations == Some(0) && f.mentions == Some(0))),
        ),
        (RunFilter { without_branded: true, ..base.clone() }, Box::new(|run| !run.prompt.text.contains("own"))),
        (
            RunFilter {
                days: Some(DayRange { first: Day::from_epoch_days(20_001), last: Day::from_epoch_days(20_002) }),
                ..base.clone()
            },
            Box::new(|run| (20_001..=20_002).contains(&run.day.epoch_days())),
        ),
        (
            RunFilter { prompt: Some(PromptId::of(&world.project, "prompt 3")), ..base.clone() },
            Box::new(|run| run.prompt.key == "prompt 3"),
        ),
        (RunFilter { text: Some("\"about prompt 3\" AND OR".into()), ..base.clone() }, Box::new(|_| false)),
        (
            RunFilter { text: Some("ABOUT \"prompt 3\"".into()), ..base.clone() },
            Box::new(|run| run.answer.is_some() && run.prompt.key == "prompt 3"),
        ),
        (RunFilter { text: Some("best, 3?".into()), ..base.clone() }, Box::new(|run| run.prompt.key == "prompt 3")),
        (RunFilter { text: Some("\" * ( NEAR ^".into()), ..base.clone() }, Box::new(|_| false)),
    ];
    for (filter, keep) in cases {
        let mut expected: Vec<RunId> =
            runs.iter().filter(|run| keep(run)).map(|run| RunId::of(&world.project, &run.key)).collect();
        expected.sort();
        let (found, _) =
            reader.runs(&world.project, &filter, (RunSort::CreatedAt, Direction::Desc), None, 1000).unwrap();
        let mut found: Vec<RunId> = found.iter().map(|row| row.id).collect();
        found.sort();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(reader.count_runs(&world.project, &filter, 1000).unwrap(), expected.len() as u64);
    }
}

fn all_cells(reader: &Reader) -> BTreeSet<(PromptRef, EngineRef)> {
    let mut cells = reader.connection.prepare("SELECT DISTINCT prompt_id, engine_id FROM run").unwrap();
    let cells = cells.query_map((), |row| Ok((PromptRef(row.get(0)?), EngineRef(row.get(1)?)))).unwrap();
    cells.map(rusqlite::Result::unwrap).collect()
}

#[tokio::test]
async fn lists_are_read_through_an_index() {
    let world = World::new().await;
    world.save((0..9).map(|p| run(20_000, p, "a", 0)).collect()).await;
    let reader = world.store.reader().unwrap();
    let prompt = Some(PromptId::of(&world.project, "prompt 3"));
    let days = Some(DayRange::ending(Day::from_epoch_days(20_000), 7));
    let of = |prompt, days| RunFilter { prompt, days, ..RunFilter::default() };
    let window = "created_at>? AND created_at<?";
    for (filter, sort, index) in [
        (of(None, None), RunSort::CreatedAt, "run_by_time (project_id=?)".to_owned()),
        (of(prompt, None), RunSort::CreatedAt, "run_by_prompt (prompt_id=?)".to_owned()),
        // A window is entered and left by time, wherever it lies.
        (of(None, days), RunSort::CreatedAt, format!("run_by_time (project_id=? AND {window})")),
        (of(prompt, days), RunSort::CreatedAt, format!("run_by_prompt (prompt_id=? AND {window})")),
        (of(None, days), RunSort::Status, "run_by_day (project_id=? AND day>? AND day<?)".to_owned()),
        (of(prompt, days), RunSort::Status, "run_by_prompt_day (prompt_id=? AND day>? AND day<?)".to_owned()),
    ] {
        let plan = reader.explain_runs(&world.project, &filter, sort);
        let (list, count) = plan.split_once("\n\n").unwrap();
        assert!(list.contains(&format!("SEARCH r USING INDEX {index}")), "{list}");
        assert_eq!(list.contains("TEMP B-TREE"), sort == RunSort::Status, "{list}");
        assert_eq!(count.contains("AND day>? AND day<?)"), filter.days.is_some(), "{count}");
        assert!(!plan.replace("SCAN (subquery", "").contains("SCAN"), "{plan}");
    }
}

#[tokio::test]
async fn a_changed_run_keeps_its_id_and_its_history_and_gone_runs_are_marked() {
    let world = World::new().await;
    let project = world.project.clone();
    let first: Vec<RunRecord> = (0..5).map(|p| run(20_000, p, "a", 0)).collect();
    let slice = |w: &mut Write<'_>, project: &ProjectKey, runs: &[RunRecord]| -> Result<SliceDone> {
        w.begin_slice(project, "d", DayRange::ending(Day::from_epoch_days(20_000), 1))?;
        let ids: Vec<RunId> = runs.iter().map(|run| RunId::of(project, &run.key)).collect();
        w.save_slice_page(project, "d", &ids, (None, false))?;
        w.complete_slice(project, "d", None, now())
    };
    world.save(first.clone()).await;
    let (key, runs) = (project.clone(), first.clone());
    assert_eq!(world.writer.write(move |w| slice(w, &key, &runs)).await.unwrap(), SliceDone::Complete { gone: 0 });

    let mut second = first[..4].to_vec();
    second[0].status = if second[0].status == Status::Failed { Status::Finished } else { Status::Failed };
    second[0].raw_hash = 1;
    second[1].raw_hash = 2; // Another record, but nothing that a person sees.
    world.save(second.clone()).await;
    let (key, runs) = (project.clone(), second.clone());
    assert_eq!(world.writer.write(move |w| slice(w, &key, &runs)).await.unwrap(), SliceDone::Complete { gone: 1 });

    let reader = world.store.reader().unwrap();
    let details = |i: usize| reader.run_details(RunId::of(&project, &first[i].key), None).unwrap().unwrap();
    assert_eq!(details(0).history.len(), 1);
    assert_eq!(details(0).history[0].status, first[0].status.as_str());
    assert_eq!(details(1).history.len(), 0);
    assert!(details(4).gone_at.is_some() && details(3).gone_at.is_none());
    assert_eq!(details(2).answer, first[2].answer);
    let (listed, _) =
        reader.runs(&project, &RunFilter::default(), (RunSort::CreatedAt, Direction::Desc), None, 10).unwrap();
    assert_eq!(listed.len(), 4);
    // A reading that suddenly holds nothing marks nothing.
    let key = project.clone();
    assert_eq!(world.writer.write(move |w| slice(w, &key, &[])).await.unwrap(), SliceDone::Complete { gone: 0 });
}

#[tokio::test]
async fn a_prompt_is_worded_as_in_its_newest_run_whatever_the_order_of_reading() {
    let world = World::new().await;
    let worded = |day: i32, text: &str, label: &str| {
        let mut run = run(day, 1, "a", 0);
        (run.prompt.text, run.prompt.label) = (text.into(), Some(label.into()));
        run
    };
    let check = |text: &str, label: &str| {
        let reader = world.store.reader().unwrap();
        let found = reader.find_prompts(&world.project, label).unwrap();
        assert_eq!(found.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>(), [text]);
        let filter = RunFilter { text: Some(text.into()), ..RunFilter::default() };
        assert!(reader.count_runs(&world.project, &filter, 10).unwrap() > 0, "{text} is found by its words");
        found[0].branded
    };
    world.save(vec![worded(20_001, "what is second?", "2")]).await;
    world.save(vec![worded(20_000, "what is first?", "1")]).await;
    assert!(!check("what is second?", "2"));
    // Another process, which has learnt nothing yet.
    let writer = world.store.writer().unwrap();
    world.save_by(&writer, 1, vec![worded(19_999, "what is older?", "0")]).await;
    assert!(!check("what is second?", "2"));
    world.save_by(&writer, 1, vec![worded(20_002, "is own third?", "3")]).await;
    assert!(check("is own third?", "3"), "and whether it names a brand is asked again");
}

#[tokio::test]
async fn many_answers_train_a_dictionary_and_all_read_back() {
    let world = World::new().await;
    let batch = |from: u64| -> Vec<RunRecord> {
        (from..from + 600)
            .map(|p| {
                let mut run = run(20_000, p, "a", 0);
                run.answer = Some(format!("{} {p}", "words that come again and again in such answers, ".repeat(20)));
                run
            })
            .collect()
    };
    world.save(batch(0)).await;
    world.save(batch(600)).await;
    let reader = world.store.reader().unwrap();
    let dictionaries: i64 =
        reader.connection.query_row("SELECT count(*) FROM dictionary", (), |row| row.get(0)).unwrap();
    assert!(dictionaries >= 1);
    for run in batch(0).iter().chain(&batch(600)).step_by(97) {
        let id = RunId::of(&world.project, &run.key);
        assert_eq!(reader.run_details(id, None).unwrap().unwrap().answer, run.answer);
        assert_eq!(reader.raw_record(id).unwrap().as_ref(), Some(&run.raw));
    }
}

#[tokio::test]
async fn a_lease_is_one_holders_until_it_runs_out() {
    let world = World::new().await;
    let ttl = std::time::Duration::from_mins(1);
    let take = |holder: &'static str, takeover: bool, at: Timestamp| {
        world.writer.write(move |w| w.take_lease(&"test".into(), holder, ttl, takeover, at))
    };
    assert!(take("a", false, now()).await.is_ok());
    assert!(take("a", false, now()).await.is_ok());
    assert!(matches!(take("b", false, now()).await, Err(Error::LeaseLost)));
    assert!(world.store.reader().unwrap().is_syncing(&"test".into(), now()).unwrap());
    assert!(take("b", false, now() + jiff::SignedDuration::from_secs(61)).await.is_ok());
    assert!(matches!(take("a", false, now()).await, Err(Error::LeaseLost)));
    assert!(take("a", true, now()).await.is_ok());
}
