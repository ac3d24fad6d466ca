//! Holds to: any text as an answer of Lunary's becomes an error in our words, or a page that is no larger than what
//! came, the same at every reading, and whose next page begins further on.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use support::{
    assert_shown,
    bodies::{check_drift, check_page, check_project, check_rejected, parts, project},
};
use visibility_mcp::{
    model::Day,
    upstream::{
        Cursor, Limits,
        lunary::{Lunary, LunaryConfig, RunFilter},
    },
};

static LUNARY: LazyLock<Lunary> = LazyLock::new(|| {
    Lunary::new(LunaryConfig {
        source: "lunary".into(),
        api_key: "key".to_owned().into(),
        base_url: "http://127.0.0.1:1/v1".parse().unwrap(),
        key_variable: "LUNARY_PRIVATE_KEY".to_owned(),
        project_name: None,
        runs: RunFilter::default(),
        run_details: false,
        models: Vec::new(),
        limits: Limits::default(),
    })
    .unwrap()
});

fuzz_target!(|data: &[u8]| {
    let Some([body, cursor, _]) = parts(data) else { return };
    let day: Day = "2026-11-20".parse().unwrap();
    match LUNARY.decode_project(body) {
        Ok(found) => {
            found.items.iter().for_each(check_project);
            check_rejected(&found.rejected);
            check_drift(&found.drift);
        }
        Err(error) => assert_shown(&error.to_string()),
    }
    let cursor = (!cursor.is_empty()).then(|| Cursor(cursor.to_owned()));
    let read = || LUNARY.decode_runs(&project(), day, cursor.as_ref(), body);
    match (read(), read()) {
        (Ok(page), Ok(again)) => {
            check_page(&page, body.len());
            assert_eq!((&page.runs, page.digest, &page.next), (&again.runs, again.digest, &again.next));
            assert!(page.next.is_none() || page.next != cursor, "it does not move on: {:?}", page.next);
        }
        (Err(error), Err(_)) => assert_shown(&error.to_string()),
        (one, other) => panic!("{one:?}, then {other:?}"),
    }
});
