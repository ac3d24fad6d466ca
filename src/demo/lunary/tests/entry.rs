//! Keys, errors and the rate limit: sections 2, 6 and 7 of what was observed.

use super::*;
use std::time::Duration;

#[tokio::test]
async fn every_credential_gets_the_answer_that_was_seen() {
    let stage = stage().await;
    let key = stage.server.private_key(0);
    let (public, org, session) = (stage.server.public_key(0), stage.server.org_key(), stage.server.session_token());
    let bearer = |key: &str| format!("Bearer {key}");
    let unknown = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    let wrong_token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.bm90LWEtc2lnbmF0dXJl";
    let own = format!("?projectId={}", stage.server.project_id(1));
    let foreign = format!("?projectId={}", stage.server.project_id(FOREIGN));
    let cases: Vec<(&str, &str, String, u16, &str)> = vec![
        ("private key", "authorization", bearer(&key), 200, ""),
        ("own header", "x-api-key", key.clone(), 200, ""),
        ("another scheme", "authorization", format!("Token {key}"), 200, ""),
        ("scheme in lower case", "authorization", format!("bearer {key}"), 200, ""),
        ("key in upper case", "authorization", bearer(&key.to_uppercase()), 200, ""),
        ("no scheme", "authorization", key.clone(), 404, "Not Found"),
        ("empty", "authorization", String::new(), 404, "Not Found"),
        ("empty token", "authorization", "Bearer ".to_owned(), 404, "Not Found"),
        ("absent", "x-nothing", String::new(), 404, "Not Found"),
        ("no UUID", "authorization", bearer("bad"), 401, "Invalid access token"),
        ("wrong signature", "authorization", bearer(wrong_token), 404, "Not Found"),
        ("no key", "authorization", bearer(unknown), 401, "Invalid API key"),
        ("public key", "authorization", bearer(&public), 401, "This route requires a private API key"),
        ("organisation key", "authorization", bearer(&org), 401, "Org API key cannot access this route"),
        ("session", "authorization", bearer(session), 200, ""),
    ];
    for (case, header, value, status, message) in cases {
        let got = request(&stage.server, "GET", "/v1/runs", &[(header, &value)]).await;
        assert_eq!((got.status, got.message().as_str()), (status, message), "{case}");
        assert_eq!(got.headers["content-type"], "application/json; charset=utf-8", "{case}");
    }
    for (query, status, message, rows) in [
        ("", 200, "", 0),
        (own.as_str(), 200, "", 50),
        (foreign.as_str(), 401, "Unauthorized access to project", 0),
        ("?projectId=00000000-0000-0000-0000-000000000009", 401, "Unauthorized access to project", 0),
        ("?projectId=nope", 404, "Not Found", 0),
    ] {
        let target = format!("/v1/runs{query}");
        let got = request(&stage.server, "GET", &target, &[("authorization", &bearer(session))]).await;
        assert_eq!((got.status, got.message().as_str()), (status, message), "session, {query}");
        assert_eq!(got.json()["data"].as_array().map_or(0, Vec::len), rows, "session, {query}");
    }
}

