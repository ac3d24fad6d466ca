//! Lists of prompts and answers, and presence run by run, against the records they were made from.

use super::world::{World, run};
use crate::{model::*, store::*};
use std::collections::{BTreeMap, BTreeSet};

fn runs() -> Vec<RunRecord> {
    (20_000..20_012)
        .flat_map(|day| (0..12).flat_map(move |prompt| ["a", "bb", "ccc"].map(|engine| run(day, prompt, engine, 0))))
        .collect()
}

fn query<'a>(world: &'a World, brand: &'a BrandKey) -> CellQuery<'a> {
    let days = DayRange { first: Day::from_epoch_days(20_002), last: Day::from_epoch_days(20_009) };
    CellQuery::new(&world.project, brand, days)
}

#[tokio::test]
async fn presence_run_by_run_adds_up_to_cells_on_either_index() {
    let world = World::new().await;
    world.save(runs()).await;
    world.refresh().await;
    let reader = world.store.reader().unwrap();
    for name in ["own", "rival", "other"] {
        let brand = BrandKey(name.into());
        for (engine, topic, include_branded) in
            [(None, None, true), (None, None, false), (Some("bb"), None, true), (None, Some("topic 1"), false)]
        {
            let query = CellQuery { engine, topic, include_branded, ..query(&world, &brand) };
            let all = reader.presence(&query).unwrap();
            let mut sums: BTreeMap<(PromptRef, EngineRef), (u32, u32)> = BTreeMap::new();
            for (prompt, engine, present) in &all {
                let sum = sums.entry((*prompt, *engine)).or_default();
                sum.0 += u32::from(*present);
                sum.1 += 1;
            }
            let mut cells = reader.cells(&query).unwrap().cells;
            cells.retain(|cell| cell.presence_checked > 0);
            let counted: BTreeMap<_, _> =
                cells.iter().map(|cell| ((cell.prompt, cell.engine), (cell.present, cell.presence_checked))).collect();
            assert_eq!(sums, counted, "{query:?}");
            // The same by the other index, a prompt at a time.
            let prompts: BTreeSet<PromptRef> = all.iter().map(|(prompt, ..)| *prompt).collect();
            let prompts: Vec<PromptRef> = prompts.into_iter().collect();
            assert_eq!(reader.presence_of(&query, &prompts).unwrap(), all, "{query:?}");
        }
    }
}

#[tokio::test]
async fn presence_and_brands_come_in_time_order_and_only_where_looked_for() {
    let world = World::new().await;
    let runs = runs();
    world.save(runs.clone()).await;
    let reader = world.store.reader().unwrap();
    let brand = BrandKey("own".into());
    let query = CellQuery { engine: Some("bb"), include_branded: true, ..query(&world, &brand) };
    let (label, _) = reader
        .prompts_of(&world.project, PromptFilter::default())
        .unwrap()
        .into_iter()
        .find(|(_, prompt)| prompt.label.as_deref() == Some("3"))
        .unwrap();
    let mut asked: Vec<&RunRecord> = runs
        .iter()
        .filter(|run| run.prompt.key == "prompt 3" && run.engine == "bb" && run.status == Status::Finished)
        .filter(|run| (20_002..=20_009).contains(&run.day.epoch_days()))
        .collect();
    asked.sort_by_key(|run| run.created_at);
    // Mentions that the record lacks were read off the text, of own and rival; nobody reads the other brand's.
    let facts = |run: &RunRecord| -> Vec<(String, Option<u32>, Option<u32>)> {
        let details = reader.run_details(RunId::of(&world.project, &run.key), None).unwrap().unwrap();
        details.facts.into_iter().map(|fact| (fact.name, fact.mentions, fact.citations)).collect()
    };
    let present = |run: &&RunRecord| {
        let facts = facts(run);
        let (_, mentions, citations) = facts.iter().find(|(name, ..)| name == "own")?;
        Some(mentions.zip(*citations).map(|(mentions, citations)| mentions > 0 || citations > 0))
    };
    let expected: Vec<bool> = asked.iter().filter_map(present).flatten().collect();
    let found: Vec<bool> = reader.presence_of(&query, &[label]).unwrap().into_iter().map(|run| run.2).collect();
    assert!(!found.is_empty() && found == expected, "{found:?} {expected:?}");

    let list = |run: &&RunRecord| {
        let facts = facts(run);
        let checked =
            facts.len() == 3 && facts.iter().all(|(_, mentions, citations)| mentions.is_some() && citations.is_some());
        checked.then(|| facts.iter().filter(|(_, m, c)| *m > Some(0) || *c > Some(0)).count())
    };
    let sizes: Vec<usize> = asked.iter().filter_map(list).collect();
    let found: Vec<usize> =
        reader.brand_lists(&query, &[label]).unwrap().into_iter().map(|(.., brands)| brands.len()).collect();
    println!("{} of {} runs were checked for all brands", found.len(), asked.len());
    assert_eq!(found, sizes);
}

