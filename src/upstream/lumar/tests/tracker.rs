//! A small tracker that speaks the contract: enough of GraphQL to answer our own documents, and faults on request.

use super::super::*;
use crate::upstream::http::tests::quick;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::method};

pub(super) const OWN: &str = "TjAxN0FpVmlzaWJpbGl0eUJyYW5kMQ";
pub(super) const RIVAL: &str = "TjAxN0FpVmlzaWJpbGl0eUJyYW5kMg";
pub(super) const OTHER: &str = "TjAxN0FpVmlzaWJpbGl0eUJyYW5kMw";
pub(super) const DATE: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

/// One run; the rival is in every second one.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) prompt: &'static str,
    pub(super) at: String,
    pub(super) status: &'static str,
    pub(super) rival: u32,
}

/// What the tracker holds, what it was asked, and what is wrong with it.
#[derive(Default)]
pub(super) struct State {
    pub(super) runs: Vec<Run>,
    pub(super) merged: bool,
    /// Root field and arguments of every question.
    pub(super) asked: Vec<(String, Value)>,
    /// Requests, those for sessions left out.
    pub(super) requests: usize,
    pub(super) sessions: usize,
    /// Sessions that are refused, the first so many.
    pub(super) ended: usize,
    pub(super) expires_at: Option<&'static str>,
    pub(super) unknown: Vec<&'static str>,
    pub(super) most: Option<usize>,
    pub(super) lower_case: bool,
    /// Questions that fail: by a text in their arguments, with this code.
    pub(super) failing: Vec<(&'static str, &'static str)>,
    /// How often they fail; always, where it is not said.
    pub(super) failures: Option<usize>,
    /// A failure takes the whole answer along.
    pub(super) strict: bool,
    pub(super) old_scores: bool,
}

impl State {
    pub(super) fn count(&self, root: &str) -> usize {
        self.asked.iter().filter(|(name, _)| name.starts_with(root)).count()
    }

    fn runs(&self, args: &Value) -> Vec<&Run> {
        let day = |end: &str| args["dateRange"][end].as_str().unwrap().to_owned();
        let (first, last) = (day("start"), day("end") + "T99");
        let prompt = args["aiVisibilityPromptId"].as_str();
        let mut runs: Vec<&Run> = self
            .runs
            .iter()
            .filter(|run| prompt.is_none_or(|p| p == run.prompt))
            .filter(|run| run.at >= first && run.at <= last)
            .collect();
        runs.sort_by(|a, b| a.at.cmp(&b.at));
        runs
    }

