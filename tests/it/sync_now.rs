//! `sync_now`, asked for as a client does: progress, an end in good time, cancelling, and one at a time.

use crate::{
    support::{
        raw::{Era, Raw},
        surely,
        sync::{Stage, small},
    },
    sync::picture::{assert_same, assert_sound, picture},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::process::{Child, Command};
use visibility_mcp::{
    clock::Clock,
    demo::{
        verseodin::{PromptRow, Tracker, Universe, WorldTracker},
        world::{Take, WorldSize},
    },
    model::Day,
};

/// A tracker that takes its time for every request.
struct Slow(WorldTracker, Duration);

impl Tracker for Slow {
    fn universes(&self) -> Vec<Universe> {
        std::thread::sleep(self.1);
        self.0.universes()
    }

    fn days(&self, universe: &str) -> Vec<Day> {
        self.0.days(universe)
    }

    fn rows(&self, universe: &str, day: Day, take: Take) -> Vec<PromptRow> {
        self.0.rows(universe, day, take)
    }
}

/// Days that are past, so that every sync of them ends alike, and that a first sync reaches back to.
fn slow(pause: Duration) -> Stage {
    let size = WorldSize { days: 12, ..small() };
    let last = Day::of(Clock::system().now()).plus(-20);
    Stage::with(size, 7, last, |tracker| Slow(tracker, pause))
}

/// The program as a server that does not sync by itself.
async fn serve(stage: &Stage, era: Era) -> (Child, Raw) {
    let mut program = stage.program(stage.store.path());
    program.args(["serve", "--no-sync"]).stdin(std::process::Stdio::piped());
    let mut child = Command::from(program).kill_on_drop(true).spawn().unwrap();
    let mut raw = Raw::of(&mut child, era);
    raw.open().await;
    (child, raw)
}

/// The value of a column of the answer's first source.
fn of(answer: &Value, column: &str) -> Value {
    let table = &answer["structuredContent"]["sources"];
    let at = table["columns"].as_array().unwrap().iter().position(|name| name == column).unwrap();
    table["rows"][0][at].clone()
}

/// Calls until every source is read whole.
async fn finish(raw: &mut Raw) -> usize {
    for calls in 1..100 {
        let answer = raw.call("sync_now", json!({})).await;
        if answer["isError"] == true {
            // What was cancelled commits its page before it makes room.
            assert!(answer["content"][0]["text"].as_str().unwrap().contains("runs already"), "{answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        } else if answer["structuredContent"]["complete"] == true {
            return calls;
        }
    }
    panic!("it never ends");
}

async fn assert_whole(stage: &Stage) {
    let undisturbed = stage.undisturbed("undisturbed").await;
    assert_sound("after sync_now", &stage.store);
    assert_same("after sync_now", &picture(&stage.store), &picture(&undisturbed));
}

#[tokio::test]
async fn it_says_how_far_it_is_and_the_next_answer_has_what_it_fetched() {
    for era in Era::BOTH {
        let stage = Stage::small();
        let (_child, mut raw) = serve(&stage, era).await;
        assert!(raw.refusal("brand_summary", json!({})).await.contains("visibility-mcp sync"));
        let tools = raw.ask("tools/list", json!({})).await["result"]["tools"].take();
        let tool = tools.as_array().unwrap().iter().find(|tool| tool["name"] == "sync_now").unwrap();
        assert_eq!(tool["annotations"]["readOnlyHint"], false);
        let schema = jsonschema::validator_for(&tool["outputSchema"]).unwrap();
        let call = raw.begin("sync_now", json!({ "response_format": "detailed" })).await;
        let answer = raw.answer(call).await["result"].take();
        assert!(schema.is_valid(&answer["structuredContent"]), "{answer}");
        assert_eq!(answer["structuredContent"]["complete"], true, "{answer}");
        assert_eq!(of(&answer, "outcome"), "done");
        assert!(of(&answer, "added").as_u64() > Some(50), "{answer}");
        let steps = raw.progress(call);
        assert!(!steps.is_empty());
        assert!(steps.windows(2).all(|pair| pair[0]["progress"].as_f64() < pair[1]["progress"].as_f64()), "{steps:?}");
        let fits = |step: &&Value| step.get("total").is_none_or(|total| step["progress"].as_f64() <= total.as_f64());
        assert!(steps.iter().all(fits), "{steps:?}");
        assert!(steps.iter().all(|step| step["message"].as_str().unwrap().starts_with("verseodin: ")), "{steps:?}");
        assert_eq!(raw.call("brand_summary", json!({})).await["isError"], false);
        // Nobody asked to hear of this one.
        let again = raw.call("sync_now", json!({ "source": "Verseodin" })).await;
        assert_eq!((of(&again, "outcome"), of(&again, "added")), (json!("done"), json!(0)), "{again}");
        let unknown = raw.refusal("sync_now", json!({ "source": "verseodim" })).await;
        assert!(unknown.contains("nearest: \"verseodin\""), "{unknown}");
        let too_long = raw.refusal("sync_now", json!({ "wait_seconds": 281 })).await;
        assert!(too_long.contains("allowed 1 to 280"), "{too_long}");
    }
}

#[tokio::test]
async fn it_ends_in_time_and_goes_on_at_the_next_call() {
    let stage = slow(Duration::from_millis(150));
    let (_child, mut raw) = serve(&stage, Era::Modern).await;
    let first = raw.call("sync_now", json!({ "wait_seconds": 1 })).await;
    assert_eq!(first["structuredContent"]["complete"], false, "{first}");
    assert_eq!(of(&first, "outcome"), "stopped");
    let caveats = first["structuredContent"]["caveats"].to_string();
    assert!(caveats.contains("call sync_now again"), "{caveats}");
    finish(&mut raw).await;
    assert_whole(&stage).await;
}

#[tokio::test]
async fn it_can_be_cancelled_and_nothing_is_lost() {
    let stage = slow(Duration::from_millis(100));
    let (_child, mut raw) = serve(&stage, Era::Legacy).await;
    let call = raw.begin("sync_now", json!({})).await;
    surely("progress", raw.hear_progress(call)).await;
    raw.cancel(call).await;
    // Nobody waits for it: other calls are answered.
    let sources = raw.call("list_sources", json!({})).await;
    assert_eq!(sources["isError"], false, "{sources}");
    assert!(finish(&mut raw).await > 0);
    assert!(!raw.has_answer(call), "a cancelled call is not answered");
    assert_whole(&stage).await;
}

#[tokio::test]
async fn two_at_once_are_one_and_reading_goes_on() {
    let stage = slow(Duration::from_millis(200));
    let (_child, mut raw) = serve(&stage, Era::Modern).await;
    let call = raw.begin("sync_now", json!({})).await;
    surely("progress", raw.hear_progress(call)).await;
    let second = raw.refusal("sync_now", json!({})).await;
    assert!(second.contains("sync_now runs already") && second.contains("list_sources"), "{second}");
    let sources = raw.call("list_sources", json!({})).await;
    assert!(sources["structuredContent"]["sources"][0]["syncing"].as_bool().unwrap(), "{sources}");
    assert!(!raw.has_answer(call), "reading did not wait for it");
    assert_eq!(raw.answer(call).await["result"]["structuredContent"]["complete"], true);
}

#[tokio::test]
async fn a_refused_key_is_said_with_its_remedy() {
    let stage = Stage::small();
    let mut program = stage.program(stage.store.path());
    program.env("VERSEODIN_API_KEY", "vk-not-a-key").args(["serve", "--no-sync"]).stdin(std::process::Stdio::piped());
    let mut child = Command::from(program).kill_on_drop(true).spawn().unwrap();
    let mut raw = Raw::of(&mut child, Era::Legacy);
    raw.open().await;
    let answer = raw.call("sync_now", json!({})).await;
    assert_eq!(of(&answer, "outcome"), "failed", "{answer}");
    assert!(of(&answer, "remedy").as_str().unwrap().contains("VERSEODIN_API_KEY"), "{answer}");
    assert!(!answer.to_string().contains("vk-not-a-key"), "{answer}");
}
