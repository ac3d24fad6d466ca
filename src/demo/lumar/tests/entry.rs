//! Who gets in, and as whom: sessions, service keys, accounts, the limit per address.

use super::*;
use std::time::Duration;

const LOGIN: &str = "mutation Login($id: ObjectID!, $secret: String!) { \
    createSessionUsingUserKey(input: { userKeyId: $id, secret: $secret }) { token expiresAt } }";
const ME: &str = "{ me { id username accounts(first: 10) { nodes { id name } totalCount } } }";

async fn login(server: &LumarServer, secret: &str) -> Got {
    let variables = json!({ "id": server.user_key().0, "secret": secret });
    post(server, "", &json!({ "query": LOGIN, "variables": variables }).to_string()).await
}

/// The header of a new session.
async fn session(server: &LumarServer) -> String {
    let got = login(server, &server.user_key().1).await.json();
    format!("x-auth-token: {}\r\n", got["data"]["createSessionUsingUserKey"]["token"].as_str().unwrap())
}

async fn ask(server: &LumarServer, auth: &str, query: &str) -> Got {
    post(server, auth, &json!({ "query": query }).to_string()).await
}

#[tokio::test]
async fn a_user_key_opens_a_session_and_the_session_everything() {
    let stage = stage().await;
    let wrong = login(&stage.server, "wrong").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (200, "INCORRECT_USER_KEY_ID_OR_SECRET"));
    let open = login(&stage.server, &stage.server.user_key().1).await.json();
    let ends: Timestamp = open["data"]["createSessionUsingUserKey"]["expiresAt"].as_str().unwrap().parse().unwrap();
    let days = (ends.as_second() - Clock::system().now().as_second()) / 86_400;
    assert!((29..=30).contains(&days), "{days}");
    let auth = session(&stage.server).await;
    let me = ask(&stage.server, &auth, ME).await.json();
    assert_eq!(me["data"]["me"]["accounts"]["nodes"][0]["id"], stage.server.account_ids()[0].as_str());
    assert_eq!(me["data"]["me"]["accounts"]["totalCount"], 1);
    let refused = ask(&stage.server, &stage.auth, ME).await;
    assert_eq!((refused.status, refused.code().as_str()), (200, "FORBIDDEN"));
    let log = stage.server.requests();
    let credentials: Vec<Credential> = log.iter().map(|request| request.credential).collect();
    assert_eq!(credentials[3..], [Credential::Session, Credential::ServiceKey]);
    assert_eq!(credentials[0], Credential::Nothing);
    stage.server.clear_requests();
    assert!(stage.server.requests().is_empty());
}

#[tokio::test]
async fn nothing_wrong_gets_in() {
    let stage = stage().await;
    let token = session(&stage.server).await.replace("x-auth-token: ", "authorization: Bearer ");
    for wrong in ["", "x-auth-token: nonsense\r\n", "x-api-key: lmr_sa_1_x\r\n", &token] {
        let got = ask(&stage.server, wrong, ME).await;
        assert_eq!((got.status, got.code().as_str()), (401, "UNAUTHENTICATED"), "{wrong}");
        assert_eq!(got.json()["data"], Value::Null);
    }
    let polite = stage_with(LumarOptions { unauthenticated_is_200: true, ..LumarOptions::unhurried() }).await;
    let got = ask(&polite.server, "", ME).await;
    assert_eq!((got.status, got.code().as_str()), (200, "UNAUTHENTICATED"));
    stage.server.revoke_credentials();
    assert_eq!(ask(&stage.server, &stage.auth, "{ me { id } }").await.status, 401);
    let key = stage.server.user_key().1;
    assert_eq!(login(&stage.server, &key).await.code(), "INCORRECT_USER_KEY_ID_OR_SECRET");
    stage.server.restore_credentials();
    assert_eq!(ask(&stage.server, &session(&stage.server).await, ME).await.status, 200);
}

#[tokio::test]
async fn sessions_end_by_time_by_requests_or_by_hand() {
    let at_once = stage_with(LumarOptions { session_life: Duration::ZERO, ..LumarOptions::unhurried() }).await;
    let auth = session(&at_once.server).await;
    assert_eq!(ask(&at_once.server, &auth, ME).await.status, 401);
    let three = stage_with(LumarOptions { session_requests: Some(3), ..LumarOptions::unhurried() }).await;
    let auth = session(&three.server).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&three.server, &auth, ME).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 401]);
    let auth = session(&three.server).await;
    assert_eq!(ask(&three.server, &auth, ME).await.status, 200);
    three.server.end_sessions();
    assert_eq!(ask(&three.server, &auth, ME).await.status, 401);
}

