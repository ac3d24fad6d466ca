//! Sessions: opened once, renewed once, and given up on with the names of the variables.

use super::*;
use std::time::Duration;

#[tokio::test]
async fn many_at_once_open_one_session_and_renew_it_once() {
    let tracker = Tracker::start(two_weeks()).await;
    let lumar = tracker.client();
    let project = project(&lumar).await;
    assert_eq!(tracker.state().sessions, 1);
    // In mid-sync the session ends.
    tracker.state().ended = 1;
    let (a, b, c) = tokio::join!(
        lumar.fetch_slices(&project, days(7)),
        lumar.fetch_slices(&project, days(7)),
        lumar.fetch_slices(&project, days(7)),
    );
    assert_eq!((a.unwrap().items.len(), b.unwrap().items.len(), c.unwrap().items.len()), (3, 3, 3));
    assert_eq!(tracker.state().sessions, 2);
}

#[tokio::test]
async fn a_session_refused_twice_is_an_error_that_names_the_variables() {
    let mut state = two_weeks();
    state.ended = usize::MAX;
    let tracker = Tracker::start(state).await;
    let error = tracker.client().fetch_projects().await.unwrap_err();
    assert!(error.is_fatal_to_source());
    insta::assert_snapshot!(format!("{error}; {}", error.hint()), @"the key was refused (401); set `LUMAR_USER_KEY_ID` and `LUMAR_USER_KEY_SECRET` to a valid key, or remove this source");
    assert_eq!(tracker.counts(), (2, 2));
}

#[tokio::test]
async fn a_session_is_renewed_before_its_end() {
    for (expires_at, sessions) in [
        // The answers' own clock says 12:00.
        (Some("2026-11-22T12:00:00.050Z"), 2),
        (Some("2026-12-22T12:00:00Z"), 1),
        (Some("2020-01-01T00:00:00Z"), 1),
        (None, 1),
    ] {
        let mut state = two_weeks();
        state.expires_at = expires_at;
        let tracker = Tracker::start(state).await;
        let lumar = tracker.client();
        let about = About::of("x", "y".into());
        let ask = || vec![("account", json!("acc1")), ("project", json!("p1"))];
        lumar.client.ask_one(&document::PROJECT, &about, ask()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        lumar.client.ask_one(&document::PROJECT, &about, ask()).await.unwrap();
        assert_eq!(tracker.state().sessions, sessions, "{expires_at:?}");
    }
}

#[tokio::test]
async fn an_end_that_is_not_served_is_not_asked_for() {
    let mut state = two_weeks();
    state.unknown = vec!["expiresAt"];
    let tracker = Tracker::start(state).await;
    let found = tracker.client().fetch_projects().await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert!(found.drift.iter().any(|drift| drift.record == "Session" && drift.field == "expiresAt"));
}

#[tokio::test]
async fn a_service_key_needs_no_session() {
    let tracker = Tracker::start(two_weeks()).await;
    let lumar = tracker.client_with(Credential::ServiceKey("lmr_sa_1_x".into()), &[]);
    assert_eq!(lumar.fetch_projects().await.unwrap().items.len(), 1);
    assert_eq!(tracker.counts(), (3, 0));
}

#[tokio::test]
async fn a_wrong_key_opens_nothing() {
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};
    let server = MockServer::start().await;
    let refused = json!({ "data": null, "errors": [{ "message": "no", "extensions": { "code": "INCORRECT_USER_KEY_ID_OR_SECRET" } }] });
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(refused)).mount(&server).await;
    let lumar = Lumar::new(LumarConfig {
        source: "lumar".into(),
        credential: Credential::UserKey { id: "1".into(), secret: "x".into() },
        key_variables: vec!["LUMAR_USER_KEY_ID".into(), "LUMAR_USER_KEY_SECRET".into()],
        base_url: server.uri().parse().unwrap(),
        accounts: vec![],
        brands: vec![],
        limits: Limits::default(),
    })
    .unwrap();
    let error = lumar.fetch_projects().await.unwrap_err();
    assert!(matches!(&error, Error::Unauthorized { variable, .. } if variable.contains("SECRET")), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}
