//! An issuer of tokens on loopback: what it publishes can be changed, and it signs whatever it is given.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    },
};
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};
use visibility_mcp::clock::Clock;
use wiremock::{MockServer, Request, ResponseTemplate, matchers};

/// A key of an issuer.
pub struct Key {
    pub name: &'static str,
    pair: Pair,
}

enum Pair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    pub fn new(algorithm: &str, name: &'static str) -> Self {
        let random = SystemRandom::new();
        let curve = |scheme| {
            let document = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(scheme, document.as_ref(), &random).unwrap()
        };
        let pair = match algorithm {
            "ES256" => Pair::P256(curve(&ECDSA_P256_SHA256_FIXED_SIGNING)),
            "ES384" => Pair::P384(curve(&ECDSA_P384_SHA384_FIXED_SIGNING)),
            "EdDSA" => {
                let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Pair::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
            }
            other => panic!("no keys of {other}"),
        };
        Self { name, pair }
    }

    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::P256(_) => "ES256",
            Pair::P384(_) => "ES384",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// What everybody may know of it.
    pub fn public(&self) -> Value {
        let point = |curve: &str, pair: &EcdsaKeyPair| {
            let bytes = pair.public_key().as_ref();
            let (x, y) = bytes[1..].split_at((bytes.len() - 1) / 2);
            json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
        };
        let mut key = match &self.pair {
            Pair::P256(pair) => point("P-256", pair),
            Pair::P384(pair) => point("P-384", pair),
            Pair::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) }),
        };
        key["kid"] = self.name.into();
        key["use"] = "sig".into();
        key
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({ "alg": self.algorithm(), "typ": "at+jwt", "kid": self.name })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }

    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", encode(&signature))
    }
}

/// A token signed with a secret, as only a server that confuses the two would take it.
pub fn signed_with_secret(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = unsigned(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag.as_ref()))
}

/// A token up to its signature.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()))
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970, so many from now.
pub fn in_seconds(seconds: i64) -> i64 {
    Clock::system().now().as_second() + seconds
}

/// An issuer.
pub struct Issuer {
    server: MockServer,
    published: Arc<Mutex<Published>>,
}

/// What an issuer publishes: its metadata with the path that it is at, and its keys.
pub struct Published {
    pub at: &'static str,
    pub metadata: Value,
    pub keys: Vec<Value>,
    pub is_moved: bool,
}

impl Issuer {
    pub async fn start(keys: &[&Key]) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").unwrap(), keys).await
    }

    pub async fn start_at(listener: TcpListener, keys: &[&Key]) -> Self {
        let server = MockServer::builder().listener(listener).start().await;
        let metadata = json!({ "issuer": server.uri(), "jwks_uri": format!("{}/keys", server.uri()) });
        let keys = keys.iter().map(|key| key.public()).collect();
        let at = "/.well-known/oauth-authorization-server";
        let published = Arc::new(Mutex::new(Published { at, metadata, keys, is_moved: false }));
        let answers = Arc::clone(&published);
        let answer = move |request: &Request| {
            let published = answers.lock().unwrap();
            match request.url.path() {
                "/keys" if published.is_moved => ResponseTemplate::new(302).insert_header("location", "/moved"),
                "/keys" | "/moved" => ResponseTemplate::new(200).set_body_json(json!({ "keys": published.keys })),
                path if path == published.at => ResponseTemplate::new(200).set_body_json(&published.metadata),
                _ => ResponseTemplate::new(404),
            }
        };
        wiremock::Mock::given(matchers::any()).respond_with(answer).mount(&server).await;
        Self { server, published }
    }

    pub fn name(&self) -> String {
        self.server.uri()
    }

    pub fn publish(&self, change: impl FnOnce(&mut Published)) {
        change(&mut self.published.lock().unwrap());
    }

    /// How often its keys were read.
    pub async fn asked_for_keys(&self) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        requests.iter().filter(|request| request.url.path() == "/keys").count()
    }
}