#[tokio::test]
async fn prompts_are_filtered_as_asked() {
    let world = World::new().await;
    world.save(runs()).await;
    let reader = world.store.reader().unwrap();
    let labels = |filter: PromptFilter<'_>| -> BTreeSet<u64> {
        let found = reader.prompts_of(&world.project, filter).unwrap();
        found.into_iter().map(|(_, prompt)| prompt.label.unwrap().parse().unwrap()).collect()
    };
    let all = PromptFilter::default();
    assert_eq!(labels(all), (0..12).collect());
    assert_eq!(labels(PromptFilter { without_branded: true, ..all }), (0..12).filter(|n| n % 5 != 0).collect());
    assert_eq!(labels(PromptFilter { topic: Some("topic 1"), ..all }), (0..12).filter(|n| n % 2 == 1).collect());
    assert_eq!(labels(PromptFilter { text: Some("\"best 7\""), ..all }), BTreeSet::from([7]));
    assert_eq!(labels(PromptFilter { text: Some("GOOD is"), ..all }), BTreeSet::from([0, 5, 10]));
    assert_eq!(labels(PromptFilter { text: Some("best NOT 7"), ..all }), BTreeSet::new());
}

#[tokio::test]
async fn answers_are_found_by_their_own_words_alone() {
    let world = World::new().await;
    let runs = runs();
    world.save(runs.clone()).await;
    let reader = world.store.reader().unwrap();
    for (text, keep) in [
        ("\"about prompt 3\"", "about prompt 3 "),
        ("PROMPT Abóut 11", "about prompt 11 "),
        // The prompts ask what is best; no answer says so.
        ("best", "best"),
    ] {
        let filter = RunFilter { answer: Some(text.into()), ..RunFilter::default() };
        let (found, _) =
            reader.runs(&world.project, &filter, (RunSort::CreatedAt, Direction::Desc), None, 1_000).unwrap();
        let holds = |run: &&RunRecord| run.answer.as_ref().is_some_and(|answer| format!("{answer} ").contains(keep));
        assert_eq!(found.len(), runs.iter().filter(holds).count(), "{text}");
        assert_eq!(reader.count_runs(&world.project, &filter, 1_000).unwrap(), found.len() as u64);
        assert!(found.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at), "{text}");
        for row in found.iter().take(5) {
            assert!(format!("{} ", reader.answer(row.id).unwrap().unwrap()).contains(keep), "{text}");
        }
    }
}