#[tokio::test]
async fn the_project_comes_from_the_key_alone() {
    let stage = stage().await;
    let own = stage.server.project_id(0);
    for query in [format!("?projectId={}", stage.server.project_id(1)), "?projectId=nope".to_owned(), String::new()] {
        assert_eq!(kinds(&stage.rows(&query).await, "projectId"), BTreeSet::from([own.clone()]), "{query}");
    }
    let empty = stage.get_of(EMPTY, "/runs").await;
    assert_eq!((empty.status, empty.text().as_str()), (200, r#"{"page":0,"limit":50,"data":[]}"#));
}

#[tokio::test]
async fn a_run_is_found_by_id_in_the_whole_organisation_and_in_no_other() {
    let stage = stage().await;
    let id = stage.tracker.run_id(0, newest(), 3, 2);
    let path = format!("/runs/{id}");
    let neighbour = stage.get_of(1, &path).await;
    assert_eq!(neighbour.status, 200);
    assert_eq!(neighbour.json()["projectId"], stage.server.project_id(0));
    let stranger = stage.get_of(FOREIGN, &path).await;
    assert_eq!((stranger.status, stranger.message().as_str()), (404, "Run not found"));
    let theirs = stage.get_of(FOREIGN, "/runs").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.get_of(FOREIGN, &format!("/runs/{theirs}")).await.status, 200);
    assert_eq!(stage.get(&format!("/runs/{theirs}")).await.status, 404);
}

#[tokio::test]
async fn some_paths_need_no_key() {
    let stage = stage().await;
    let praised = stage.stored_run(|run| !run.feedback.is_null() && run.is("llm"));
    let silent = stage.stored_run(|run| run.feedback.is_null());
    let public = stage.stored_run(|run| run.is_public);
    let secret = stage.stored_run(|run| !run.is_public);
    for (path, status, message) in [
        ("/v1/health".to_owned(), 200, ""),
        (format!("/v1/runs/{}/feedback", praised.id), 200, ""),
        (format!("/v1/runs/{}/feedback", silent.id), 204, ""),
        ("/v1/runs/00000000-0000-4000-8000-000000000000/feedback".to_owned(), 404, "Run not found"),
        (format!("/v1/runs/{}/public", public.id), 200, ""),
        (format!("/v1/runs/{}/public", secret.id), 500, "Run not found. It might not be public."),
        (format!("/v1/runs/{}", secret.id), 404, "Not Found"),
        (format!("/v1/runs/{}/related", secret.id), 404, "Not Found"),
        ("/v1/runs/count".to_owned(), 404, "Not Found"),
        ("/v1/templates".to_owned(), 404, "Not Found"),
        ("/v1/nothing".to_owned(), 404, "Not Found"),
        ("/".to_owned(), 404, "Not Found"),
    ] {
        let got = request(&stage.server, "GET", &path, &[]).await;
        assert_eq!(got.status, status, "{path}");
        if status != 204 {
            assert_eq!(got.message(), message, "{path}");
        }
    }
    assert_eq!(request(&stage.server, "GET", "/v1/health", &[]).await.text(), r#"{"status":"OK"}"#);
}

#[tokio::test]
async fn errors_have_the_status_and_message_that_were_seen() {
    let stage = stage().await;
    let run = stage.tracker.run_id(0, newest(), 0, 0);
    let syntax = "invalid input syntax for type uuid: ";
    let cases = [
        ("/runs/00000000-0000-4000-8000-000000000000".to_owned(), 404, "Run not found".to_owned()),
        ("/runs/nope".to_owned(), 500, format!("{syntax}\"nope\"")),
        ("/runs/null".to_owned(), 500, format!("{syntax}\"null\"")),
        (format!("/runs/{run}%20"), 500, format!("{syntax}\"{run} \"")),
        (format!("/runs/{run}/nope"), 404, "Not Found".to_owned()),
        ("/run".to_owned(), 404, "Not Found".to_owned()),
        (String::new(), 404, "Not Found".to_owned()),
    ];
    for (path, status, message) in cases {
        let got = stage.get(&path).await;
        assert_eq!((got.status, got.message()), (status, message), "{path}");
    }
    for id in [run.to_uppercase(), run.replace('-', ""), format!("%7B{run}%7D")] {
        assert_eq!(stage.ok(&format!("/runs/{id}")).await["id"], run, "{id}");
    }
    let key = format!("Bearer {}", stage.server.private_key(0));
    for method in ["POST", "PUT", "DELETE"] {
        let got = request(&stage.server, method, "/v1/runs", &[("authorization", &key)]).await;
        assert_eq!((got.status, got.message().as_str()), (404, "Not Found"), "{method}");
    }
}

#[tokio::test]
async fn revoked_keys_are_keys_that_never_were() {
    let stage = stage().await;
    stage.server.revoke_keys();
    let got = stage.get("/runs").await;
    assert_eq!((got.status, got.message().as_str()), (401, "Invalid API key"));
    stage.server.restore_keys();
    assert_eq!(stage.get("/runs").await.status, 200);
}

#[tokio::test]
async fn the_limit_is_150_a_minute_for_all_keys_of_an_address() {
    let stage = stage_with(LunaryOptions::default()).await;
    let first = stage.get("/runs?limit=1").await;
    assert_eq!(first.headers["rate-limit-total"], "150");
    assert_eq!(first.headers["rate-limit-remaining"], "149");
    let reset = &first.headers["rate-limit-reset"];
    assert_eq!(reset.split_once('.').unwrap().1.len(), 6, "{reset}");
    // What is not counted.
    for headers in [vec![], vec![("authorization", "Bearer bad")], vec![("authorization", "x")]] {
        let got = request(&stage.server, "GET", "/v1/runs", &headers).await;
        assert!(!got.headers.keys().any(|name| name.starts_with("rate-limit")), "{headers:?}: {:?}", got.headers);
    }
    let session = format!("Bearer {}", stage.server.session_token());
    let got = request(&stage.server, "GET", "/v1/runs", &[("authorization", &session)]).await;
    assert!(got.status == 200 && !got.headers.contains_key("rate-limit-total"));
    // What is: another key, errors of the database, unknown runs and paths.
    let mut left = 149;
    for path in ["/runs?limit=abc", "/runs/00000000-0000-4000-8000-000000000000", "/nothing", "/runs/count"] {
        let got = stage.get_of(1, path).await;
        left -= 1;
        assert_eq!(got.headers["rate-limit-remaining"], left.to_string(), "{path}");
        assert_eq!(&got.headers["rate-limit-reset"], reset, "{path}");
    }
    for _ in 0..left {
        assert_eq!(stage.get("/runs?limit=0").await.status, 200);
    }
    let refused = stage.get("/runs?limit=1").await;
    assert_eq!((refused.status, refused.text().as_str()), (429, "Sometimes You Just Have to Slow Down."));
    assert_eq!(refused.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(refused.headers["rate-limit-remaining"], "0");
    let wait: u64 = refused.headers["retry-after"].parse().unwrap();
    assert!(wait < 60, "{wait}");
    // A proxy's word for the address is believed.
    let key = format!("Bearer {}", stage.server.private_key(0));
    let headers = [("authorization", key.as_str()), ("x-forwarded-for", "203.0.113.9, 10.0.0.1")];
    assert_eq!(request(&stage.server, "GET", "/v1/runs?limit=0", &headers).await.status, 200);
    assert_eq!(request(&stage.server, "GET", "/v1/health", &[]).await.status, 429);
}

#[tokio::test]
async fn after_the_window_the_limit_is_full_again() {
    let options = LunaryOptions { rate_limit: Some(2), rate_period: Duration::from_millis(300) };
    let stage = stage_with(options).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(stage.get("/runs?limit=0").await.status);
    }
    assert_eq!(seen, [200, 200, 429]);
    tokio::time::sleep(Duration::from_millis(320)).await;
    assert_eq!(stage.get("/runs?limit=0").await.headers["rate-limit-remaining"], "1");
}

#[tokio::test]
async fn requests_are_logged_as_they_were_sent() {
    let stage = stage().await;
    stage.get("/runs?date=gte.2026-11-20T00:00:00%2E000Z").await;
    stage.get("/runs?limit=abc").await;
    let log = stage.server.requests();
    let seen: Vec<_> = log.iter().map(|r| (r.path.as_str(), r.query.as_str(), r.status)).collect();
    assert_eq!(seen, [("/runs", "date=gte.2026-11-20T00:00:00%2E000Z", 200), ("/runs", "limit=abc", 500)]);
    stage.server.clear_requests();
    assert!(stage.server.requests().is_empty());
}