    fn check_brand(&self, args: &Value) -> Result<bool, &'static str> {
        match args["aiVisibilityBrandId"].as_str().unwrap() {
            OWN => Ok(true),
            RIVAL if self.merged => Err("ENTITY_NOT_FOUND"),
            RIVAL | OTHER => Ok(false),
            _ => Err("BAD_USER_INPUT"),
        }
    }

    fn row(run: &Run, own: bool) -> Value {
        let count = if own { 1 } else { run.rival };
        json!({
            "id": run.id, "rawId": run.id, "status": run.status, "aiProviderType": "OpenAiApi",
            "brandVisible": count > 0, "totalBrandCitations": count, "totalBrandMentions": count,
            "bestBrandPosition": null, "avgBrandSentiment": null, "createdAt": run.at, "failureReason": null,
        })
    }

    fn answer(&mut self, root: &str, args: &Value) -> Result<Value, &'static str> {
        let text = args.to_string();
        let failing = self.failing.iter().find(|(sign, _)| text.contains(sign));
        if let Some((_, code)) = failing.filter(|_| self.failures != Some(0)) {
            self.failures = self.failures.map(|left| left - 1);
            return Err(code);
        }
        let listed =
            |nodes: Vec<Value>| json!({ "nodes": nodes, "pageInfo": { "hasNextPage": false, "endCursor": null } });
        Ok(match root {
            "me" => json!({ "id": "u", "accounts": { "nodes": [{ "id": "acc1", "name": "A" }, { "id": "acc2" }] } }),
            "getAiVisibilityProjects" if args["accountId"] == "acc1" => listed(vec![
                json!({
                    "id": "p1", "rawId": "1", "name": "Shop", "totalTopics": 1, "totalPrompts": 2, "aiProviderTypes": ["OpenAiApi"],
                    "primaryBrandDomain": "acme.example", "primaryBrandRawId": "1", "scheduleCadence": "Daily",
                    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
                }),
                json!({ "id": null }),
            ]),
            "getAiVisibilityProjects" => return Err("FORBIDDEN"),
            "getAiVisibilityProject" => {
                json!({ "id": "p1", "primaryBrand": { "id": OWN, "rawId": "1", "name": "Acme" }, "aiProviders": [] })
            }
            "getAiVisibilityBrands" => {
                let brand = |id: &str, raw: &str, name: &str, kind: &str, into: Value| {
                    json!({
                        "id": id, "rawId": raw, "name": name, "type": kind, "primary": raw == "1",
                        "domain": format!("{}.example", name.to_lowercase()), "mergedIntoAiVisibilityBrandRawId": into,
                    })
                };
                listed(vec![
                    brand(RIVAL, "2", "Globex", "COMPETITOR", if self.merged { json!("1") } else { json!(null) }),
                    brand(OTHER, "3", "Hooli", "other", json!(null)),
                    brand("b4", "4", "Acme-Shop", "Other", json!("5")),
                    brand("b5", "5", "AcmeShop", "Other", json!("1")),
                    brand(OWN, "1", "Acme", "own", json!(null)),
                ])
            }
            "getAiVisibilityPrompts" => {
                let own = self.check_brand(args)?;
                let prompt = |id: &str| {
                    let runs = self.runs(args);
                    let of = || runs.iter().filter(|run| run.prompt == id && run.status == "Finished");
                    let count: u32 = of().map(|run| if own { 1 } else { run.rival }).sum();
                    json!({ "id": id, "rawId": id, "content": format!("Text of {id}?"), "topicName": "Shops",
                        "totalRuns": of().count(), "totalBrandCitations": count, "totalBrandMentions": count })
                };
                listed(vec![prompt("q1"), prompt("q2")])
            }
            "getAiVisibilityPromptRuns" => {
                let own = self.check_brand(args)?;
                let runs = self.runs(args);
                let start = args["after"].as_str().map_or(0, offset);
                let first = usize::try_from(args["first"].as_u64().unwrap_or(15)).unwrap();
                let end = (start + first).min(runs.len());
                let nodes: Vec<Value> = runs.iter().take(end).skip(start).map(|run| Self::row(run, own)).collect();
                let cursor = if nodes.is_empty() { Value::Null } else { json!(cursor(end)) };
                json!({ "nodes": nodes, "pageInfo": { "hasNextPage": end < runs.len(), "endCursor": cursor } })
            }
            "getAiVisibilityPromptRunDetails" => {
                let own = self.check_brand(args)?;
                let id = args["aiVisibilityPromptRunId"].as_str().unwrap();
                json!({ "fullAnswerText": format!("Answer of {id}"), "visibilityScore": if own { 50 } else { 20 },
                    "brandCitations": [], "brandMentions": null, "otherBrandCitations": [] })
            }
            "getAiVisibilityVisibilityScores" => {
                let name = if self.old_scores { "avgVisibilityScore" } else { "avgVisibilityIndex" };
                json!([{ "date": args["dateRange"]["start"], name: 41.5, "totalRuns": 3 }])
            }
            other => panic!("unexpected {other}"),
        })
    }
}

