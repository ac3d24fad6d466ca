//! Tokens of an issuer: which let in, what they open, and what a client is told when they don't.

use super::{sse::SseClient, value};
use crate::support::{
    http::{HttpClient, HttpProgram},
    issuer::{Issuer, Key, encode, in_seconds, signed_with_secret, unsigned},
    program::Home,
    raw::Era,
    surely,
    world::{SMALL, SOURCE},
};
use serde_json::{Value, json};
use std::{fs, net::TcpListener, time::Duration};
use visibility_mcp::access;

const RESOURCE: &str = "https://mcp.example.com/mcp";
const DESCRIBED: &str = "/.well-known/oauth-protected-resource";
const OWN: &str = "Fernvolt · home batteries";

async fn served(issuer: &str, arguments: &[&str]) -> (Home, HttpProgram) {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    let cache = cache.to_str().unwrap();
    let all = ["--demo", "--no-sync", "--rate", "1000", "--cache", cache];
    let oauth = ["--oauth-issuer", issuer, "--oauth-resource", RESOURCE];
    let program = HttpProgram::start(&home, &[&all[..], &oauth, arguments].concat()).await;
    (home, program)
}

/// What a good token says.
fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer,
        "aud": RESOURCE,
        "sub": "ada",
        "scope": "visibility:read",
        "iat": in_seconds(0),
        "exp": in_seconds(300),
    })
}

/// The same with another value, or without it.
fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut changed = claims.clone();
    if value.is_null() {
        changed.as_object_mut().unwrap().remove(name);
    } else {
        changed[name] = value;
    }
    changed
}

/// The status of a request with this token, its challenge, and its words. No route is there, so that who is let in finds
/// nothing: 404.
async fn asked(program: &HttpProgram, token: Option<&str>) -> (u16, String, String) {
    let response = surely("a status", program.client(Era::Modern, token).get("/other").send()).await.unwrap();
    let challenge = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), challenge.unwrap_or_default(), response.text().await.unwrap())
}

/// The projects in an answer of `list_sources`.
fn seen(answer: &Value) -> Vec<String> {
    let sources = answer["structuredContent"]["sources"].as_array().unwrap().iter();
    let projects = sources.flat_map(|source| source["projects"].as_array().into_iter().flatten());
    projects.map(|project| project["project"].as_str().unwrap().to_owned()).collect()
}

async fn status(program: &HttpProgram, token: &str) -> u16 {
    asked(program, Some(token)).await.0
}

#[tokio::test]
async fn a_token_of_the_issuer_lets_in_whichever_way_it_is_signed() {
    let keys = [Key::new("ES256", "one"), Key::new("ES384", "two"), Key::new("EdDSA", "three")];
    let issuer = Issuer::start(&keys.each_ref()).await;
    let (_home, program) = served(&issuer.name(), &[]).await;
    let good = claims(&issuer.name());
    let mut tokens: Vec<String> = keys.iter().map(|key| key.sign(&good)).collect();
    for changed in [
        with(&good, "aud", json!(["https://other.example.com", RESOURCE])),
        with(&good, "scope", json!("openid visibility:read")),
        with(&with(&good, "scope", Value::Null), "scp", json!(["visibility:read"])),
        with(&good, "scope", json!(["visibility:read"])),
        with(&good, "nbf", json!(in_seconds(0))),
        // Clocks differ by seconds.
        with(&with(&good, "nbf", json!(in_seconds(10))), "exp", json!(in_seconds(-10))),
    ] {
        tokens.push(keys[0].sign(&changed));
    }
    let header = keys[0].header();
    tokens.push(keys[0].sign_as(&with(&header, "typ", json!("JWT")), &good));
    tokens.push(keys[0].sign_as(&with(&header, "typ", Value::Null), &good));
    tokens.push(keys[0].sign_as(&with(&header, "kid", Value::Null), &good));
    for (at, token) in tokens.iter().enumerate() {
        let mut client = program.client(Era::Modern, Some(token));
        assert_eq!(client.call("list_sources", json!({})).await["isError"], false, "{at}");
    }
    let machine = with(&with(&good, "sub", Value::Null), "client_id", json!("nightly"));
    let machine = keys[0].sign(&machine);
    program.client(Era::Modern, Some(&machine)).call("list_sources", json!({})).await;
    let (_, log) = program.stop().await;
    assert!(log.contains("principal=\"oauth:ada\"") && log.contains("principal=\"oauth-client:nightly\""), "{log}");
    for token in tokens.iter().chain([&machine]) {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!log.contains(signature), "a token is in the log");
    }
}