#[tokio::test]
async fn accounts_keep_their_projects_apart() {
    let tracker = WorldTracker::with_accounts(Arc::new(small_world()), 2);
    let stage = stage_of(tracker, LumarOptions::unhurried()).await;
    let auth = session(&stage.server).await;
    let accounts = stage.server.account_ids();
    assert_eq!((accounts.len(), stage.server.account_of(1).as_str()), (2, accounts[1].as_str()));
    let projects =
        |account: &str| format!("{{ getAiVisibilityProjects(accountId: \"{account}\") {{ nodes {{ id }} }} }}");
    for (ix, account) in accounts.iter().enumerate() {
        let got = ask(&stage.server, &auth, &projects(account)).await.json();
        let expected = json!([{ "id": stage.server.project_id(ix) }]);
        assert_eq!(got["data"]["getAiVisibilityProjects"]["nodes"], expected);
    }
    // A stranger's account, and another account than the service account's.
    let strange = stage.server.account_of(2);
    for (auth, account) in [(&auth, &strange), (&stage.auth, &accounts[1])] {
        let got = ask(&stage.server, auth, &projects(account)).await;
        assert_eq!((got.status, got.code().as_str()), (200, "FORBIDDEN"));
    }
    let second = format!("x-api-key: {}\r\n", stage.server.service_key_of(1));
    assert_eq!(ask(&stage.server, &second, &projects(&accounts[1])).await.json().get("errors"), None);
    let foreign = format!(
        "{{ getAiVisibilityProject(accountId: \"{}\", aiVisibilityProjectId: \"{}\") {{ id }} }}",
        accounts[0],
        stage.server.project_id(1)
    );
    assert_eq!(ask(&stage.server, &auth, &foreign).await.code(), "ENTITY_NOT_FOUND");
}

#[tokio::test]
async fn what_is_missing_has_one_of_two_codes_and_what_is_forbidden_may_be_403() {
    let options = LumarOptions { missing_is_bad_input: true, forbidden_is_403: true, ..LumarOptions::unhurried() };
    let stage = stage_with(options).await;
    let project = |account: &str, project: &str| {
        format!(
            "{{ getAiVisibilityProject(accountId: \"{account}\", aiVisibilityProjectId: \"{project}\") {{ name }} }}"
        )
    };
    let (account, own) = (stage.server.account_of(0), stage.server.project_id(0));
    let missing = stage.ask(&project(&account, "7"), Value::Null).await;
    assert_eq!((missing.status, missing.code().as_str()), (200, "BAD_USER_INPUT"));
    let forbidden = stage.ask(&project(&stage.server.account_of(2), &own), Value::Null).await;
    assert_eq!((forbidden.status, forbidden.code().as_str()), (403, "FORBIDDEN"));
    // A single object is also found by its plain number.
    let found = stage.data(&project("12345", "101"), Value::Null).await;
    assert_eq!(found["getAiVisibilityProject"]["name"], "Fernvolt · home batteries");
    let listed = stage.ask("{ getAiVisibilityProjects(accountId: 12345) { totalCount } }", Value::Null).await;
    assert_eq!(listed.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn the_limit_counts_every_request_and_answers_in_plain_text() {
    let stage = stage_with(LumarOptions { rate_limit: 3, ..LumarOptions::default() }).await;
    for expected in [200, 401, 400] {
        let (auth, query) = match expected {
            401 => ("", "{ me { id } }"),
            400 => (stage.auth.as_str(), "{ nonsense }"),
            _ => (stage.auth.as_str(), "{ version }"),
        };
        assert_eq!(ask(&stage.server, auth, query).await.status, expected);
    }
    let refused = ask(&stage.server, &stage.auth, "{ version }").await;
    assert_eq!((refused.status, refused.headers["content-type"].as_str()), (429, "text/plain; charset=utf-8"));
    assert!(!refused.headers.contains_key("retry-after"));
    assert!(serde_json::from_slice::<Value>(&refused.body).is_err());
}