pub(super) fn cursor(offset: usize) -> String {
    // One that the client can take apart, as the real ones.
    let bits =
        |chunk: &[u8]| chunk.iter().enumerate().fold(0u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let text = offset.to_string();
    let encode = |chunk: &[u8]| {
        (0..=chunk.len()).map(|at| char::from(digits[(bits(chunk) >> (18 - 6 * at) & 63) as usize])).collect::<String>()
    };
    text.as_bytes().chunks(3).map(encode).collect()
}

fn offset(text: &str) -> usize {
    (0..100_000).find(|offset| cursor(*offset) == text).unwrap()
}

pub(super) struct Tracker {
    pub(super) server: MockServer,
    state: Arc<Mutex<State>>,
}

impl Tracker {
    pub(super) async fn start(state: State) -> Self {
        let (server, state) = (MockServer::start().await, Arc::new(Mutex::new(state)));
        let shared = Arc::clone(&state);
        Mock::given(method("POST"))
            .respond_with(move |request: &Request| respond(&mut shared.lock().unwrap(), request))
            .mount(&server)
            .await;
        Self { server, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Requests and sessions so far.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.requests, state.sessions)
    }

    pub(super) fn client(&self) -> Lumar {
        self.client_with(Credential::UserKey { id: "17".into(), secret: "s3cret\n".into() }, &["Hooli"])
    }

    pub(super) fn client_with(&self, credential: Credential, brands: &[&str]) -> Lumar {
        Lumar::new(LumarConfig {
            source: "lumar".into(),
            credential,
            key_variables: vec!["LUMAR_USER_KEY_ID".into(), "LUMAR_USER_KEY_SECRET".into()],
            base_url: format!("{}/graphql", self.server.uri()).parse().unwrap(),
            accounts: vec!["acc1".into()],
            brands: brands.iter().map(|brand| (*brand).to_owned()).collect(),
            limits: Limits { max_bytes: 10_000_000, ..quick() },
        })
        .unwrap()
    }
}

/// Reads our own documents, a field or argument a line, and answers them.
fn respond(state: &mut State, request: &Request) -> ResponseTemplate {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let query = body["query"].as_str().unwrap();
    let reply =
        |status: u16, body: Value| ResponseTemplate::new(status).set_body_json(body).insert_header("date", DATE);
    let error = |code: &str, message: String| json!({ "message": message, "extensions": { "code": code } });
    if query.starts_with("mutation") {
        assert!(!request.headers.contains_key("x-auth-token"));
        assert_eq!(body["variables"]["v0"], json!({ "userKeyId": "17", "secret": "s3cret", "name": "visibility-mcp" }));
        if state.unknown.contains(&"expiresAt") && query.contains("expiresAt") {
            return reply(
                400,
                json!({ "errors": [error("GRAPHQL_VALIDATION_FAILED", "Cannot query field \"expiresAt\" on type \"Session\".".into())] }),
            );
        }
        state.sessions += 1;
        return reply(
            200,
            json!({ "data": { "a0": { "token": format!("t{}", state.sessions), "expiresAt": state.expires_at } } }),
        );
    }
    state.requests += 1;
    let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let session = header("x-auth-token").and_then(|token| token[1..].parse::<usize>().ok());
    if session.is_none_or(|session| session <= state.ended) && header("x-api-key").is_none() {
        return reply(401, json!({ "data": null, "errors": [error("UNAUTHENTICATED", "Expired".into())] }));
    }
    if let Some(word) =
        state.unknown.iter().find(|word| query.lines().any(|line| line.split([' ', ':']).next() == Some(word)))
    {
        let kind = if query.contains(&format!("\n{word}: ")) { "Unknown argument" } else { "Cannot query field" };
        let message = format!("{kind} „{word}“ on type „T“ or field „f“.");
        return reply(200, json!({ "errors": [error("GRAPHQL_VALIDATION_FAILED", message)] }));
    }
    if query.contains("timeBucket: ") && query.contains("timeBucket: Day") == state.lower_case {
        return reply(
            400,
            json!({ "errors": [error("BAD_USER_INPUT", "Value \"Day\" does not exist in \"AiVisibilityTimeBucket\" enum.".into())] }),
        );
    }
    let questions = questions(query, &body["variables"]);
    if state.most.is_some_and(|most| questions.len() > most) {
        return reply(400, json!({ "errors": [error("BAD_REQUEST", "Query is too complex".into())] }));
    }
    let (mut data, mut errors) = (Map::new(), vec![]);
    for (alias, root, args, fields) in questions {
        let answer = state.answer(&root, &args);
        state.asked.push((root, args));
        match answer {
            Ok(value) => drop(data.insert(alias, project(value, &fields))),
            Err(code) => {
                let mut error = error(code, "No.".into());
                error["path"] = json!([alias]);
                errors.push(error);
                data.insert(alias, Value::Null);
            }
        }
    }
    let data = if state.strict && !errors.is_empty() { Value::Null } else { Value::Object(data) };
    reply(200, if errors.is_empty() { json!({ "data": data }) } else { json!({ "data": data, "errors": errors }) })
}

type Question = (String, String, Value, Vec<String>);

fn questions(query: &str, variables: &Value) -> Vec<Question> {
    let mut questions: Vec<Question> = vec![];
    for line in query.lines().skip(1) {
        match line.split_once(": ") {
            Some((alias, root)) if alias.starts_with('a') && alias[1..].parse::<usize>().is_ok() => {
                questions.push((alias.into(), root.trim_end_matches(['(', '{', ' ']).into(), json!({}), vec![]));
            }
            Some((name, value)) if !line.ends_with('{') => {
                let value = value.strip_prefix('$').map_or(json!(value), |name| variables[name].clone());
                questions.last_mut().unwrap().2[name] = value;
            }
            _ => {
                if let Some(question) = questions.last_mut() {
                    question.3.push(line.split([' ', '(']).next().unwrap().to_owned());
                }
            }
        }
    }
    questions
}

/// Only what was asked for.
fn project(value: Value, fields: &[String]) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(key, _)| fields.contains(key))
            .map(|(key, value)| (key, project(value, fields)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(|item| project(item, fields)).collect(),
        other => other,
    }
}