#[tokio::test]
async fn a_token_that_is_not_the_issuers_for_this_server_and_now_is_refused_with_why() {
    let key = Key::new("ES256", "one");
    let issuer = Issuer::start(&[&key]).await;
    let name = issuer.name();
    let (_home, program) = served(&name, &[]).await;
    let good = claims(&name);
    let header = key.header();
    let stranger = Key::new("ES256", "one");
    let secret = key.public();
    let alone = unsigned(&json!({ "alg": "none", "typ": "at+jwt" }), &good);
    let hmac = json!({ "alg": "HS256", "typ": "at+jwt", "kid": "one" });
    let point = [&[4_u8][..], &decoded(&secret["x"]), &decoded(&secret["y"])].concat();
    let tampered = {
        let signed = key.sign(&good);
        let rest = signed.rsplit('.').next().unwrap();
        format!("{}.{rest}", unsigned(&header, &with(&good, "sub", json!("eve"))))
    };
    let own_key = with(&header, "jwk", stranger.public());
    let signed = |name: &str, value: Value| key.sign(&with(&good, name, value));
    let refused = [
        ("another issuer", signed("iss", json!("https://evil.example.com")), "another issuer"),
        ("an issuer that begins alike", signed("iss", json!(format!("{name}/"))), "another issuer"),
        ("several issuers", signed("iss", json!([name, "https://evil.example.com"])), "cannot be read"),
        ("no issuer", signed("iss", Value::Null), "cannot be read"),
        ("another audience", signed("aud", json!("https://mcp.example.com/other")), "another server"),
        ("a longer audience", signed("aud", json!(format!("{RESOURCE}/more"))), "another server"),
        ("a shorter audience", signed("aud", json!("https://mcp.example.com")), "another server"),
        ("no audience", signed("aud", Value::Null), "lacks"),
        ("it has expired", signed("exp", json!(in_seconds(-90))), "expired"),
        ("it never ends", signed("exp", Value::Null), "lacks"),
        ("it ends in words", signed("exp", json!("never")), "lacks"),
        ("it is not yet valid", signed("nbf", json!(in_seconds(90))), "not valid yet"),
        ("it begins in words", signed("nbf", json!("soon")), "cannot be read"),
        ("nobody's", signed("sub", Value::Null), "whose"),
        ("somebody without a name", signed("sub", json!("")), "whose"),
        ("somebody with a line in the name", signed("sub", json!("ada\nowner")), "whose"),
        ("a stranger's key of the same name", stranger.sign(&good), "not signed with a key"),
        ("a key of its own", stranger.sign_as(&own_key, &good), "not signed with a key"),
        ("changed after it was signed", tampered, "not signed with a key"),
        ("not signed", format!("{alone}."), "signed in a way"),
        ("not signed, without an end", alone, "signed in a way"),
        ("the public key as a secret", signed_with_secret(&hmac, &good, &point), "not signed with a key"),
        (
            "the published key as a secret",
            signed_with_secret(&hmac, &good, secret.to_string().as_bytes()),
            "not signed with a key",
        ),
        ("another algorithm than the key's", key.sign_as(&with(&header, "alg", json!("ES384")), &good), "not signed"),
        ("a token of another kind", key.sign_as(&with(&header, "typ", json!("logout+jwt")), &good), "another kind"),
        ("what must be understood", key.sign_as(&with(&header, "crit", json!(["b64"])), &good), "another kind"),
        ("longer than any", signed("more", json!("x".repeat(20_000))), "longer"),
        ("no JWT", "a.b.c".to_owned(), "signed in a way"),
        ("a word", "hello".to_owned(), "signed in a way"),
        ("a token of a file", access::mint().unwrap().token, "signed in a way"),
    ];
    for (case, token, part) in &refused {
        let (status, challenge, words) = asked(&program, Some(token)).await;
        assert_eq!(status, 401, "{case}: {words}");
        assert!(words.contains(part), "{case}: {words}");
        let described = format!("resource_metadata=\"https://mcp.example.com{DESCRIBED}/mcp\"");
        for part in
            ["Bearer realm=\"visibility-mcp\"", "error=\"invalid_token\"", &described, "scope=\"visibility:read\""]
        {
            assert!(challenge.contains(part), "{case}: {challenge}");
        }
        assert!(challenge.contains(&format!("error_description=\"{}\"", words.trim_end())), "{case}: {challenge}");
        assert!(!challenge.contains("evil") && !words.contains("evil"), "{case}: nothing of the token is repeated");
    }
    let (status, challenge, _) = asked(&program, None).await;
    let expected = format!(
        "Bearer realm=\"visibility-mcp\", resource_metadata=\"https://mcp.example.com{DESCRIBED}/mcp\", \
         scope=\"visibility:read\""
    );
    assert_eq!((status, challenge), (401, expected), "no error where no token was");
    assert_eq!(self::status(&program, &key.sign(&good)).await, 404, "the good one is let in");
    let (_, log) = program.stop().await;
    for (case, token, _) in refused {
        assert!(token.len() < 20 || !log.contains(&token[..token.len().min(60)]), "{case} is in the log");
    }
}

