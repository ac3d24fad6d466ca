//! Holds to: any bytes as an answer of Verseodin's become an error in our words, or records that are no larger than what
//! came and the same at every reading.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use support::{
    assert_shown,
    bodies::{check_page, check_project, check_rejected, parts, project},
};
use visibility_mcp::upstream::verseodin::{decode_history, decode_prompts, decode_universe};

fuzz_target!(|data: &[u8]| {
    for decode in [decode_prompts, decode_history] {
        match (decode(&project(), data), decode(&project(), data)) {
            (Ok(page), Ok(again)) => {
                check_page(&page, data.len());
                assert_eq!((&page.runs, page.digest), (&again.runs, again.digest));
            }
            (Err(error), Err(_)) => assert_shown(&error.to_string()),
            (one, other) => panic!("{one:?}, then {other:?}"),
        }
    }
    let Some([row, detail, brands]) = parts(data) else { return };
    match decode_universe(row, detail, brands) {
        Ok((project, rejected)) => {
            check_project(&project);
            check_rejected(&rejected);
        }
        Err(error) => assert_shown(&error.to_string()),
    }
});
