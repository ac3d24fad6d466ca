//! Answers read without asking: what becomes of a body, for those who have one already. Needs no network, so fuzzers can
//! call it.

use super::{
    about,
    answer::{About, Answer},
    brands,
    document::{PROJECT, PROMPT_RUNS, RUN_DETAILS, SCORES},
    pages::{Draft, Place, join},
    projects::Listed,
    wire::Connection,
};
use crate::{
    model::{BrandKey, ProjectRecord, PromptRecord},
    upstream::{
        Error, Page, Rejected,
        fields::{DriftLog, Unreadable},
        http::Reply,
    },
};
use serde_json::value::RawValue;

/// Reads the answers about a page of a prompt's runs: the lists of the project's tracked brands, under their aliases,
/// and the details of the runs in them.
///
/// # Errors
///
/// Whatever the answers are refused for: that one is no GraphQL answer, or that it complains. Runs that cannot be
/// understood are put aside in the page.
pub fn decode_runs(project: &ProjectRecord, prompt: &PromptRecord, lists: &str, details: &str) -> Result<Page, Error> {
    let tracked: Vec<&BrandKey> = brands::tracked(project, &[]).into_iter().map(|brand| &brand.key).collect();
    let of_lists = about(&PROMPT_RUNS, project);
    let lists = answers(&of_lists, lists, tracked.len())?;
    let mut draft = join(&of_lists.what, prompt, &Place::default(), tracked.into_iter().zip(lists).collect())?;
    let lookups = draft.lookups(&nothing);
    let details = answers(&about(&RUN_DETAILS, project), details, lookups.len())?;
    for ((place, brand), answer) in lookups.into_iter().zip(details) {
        if let Ok(answer) = answer {
            draft.add_details(place, brand, answer);
        }
    }
    Ok(draft.finish(project, &nothing))
}

/// Reads the answer about the published scores of one brand.
///
/// # Errors
///
/// As [`decode_runs`].
pub fn decode_scores(project: &ProjectRecord, brand: &BrandKey, body: &str) -> Result<Page, Error> {
    let about = about(&SCORES, project);
    let mut draft = Draft::empty(None);
    for answer in answers(&about, body, 1)? {
        draft.add_scores(&about.what, brand, &answer?)?;
    }
    Ok(draft.finish(project, &nothing))
}

/// Reads a project as the list of its account's projects has it, with the answers about itself and about its brands.
///
/// # Errors
///
/// As [`decode_runs`], and that the project cannot be understood.
pub fn decode_project(row: &str, detail: &str, brands: &str) -> Result<(ProjectRecord, Vec<Rejected>), Error> {
    let about = About::of(PROJECT.name, "the account".to_owned());
    let unreadable = |why: Unreadable| Error::Decode { what: about.what.clone(), detail: why.0 };
    let row: &RawValue = serde_json::from_str(row).map_err(|_| unreadable(Unreadable("it is no JSON".to_owned())))?;
    let drift = DriftLog::default();
    let listed = Listed::read("account", row, &drift).map_err(unreadable)?;
    let detail = answers(&about, detail, 1)?.into_iter().find_map(Result::ok);
    let mut rows: Vec<Box<RawValue>> = vec![];
    for answer in answers(&about, brands, 1)? {
        let page = answer?;
        rows.extend(Connection::read(&about.what, &page, &drift)?.nodes.into_iter().map(ToOwned::to_owned));
    }
    Ok(listed.describe(detail.as_deref(), &rows, &drift))
}

/// No run is stored yet.
fn nothing(_: &str, _: u64) -> bool {
    false
}

/// What a body says to each of so many questions.
fn answers(about: &About, body: &str, questions: usize) -> Result<Vec<Result<Box<RawValue>, Error>>, Error> {
    let reply = Reply { body: body.to_owned(), date: None, refusal: None };
    let answer = Answer::read(&reply, &about.what)?;
    let to_each = answer.to_each(questions, about, |complaint| complaint.error(about, "", None));
    let missing = || Err(Error::NotFound { what: about.what.clone() });
    Ok(to_each.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect())
}