fn decoded(text: &Value) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_scope_that_is_missing_is_asked_for() {
    let key = Key::new("ES256", "one");
    let issuer = Issuer::start(&[&key]).await;
    let (_home, program) = served(&issuer.name(), &[]).await;
    let good = claims(&issuer.name());
    for scope in [Value::Null, json!(""), json!("openid"), json!("visibility:reader"), json!("visibility:sync")] {
        let (status, challenge, words) = asked(&program, Some(&key.sign(&with(&good, "scope", scope.clone())))).await;
        assert_eq!(status, 403, "{scope}: {words}");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(
            challenge.contains("scope=\"visibility:read\"") && challenge.contains("resource_metadata="),
            "{challenge}"
        );
    }

    let reader = key.sign(&good);
    let mut client = program.client(Era::Modern, Some(&reader));
    let list = client.ask("tools/list", json!({})).await.to_string();
    assert!(list.contains("\"list_sources\"") && !list.contains("\"name\":\"sync_now\""), "{list}");
    let call = json!({ "name": "sync_now", "arguments": { "wait_seconds": 1 } });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call });
    let refused = surely("a status", client.message(message.clone()).send()).await.unwrap();
    assert_eq!(refused.status(), 403);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"visibility:read visibility:sync\""), "{challenge}");

    // The older transport has no answer to a message but in its stream.
    let mut stream = SseClient::open(&program, Some(&reader)).await;
    stream.initialize().await;
    let answer = stream.ask(9, "tools/call", call.clone()).await;
    assert!(answer["result"]["isError"] == true && answer.to_string().contains("visibility:sync"), "{answer}");

    let syncs = key.sign(&with(&good, "scope", json!("visibility:sync visibility:read")));
    let mut client = program.client(Era::Modern, Some(&syncs));
    let list = client.ask("tools/list", json!({})).await.to_string();
    assert!(list.contains("\"name\":\"sync_now\""), "{list}");
    assert_eq!(client.call("sync_now", call["arguments"].clone()).await["isError"], false);
}

#[tokio::test]
async fn a_claim_of_projects_says_what_is_seen() {
    let key = Key::new("EdDSA", "one");
    let issuer = Issuer::start(&[&key]).await;
    let (_home, program) = served(&issuer.name(), &["--oauth-projects-claim", "https://example.com/projects"]).await;
    let good = claims(&issuer.name());
    let token = |projects: Value| key.sign(&with(&good, "https://example.com/projects", projects));
    let all = json!(SMALL.answer("list_sources", &json!({}))["sources"][0]["projects"]);
    let other = all.as_array().unwrap().iter().find(|project| project["project"] != OWN).unwrap()["project"].clone();
    let sees = async |projects: Value| -> Vec<String> {
        let mut client = program.client(Era::Modern, Some(&token(projects)));
        seen(&client.call("list_sources", json!({})).await)
    };
    let own = json!([format!("{SOURCE}/{OWN}")]);
    assert_eq!(sees(own.clone()).await, [OWN]);
    for everything in [json!("*"), json!(["*"]), json!(format!("{SOURCE}/*")), json!(format!("lumar/none {SOURCE}/*"))]
    {
        assert_eq!(sees(everything.clone()).await.len(), all.as_array().unwrap().len(), "{everything}");
    }

    let mut client = program.client(Era::Modern, Some(&token(own.clone())));
    let foreign = client.call("brand_summary", json!({ "project": other })).await;
    assert!(foreign["isError"] == true && foreign.to_string().contains("no project"), "{foreign}");
    let listed = client.call("list_prompt_runs", json!({ "limit": 5 })).await;
    assert!(listed["isError"] == false && !listed.to_string().contains(other.as_str().unwrap()), "{listed}");
    assert_eq!(status(&program, &token(own)).await, 404);

    let missing = key.sign(&good);
    // A name with a space is two words: not a project, and never another one.
    let spaced = token(json!(format!("{SOURCE}/{OWN}")));
    for (case, token, part) in [
        ("no claim", missing, "does not list"),
        ("an empty list", token(json!([])), "array"),
        ("a number", token(json!(7)), "array"),
        ("no slash", token(json!(["everything"])), "array"),
        ("a name with spaces, as a text", spaced, "array"),
    ] {
        let (status, challenge, words) = asked(&program, Some(&token)).await;
        assert_eq!(status, 403, "{case}: {words}");
        assert!(words.contains(part) && !challenge.contains("error="), "{case}: {words} {challenge}");
    }
}

