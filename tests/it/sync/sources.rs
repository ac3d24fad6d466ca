//! Several sources side by side, and what is said of the one that fails.

use super::picture::{assert_same, lines, picture};
use crate::support::{
    secrets::Watched as _,
    sync::{Stage, done, failure, quick, sync_into},
};
use visibility_mcp::model::ProjectKey;

const WRONG_KEY: &str = "vso_badbadbadbadbadbadbadbadbadbadbadbadbadbadbadbad";

#[tokio::test]
async fn a_source_that_fails_does_not_hide_the_success_of_another() {
    let stage = Stage::small();
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    let good = stage.upstream();
    let bad = stage.upstream_named("a-wrong-key", WRONG_KEY, quick());
    let also_good = stage.upstream_named("z-second", stage.server.key(), quick());
    let report = sync_into(&stage.store, &[bad, good, also_good], stage.last_day()).await;
    assert!(!report.is_success());
    let [bad, good, also_good] = report.sources.try_into().unwrap();
    assert_eq!(failure(&bad).0, "unauthorized");
    done(good);
    done(also_good);
    let reader = stage.store.reader().unwrap();
    for name in ["verseodin", "z-second"] {
        assert_eq!(reader.last_sync(&name.into()).unwrap().unwrap().outcome.as_deref(), Some("done"));
    }
    let failed = reader.last_sync(&"a-wrong-key".into()).unwrap().unwrap();
    assert_eq!(
        (failed.outcome.as_deref(), failed.error.as_deref()),
        (Some("failed"), Some("the key was refused (401)"))
    );

    // Both have it all, each for itself.
    let alone = undisturbed.reader().unwrap();
    for project in stage.projects() {
        let second = ProjectKey { source: "z-second".into(), key: project.key.clone() };
        let rows = |reader, project| {
            lines(reader, project)
                .into_iter()
                .map(|row| (row.day, row.engine, row.prompt.text, row.status))
                .collect::<Vec<_>>()
        };
        let expected = rows(&alone, &project);
        let (mut first, mut second) = (rows(&reader, &project), rows(&reader, &second));
        let mut expected = expected;
        for rows in [&mut first, &mut second, &mut expected] {
            rows.sort();
        }
        assert_eq!((&first, &second), (&expected, &expected));
    }
}

#[test]
fn the_program_tells_of_each_source_and_keeps_keys_to_itself() {
    let stage = Stage::small();
    let config = stage.folder.path().join("config.toml");
    let source = |name: &str, key: &str| {
        format!(
            "[sources.{name}]\nupstream = \"verseodin\"\napi_key = \"{key}\"\nbase_url = \"{}\"\n",
            stage.server.base_url()
        )
    };
    let text = source("good", stage.server.key()) + &source("wrong", WRONG_KEY);
    std::fs::write(&config, text).unwrap();
    let mut heard = Vec::new();
    let mut run = |arguments: &[&str]| {
        let mut program = stage.program(stage.store.path());
        program.env_remove("VERSEODIN_API_KEY").env("VISIBILITY_MCP_CONFIG", &config).args(arguments);
        let output = program.watched();
        heard.extend([output.stdout.clone(), output.stderr.clone()]);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = run(&["sync", "--history-days", "3660"]);
    assert_eq!(code, Some(1), "{err}");
    let runs = stage.world.run_count();
    let (days, good) = (2 * stage.world.days().days(), "good: done, 2 projects, ");
    assert!(
        out.contains(&format!("{good}{days} of {days} slices read; {runs} runs new, 0 changed, 0 unchanged")),
        "{out}"
    );
    assert!(out.contains("wrong: incomplete, 0 projects"), "{out}");
    assert!(err.contains("error: wrong: the key was refused (401)\nhint: set `"), "{err}");

    let (code, out, _) = run(&["sync", "--only", "good", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["sources"][0]["outcome"]), (Some(0), &"done".into()));

    // At the loudest, with every tool's view of it, and in the file itself.
    run(&["-vv", "sync"]);
    run(&["-vv", "status", "--json"]);
    run(&["call", "list_sources", "--json"]);
    heard.push(std::fs::read(stage.store.path()).unwrap());
    for key in [stage.server.key(), WRONG_KEY] {
        // Half of it would be too much.
        let key = &key.as_bytes()[4..28];
        assert!(!heard.iter().any(|text| text.windows(key.len()).any(|part| part == key)), "a key was told");
    }
}

#[tokio::test]
async fn a_tracker_that_is_not_there_is_told_and_the_cache_stays() {
    let stage = Stage::small();
    stage.sync_all().await;
    let before = picture(&stage.store);
    let upstream = stage.upstream();
    stage.server.shutdown();
    // Until the port is closed.
    let address = stage.server.base_url();
    let address = address.trim_start_matches("http://").trim_end_matches("/api/v1");
    while std::net::TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    let report = sync_into(&stage.store, &[upstream], stage.last_day()).await.sources.remove(0);
    let (class, error, hint) = failure(&report);
    assert_eq!(class, "network", "{error}");
    assert!(error.starts_with("the connection was refused, 3 tries in "), "{error}");
    assert!(hint.contains("check the network and the base URL"), "{hint}");
    assert_same("no tracker", &picture(&stage.store), &before);
}
