//! Who asks: keys and session tokens, with the answers that the real backend gives to each that does not open it.

use super::{ids::uuid_of, problem::Problem, tracker::Project};
use crate::demo::rng::uuid;
use axum::http::{HeaderMap, header};
use url::form_urlencoded;
use xxhash_rust::xxh3::xxh3_64;

/// What a request may see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Access {
    /// The project by place; a session without one sees an empty list.
    pub(super) project: Option<usize>,
    pub(super) organisation: u32,
    /// Sessions are not limited in their number of requests.
    pub(super) is_session: bool,
}

/// The key of an organisation.
pub(super) fn organisation_key(organisation: u32) -> String {
    uuid(xxh3_64(b"organisation"), &[u64::from(organisation)])
}

/// A token of a person who is logged in and belongs to the first organisation; its signature is believed, not checked.
pub(super) const SESSION: &str = "eyJhbGciOiJIUzI1NiJ9.eyJkZW1vIjp0cnVlfQ.c2lnbmVkLWZvci10aGUtZGVtbw";

/// Who asks, or why that is nobody. `revoked` keys are like keys that never were.
pub(super) fn access(projects: &[Project], revoked: bool, headers: &HeaderMap, query: &str) -> Result<Access, Problem> {
    let given = credential(headers).ok_or_else(Problem::not_found)?;
    let Some(key) = uuid_of(&given).filter(|_| given.len() == 36) else {
        return if given == SESSION { session(projects, query) } else { Err(stranger(&given)) };
    };
    if !revoked {
        let private = projects.iter().position(|project| project.private_key == key);
        if let Some((place, project)) = private.and_then(|place| Some((place, projects.get(place)?))) {
            return Ok(Access { project: Some(place), organisation: project.organisation, is_session: false });
        }
        if projects.iter().any(|project| project.id == key) {
            return Err(Problem::unauthorized("This route requires a private API key"));
        }
        if projects.iter().any(|project| organisation_key(project.organisation) == key) {
            return Err(Problem::unauthorized("Org API key cannot access this route"));
        }
    }
    Err(Problem::unauthorized("Invalid API key"))
}

/// The second word of `Authorization`, whatever the first, or the header of its own.
fn credential(headers: &HeaderMap) -> Option<String> {
    let text = |name: header::HeaderName| headers.get(name)?.to_str().ok();
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.split(' ').nth(1));
    let own = || text(header::HeaderName::from_static("x-api-key"));
    bearer.or_else(own).filter(|key| !key.is_empty()).map(str::to_owned)
}

/// What a text that is no UUID is told; one in three parts is taken for a token that is not good (any more).
fn stranger(given: &str) -> Problem {
    if given.split('.').count() == 3 {
        return Problem::not_found();
    }
    Problem::unauthorized("Invalid access token")
}

fn session(projects: &[Project], query: &str) -> Result<Access, Problem> {
    let organisation = projects.first().map_or(0, |project| project.organisation);
    let wanted = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "projectId").map(|(_, value)| value);
    let Some(wanted) = wanted else { return Ok(Access { project: None, organisation, is_session: true }) };
    let id = uuid_of(&wanted).ok_or_else(Problem::not_found)?;
    let own = projects.iter().position(|project| project.id == id && project.organisation == organisation);
    let place = own.ok_or_else(|| Problem::unauthorized("Unauthorized access to project"))?;
    Ok(Access { project: Some(place), organisation, is_session: true })
}