#[tokio::test]
async fn the_server_says_what_it_is_to_an_issuer() {
    let key = Key::new("ES256", "one");
    let issuer = Issuer::start(&[&key]).await;
    let (_home, program) = served(&issuer.name(), &["--metrics"]).await;
    let client = program.client(Era::Modern, None);
    for path in [DESCRIBED.to_owned(), format!("{DESCRIBED}/mcp")] {
        let response = surely("a document", client.get(&path).send()).await.unwrap();
        assert_eq!(response.status(), 200);
        let expected = json!({
            "resource": RESOURCE,
            "authorization_servers": [issuer.name()],
            "scopes_supported": ["visibility:read", "visibility:sync"],
            "bearer_methods_supported": ["header"],
            "resource_name": "visibility-mcp",
        });
        assert_eq!(value(response).await, expected);
        let by = |name: &'static str, is: &'static str| client.get(&path).header(name, is).send();
        assert_eq!(by("host", "evil.example").await.unwrap().status(), 403);
        assert_eq!(by("origin", "https://evil.example").await.unwrap().status(), 403);
        assert_eq!(by("host", "mcp.example.com").await.unwrap().status(), 200, "the resource's name is the server's");
    }
    let closed = async |path: String| client.get(&path).send().await.unwrap().status();
    assert_eq!(closed(format!("{DESCRIBED}/sse")).await, 401);
    assert_eq!(closed(format!("{DESCRIBED}/mcp/more")).await, 401);
    let token = key.sign(&claims(&issuer.name()));
    let figures = program.client(Era::Modern, Some(&token)).get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(figures.contains(DESCRIBED) && !figures.contains("ada") && !figures.contains(&token[..40]), "{figures}");

    let (_home, open) = super::small(&[]).await;
    let response = open.client(Era::Modern, None).get(DESCRIBED).send().await.unwrap();
    assert_eq!(response.status(), 404, "without an issuer there is nothing to say");
}

#[tokio::test]
async fn keys_that_the_issuer_changes_are_read_again_but_not_at_every_clients_word() {
    let (old, new) = (Key::new("ES256", "old"), Key::new("ES256", "new"));
    let issuer = Issuer::start(&[&old]).await;
    let (_home, program) = served(&issuer.name(), &[]).await;
    let good = claims(&issuer.name());
    assert_eq!(status(&program, &old.sign(&good)).await, 404);
    assert_eq!(issuer.asked_for_keys().await, 1);

    issuer.publish(|published| published.keys = vec![new.public()]);
    let many = new.sign(&good);
    let together = futures_util::future::join_all((0..20).map(|_| status(&program, &many))).await;
    assert_eq!(together, [404; 20], "all wait for the one who asks");
    assert_eq!(status(&program, &old.sign(&good)).await, 401, "what the issuer took back is out");
    let unknown = Key::new("ES256", "made-up");
    for _ in 0..20 {
        assert_eq!(status(&program, &unknown.sign(&good)).await, 401);
    }
    assert_eq!(issuer.asked_for_keys().await, 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_keeps_nobody_out_for_longer_than_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let key = Key::new("ES256", "one");
    let name = format!("http://{at}");
    let token = key.sign(&claims(&name));
    let (_home, program) = served(&name, &[]).await;
    let client = program.client(Era::Modern, Some(&token));
    let response = surely("a status", client.get("/other").send()).await.unwrap();
    assert_eq!(response.status(), 503);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait));
    let words = response.text().await.unwrap();
    assert!(words.contains("issuer"), "{words}");
    assert_eq!(client.get(DESCRIBED).send().await.unwrap().status(), 200);
    assert_eq!(client.get("/health/live").send().await.unwrap().status(), 200);
    assert_eq!(asked(&program, None).await.0, 401);

    let issuer = Issuer::start_at(TcpListener::bind(at).unwrap(), &[&key]).await;
    assert_eq!(issuer.name(), name);
    let mut last = status(&program, &token).await;
    for _ in 0..150 {
        if last == 404 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = status(&program, &token).await;
    }
    assert_eq!(last, 404, "let in");
    drop(issuer);
    assert_eq!(status(&program, &token).await, 404, "the known keys do while it is gone");
    let stranger = Key::new("ES256", "two");
    assert_eq!(status(&program, &stranger.sign(&claims(&name))).await, 401);
    assert_eq!(status(&program, &token).await, 404, "and still after others were looked for in vain");
    let (_, log) = program.stop().await;
    assert!(log.contains("WARN") && log.contains("no token of it is accepted yet"), "{log}");
    assert!(log.contains("those known are used on"), "{log}");
}

