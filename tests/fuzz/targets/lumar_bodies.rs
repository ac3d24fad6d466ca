//! Holds to: any text as an answer of Lumar's becomes an error in our words, or records that are no larger than what
//! came, the same at every reading, and whose next page begins further on.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use support::{
    assert_shown,
    bodies::{check_page, check_project, check_rejected, parts, project},
};
use visibility_mcp::{
    model::PromptRecord,
    upstream::lumar::{decode_project, decode_runs, decode_scores},
};

fuzz_target!(|data: &[u8]| {
    let Some([first, second, third]) = parts(data) else { return };
    let project = project();
    let prompt = PromptRecord { key: "q1".into(), text: "Which battery?".into(), topic: None, label: None };
    let read = || decode_runs(&project, &prompt, first, second);
    match (read(), read()) {
        (Ok(page), Ok(again)) => {
            check_page(&page, first.len() + second.len());
            assert_eq!((&page.runs, page.digest, &page.next), (&again.runs, again.digest, &again.next));
        }
        (Err(error), Err(_)) => assert_shown(&error.to_string()),
        (one, other) => panic!("{one:?}, then {other:?}"),
    }
    match decode_scores(&project, &project.brands[0].key, first) {
        Ok(page) => check_page(&page, first.len()),
        Err(error) => assert_shown(&error.to_string()),
    }
    match decode_project(first, second, third) {
        Ok((project, rejected)) => {
            check_project(&project);
            check_rejected(&rejected);
        }
        Err(error) => assert_shown(&error.to_string()),
    }
});