#[tokio::test]
async fn runs_with_words_come_newest_first_page_by_page_though_many_are_of_one_moment() {
    let world = World::new().await;
    let mut saved = runs();
    for run in &mut saved {
        run.created_at = run.day.start();
    }
    world.save(saved).await;
    let reader = world.store.reader().unwrap();
    let order = (RunSort::CreatedAt, Direction::Desc);
    let ids = |filter: &RunFilter, limit: usize| -> Vec<RunId> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let (rows, next) = reader.runs(&world.project, filter, order, after.as_ref(), limit).unwrap();
            ids.extend(rows.iter().map(|row| row.id));
            after = next;
            if after.is_none() {
                return ids;
            }
        }
    };
    let (all, _) = reader.runs(&world.project, &RunFilter::default(), order, None, 1_000).unwrap();
    let (first, last) = (all.last().unwrap().day, all[0].day);
    let some = [None, Some(DayRange { first: first.plus(1), last: last.plus(-1) }), Some(DayRange::ending(last, 1))];
    // Again with rollups, which know between which rows the days lie.
    for (i, days) in some.into_iter().chain(some).enumerate() {
        if i == some.len() {
            world.refresh().await;
        }
        for word in ["answer", "about", "\"prompt 3\"", "nothing"] {
            let holds = |row: &&RunRow| {
                let answer = reader.answer(row.id).unwrap().unwrap_or_default();
                format!("{} ", answer.to_lowercase()).contains(&format!("{} ", word.trim_matches('"')))
            };
            let is_in = |row: &&RunRow| days.is_none_or(|days| days.contains(row.day));
            let expected: Vec<RunId> = all.iter().filter(is_in).filter(holds).map(|row| row.id).collect();
            let filter = RunFilter { text: Some(word.into()), days, ..RunFilter::default() };
            for limit in [1, 4, 1_000] {
                assert_eq!(ids(&filter, limit), expected, "{word} {days:?} {limit} a page");
            }
            assert_eq!(reader.count_runs(&world.project, &filter, 1_000).unwrap(), expected.len() as u64, "{word}");
            let answer = RunFilter { text: None, answer: Some(word.into()), ..filter };
            assert_eq!(ids(&answer, 4), expected, "{word} {days:?} in answers");
        }
    }
}

#[tokio::test]
async fn the_finished_run_before_is_the_newest_of_those_that_are() {
    let world = World::new().await;
    let runs = runs();
    world.save(runs.clone()).await;
    let reader = world.store.reader().unwrap();
    for of in runs.iter().step_by(7) {
        let before = runs
            .iter()
            .filter(|run| run.prompt.key == of.prompt.key && run.engine == of.engine && run.status == Status::Finished)
            .filter(|run| run.created_at < of.created_at)
            .max_by_key(|run| run.created_at);
        let expected = before.map(|run| RunId::of(&world.project, &run.key));
        assert_eq!(reader.finished_before(RunId::of(&world.project, &of.key)).unwrap(), expected, "{}", of.key);
    }
}

#[tokio::test]
async fn they_are_read_through_an_index() {
    let world = World::new().await;
    world.save(runs()).await;
    let reader = world.store.reader().unwrap();
    let words = format!("{}{}", prompts::OF_PROJECT, prompts::HOLDS_WORDS);
    for (sql, values, index) in [
        (presence::OF_DAYS, 4, "SEARCH r USING INDEX run_by_day"),
        (presence::OF_PROMPT, 4, "SEARCH r USING INDEX run_by_prompt_day"),
        (presence::LISTS, 3, "SEARCH r USING INDEX run_by_prompt_day"),
        (details::FINISHED_BEFORE, 1, "SEARCH n USING INDEX run_by_prompt"),
        (prompts::OF_PROJECT, 3, "SEARCH prompt USING INDEX prompt_by_project"),
        (&words, 4, "SEARCH prompt USING INDEX prompt_by_project"),
    ] {
        let mut statement = reader.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.query_map(rusqlite::params_from_iter(1..=values), |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<String> = lines.map(rusqlite::Result::unwrap).collect();
        let plan = plan.join("\n").replace("SCAN answer_fts", "").replace("SCAN prompt_fts", "");
        assert!(plan.contains(index) && !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
    // Few answers with a word are read one by one; of a word in most, the newest runs first.
    let few = RunFilter { answer: Some("\"about prompt 3\"".into()), ..RunFilter::default() };
    let plan = reader.explain_runs(&world.project, &few, RunSort::CreatedAt);
    assert!(plan.contains("SEARCH r USING INTEGER PRIMARY KEY"), "{plan}");
}