#[tokio::test]
async fn an_issuer_that_is_not_what_it_should_be_is_not_believed() {
    let key = Key::new("ES256", "one");
    for (case, part) in [
        ("another name", "calls itself"),
        ("a slash more", "calls itself"),
        ("keys in the clear", "not one to trust"),
        ("keys on a redirect's word", "redirect"),
        ("keys for something else", "none of its keys"),
        ("a secret among the keys", "none of its keys"),
        ("no metadata", "does not exist"),
        ("metadata without keys", "RFC 8414"),
    ] {
        let issuer = Issuer::start(&[&key]).await;
        let name = issuer.name();
        let secret = json!({ "kty": "oct", "kid": "one", "k": encode(b"a secret that everybody knows...") });
        issuer.publish(|published| match case {
            "another name" => published.metadata["issuer"] = json!("https://evil.example.com"),
            "a slash more" => published.metadata["issuer"] = json!(format!("{name}/")),
            "keys in the clear" => published.metadata["jwks_uri"] = json!("http://keys.example.com/keys"),
            "keys on a redirect's word" => published.is_moved = true,
            "keys for something else" => published.keys[0]["use"] = json!("enc"),
            "a secret among the keys" => published.keys = vec![secret],
            "no metadata" => published.at = "/elsewhere",
            _ => published.metadata = json!({ "issuer": name }),
        });
        let (_home, program) = served(&name, &[]).await;
        let (status, _, words) = asked(&program, Some(&key.sign(&claims(&name)))).await;
        assert_eq!(status, 503, "{case}: {words}");
        let (_, log) = program.stop().await;
        assert!(log.contains(part) && !log.contains("evil"), "{case}: {log}");
    }
    // OpenID Connect's document does where the other is not there, and a key among odd ones is found.
    let issuer = Issuer::start(&[&key]).await;
    issuer.publish(|published| {
        published.at = "/.well-known/openid-configuration";
        published.keys.insert(0, json!({ "kty": "XYZ", "kid": 7 }));
        published.keys.insert(0, json!("odd"));
    });
    let (_home, program) = served(&issuer.name(), &[]).await;
    assert_eq!(status(&program, &key.sign(&claims(&issuer.name()))).await, 404);
}

#[tokio::test]
async fn tokens_of_a_file_and_of_an_issuer_go_together() {
    let key = Key::new("ES256", "one");
    let issuer = Issuer::start(&[&key]).await;
    let minted = access::mint().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let entry = |name: &str| {
        let projects = format!("{SOURCE}/{OWN}");
        format!("[[tokens]]\nname = {name:?}\nsha256 = \"{}\"\nprojects = [{projects:?}]\n", minted.sha256)
    };
    fs::write(&path, entry("team")).unwrap();
    let (_home, program) = served(&issuer.name(), &["--token-file", path.to_str().unwrap()]).await;
    let signed = key.sign(&claims(&issuer.name()));
    let count =
        async |token: &str| seen(&program.client(Era::Modern, Some(token)).call("list_sources", json!({})).await).len();
    assert_eq!(count(&minted.token).await, 1);
    assert!(count(&signed).await > 1);
    for token in ["vis_wrong", "a.b.c"] {
        let (status, challenge, _) = asked(&program, Some(token)).await;
        assert_eq!(status, 401);
        assert!(challenge.contains("invalid_token") && challenge.contains("resource_metadata="), "{challenge}");
    }
    assert!(asked(&program, None).await.1.contains("resource_metadata="));
    // Who may not sync by the file has nothing to ask an issuer for.
    let refused = program.client(Era::Modern, Some(&minted.token)).call("sync_now", json!({})).await;
    assert!(refused["isError"] == true, "{refused}");

    for name in ["oauth:ada", "oauth-client:nightly"] {
        fs::write(&path, entry(name)).unwrap();
        let words = refusal(&["--http", "127.0.0.1:0", "--token-file", path.to_str().unwrap()]).await;
        assert!(words.contains("oauth:"), "{words}");
    }
}

