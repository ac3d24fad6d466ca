//! `kill -9` at random moments: whatever was cut off, the next sync goes on, and the end is the same.

use super::picture::{assert_same, assert_sound, picture};
use crate::support::{
    secrets::{Watched as _, watched},
    sync::Stage,
};
use std::{
    path::Path,
    process::{Child, Command, Output},
    time::{Duration, Instant},
};
use visibility_mcp::{
    clock::Clock,
    demo::{
        verseodin::{PromptRow, Tracker, Universe, WorldTracker},
        world::{Take, WorldSize},
    },
    model::Day,
    store::Store,
};

/// Kills of all worlds together.
const KILLS: usize = 200;
/// Another seed kills at other moments: `VISIBILITY_MCP_KILL_SEED=17 cargo test kill`.
const SEED: u64 = 20_261_122;
const SEED_VARIABLE: &str = "VISIBILITY_MCP_KILL_SEED";

/// Days long past, days that may still change and hold open runs, one day of many runs, several projects.
fn worlds(today: Day) -> [(WorldSize, Day); 4] {
    let size = WorldSize {
        prompts: vec![3],
        engines: 2,
        days: 8,
        brands: 3,
        domains: 8,
        answer_bytes: 300,
        citations: 2.0,
        mentions: 1.5,
    };
    [
        (size.clone(), today.plus(-9)),
        (size.clone(), today),
        (WorldSize { prompts: vec![30], days: 2, ..size.clone() }, today.plus(-20)),
        (WorldSize { prompts: vec![2, 2, 2], days: 4, ..size }, today.plus(-1)),
    ]
}

/// A tracker at some distance, so that the moments between two pages are as long as those in them.
struct Far(WorldTracker);

impl Tracker for Far {
    fn universes(&self) -> Vec<Universe> {
        // Asked for in every request.
        std::thread::sleep(Duration::from_millis(2));
        self.0.universes()
    }

    fn days(&self, universe: &str) -> Vec<Day> {
        self.0.days(universe)
    }

    fn rows(&self, universe: &str, day: Day, take: Take) -> Vec<PromptRow> {
        self.0.rows(universe, day, take)
    }
}

/// Splitmix: the next of a row of numbers that look like chance.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

pub fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a setting of this test alone")]
    let given = std::env::var(SEED_VARIABLE).ok();
    given.map_or(SEED, |text| text.parse().unwrap_or_else(|_| panic!("{SEED_VARIABLE} is not a number: {text}")))
}

/// Kills the child when the time is over. None when it was; else how the child ended.
fn kill_after(mut child: Child, delay: Duration) -> Option<Output> {
    let begun = Instant::now();
    loop {
        if child.try_wait().unwrap().is_some() {
            return Some(watched(child.wait_with_output().unwrap()));
        }
        let left = delay.saturating_sub(begun.elapsed());
        if left.is_zero() {
            child.kill().unwrap();
            let output = watched(child.wait_with_output().unwrap());
            // It may have come to its end in that very moment.
            return output.status.code().is_some().then_some(output);
        }
        std::thread::sleep(left.min(Duration::from_millis(1)));
    }
}

fn assert_success(case: &str, output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{case}: {}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_sync_killed_anywhere_ends_as_one_that_was_not() {
    let seed = seed();
    println!("{SEED_VARIABLE}={seed}");
    let mut chance = seed;
    let worlds = worlds(Day::of(Clock::system().now()));
    let share = KILLS / worlds.len();
    for (world, (size, last_day)) in worlds.into_iter().enumerate() {
        let stage = Stage::with(size, seed, last_day, Far);
        let program = |cache: &Path| stage.program(cache);
        survives(&format!("world {world}"), share, &mut chance, &program, &|name| stage.other_cache(name));
    }
}

/// Kills so many syncs at moments of chance: each round of them ends in what one undisturbed sync comes to.
pub fn survives(
    case: &str,
    least: usize,
    chance: &mut u64,
    program: &dyn Fn(&Path) -> Command,
    other_cache: &dyn Fn(&str) -> Store,
) {
    let undisturbed = other_cache("undisturbed.sqlite");
    let begun = Instant::now();
    assert_success("undisturbed", &program(undisturbed.path()).arg("sync").watched());
    let whole = begun.elapsed();
    assert_sound("undisturbed", &undisturbed);
    let expected = picture(&undisturbed);

    let (mut kills, mut round) = (0, 0);
    while kills < least {
        let case = format!("{SEED_VARIABLE}={}, {case}, round {round}", seed());
        let cache = other_cache(&format!("{round}.sqlite"));
        let ended = loop {
            let part = f64::from(u32::try_from(next(chance) >> 32).unwrap()) / f64::from(u32::MAX);
            let child = program(cache.path()).arg("sync").spawn().unwrap();
            match kill_after(child, whole.mul_f64(part)) {
                None => kills += 1,
                Some(output) => break output,
            }
        };
        assert_success(&case, &ended);
        assert_sound(&case, &cache);
        assert_same(&case, &picture(&cache), &expected);
        round += 1;
    }
    println!("{case}: {kills} kills in {round} syncs of {} ms each", whole.as_millis());
}