#[tokio::test]
async fn a_session_is_of_one_person_with_the_rights_that_they_had() {
    let key = Key::new("ES256", "one");
    let issuer = Issuer::start(&[&key]).await;
    let (_home, program) = served(&issuer.name(), &["--oauth-projects-claim", "projects"]).await;
    let token = |sub: &str, projects: &str| {
        key.sign(&with(&with(&claims(&issuer.name()), "sub", json!(sub)), "projects", json!([projects])))
    };
    let own = format!("{SOURCE}/{OWN}");
    let (ada, bob, narrowed) = (token("ada", "*"), token("bob", "*"), token("ada", &own));
    let ping = json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" });

    let mut first = program.client(Era::Legacy, Some(&ada));
    assert_eq!(first.open().await, 200);
    let status =
        async |client: &HttpClient| surely("a status", client.message(ping.clone()).send()).await.unwrap().status();
    let mut other = program.client(Era::Legacy, Some(&bob));
    other.session.clone_from(&first.session);
    assert_eq!(status(&other).await, 404);
    assert_eq!(status(&first).await, 200);
    // A new token of the same person goes on with the session, and sees what it opens.
    first.token = Some(narrowed.clone());
    let answer = first.call("list_sources", json!({})).await;
    assert_eq!(seen(&answer), [OWN]);

    let mut stream = SseClient::open(&program, Some(&ada)).await;
    stream.initialize().await;
    for stranger in [&bob, &narrowed] {
        let other = SseClient::open(&program, Some(stranger)).await;
        assert_eq!(other.post(&stream.endpoint, &ping).await.status(), 404);
    }
    assert!(stream.ask(8, "ping", json!({})).await["error"].is_null());
}

/// What the program says when it will not serve.
async fn refusal(arguments: &[&str]) -> String {
    let home = Home::new();
    let refused = tokio::process::Command::new(crate::support::program::PROGRAM)
        .arg("serve")
        .args(arguments)
        .env_clear()
        .envs(home.environment())
        .output();
    let output = surely("a refusal", refused).await.unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_refused_at_the_start() {
    let good = "https://login.example.com";
    for (issuer, resource, part) in [
        ("login.example.com", RESOURCE, "the issuer"),
        ("http://login.example.com", RESOURCE, "plain http"),
        ("ftp://login.example.com", RESOURCE, "not an https"),
        ("https://me:secret@login.example.com", RESOURCE, "password"),
        ("https://login.example.com?tenant=1", RESOURCE, "query"),
        (good, "mcp.example.com/mcp", "the resource"),
        (good, "http://mcp.example.com/mcp", "plain http"),
        (good, "https://mcp.example.com/mcp#part", "fragment"),
    ] {
        let arguments = ["--http", "127.0.0.1:0", "--oauth-issuer", issuer, "--oauth-resource", resource];
        let words = refusal(&arguments).await;
        assert!(words.contains(part) && words.contains("hint: give `--oauth-"), "{issuer} {resource}: {words}");
    }
    for (arguments, part) in [
        (vec!["--http", "127.0.0.1:0", "--oauth-issuer", good], "--oauth-resource"),
        (vec!["--http", "127.0.0.1:0", "--oauth-resource", RESOURCE], "--oauth-issuer"),
        (vec!["--http", "127.0.0.1:0", "--oauth-projects-claim", "projects"], "--oauth-issuer"),
        (vec!["--oauth-issuer", good, "--oauth-resource", RESOURCE], "--http"),
        (vec!["--http", "0.0.0.0:0"], "--token-file FILE`, or `--oauth-issuer URL`"),
    ] {
        let words = refusal(&arguments).await;
        assert!(words.contains(part), "{arguments:?}: {words}");
    }
}
