//! Asking: many questions in one request, with a session, minus what the server turns out not to know.

use super::{
    answer::{About, Answer, Complaint, judge},
    document::{self, Assembled, CREATE_SESSION, Document, Variables},
    session::{Credential, Session, Sessions},
};
use crate::upstream::{
    Drift, DriftKind, Error, Limits,
    fields::{DriftLog, Fields, clean},
    http::{Auth, Http, HttpConfig, Post, Reply},
    rate::Quota,
};
use futures_util::future::try_join_all;
use serde_json::{json, value::RawValue};
use std::{
    collections::{BTreeSet, HashMap},
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
};
use url::Url;

/// The documented rate: 6,000 requests in five minutes.
const QUOTA: Quota = Quota { capacity: 6_000, refill: std::time::Duration::from_mins(5) };

/// Requests of one question that are under way at once.
const AT_ONCE: usize = 4;

/// How often one question among others is asked while it fails for reasons that pass.
const TRIES: u32 = 3;

/// How often a request is changed after a refusal before that counts as an error.
const MAX_LESSONS: usize = 40;

/// The answers to some questions, in their order.
pub(super) type Answers = Vec<Result<Box<RawValue>, Error>>;

/// The client of one account.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    url: Url,
    credential: Credential,
    /// The variables that hold the credential, for messages.
    variable: String,
    sessions: tokio::sync::Mutex<Sessions>,
    learned: Mutex<Learned>,
}

/// What refusals have taught, for as long as the process runs.
#[derive(Debug, Default)]
struct Learned {
    /// Fields and arguments that the server does not know, by document.
    dropped: HashMap<&'static str, BTreeSet<String>>,
    /// How many questions go into a request, where that is less than intended.
    most: HashMap<&'static str, usize>,
    /// Enum values are sent in lower case.
    lower_case: bool,
    /// Drift not handed out yet.
    drift: Vec<Drift>,
}

/// What came of one request: the answers that it gave, and nothing for questions to be asked again.
enum Sent {
    Answers(Vec<Option<Result<Box<RawValue>, Error>>>),
    Learned,
}

impl Client {
    pub(super) fn new(url: Url, credential: Credential, variables: &[String], limits: Limits) -> Result<Self, Error> {
        // Messages put it between back quotes.
        let variable = variables.join("` and `");
        if !credential.is_usable() {
            return Err(Error::Config {
                problem: format!("`{variable}` is empty or holds characters that no key has"),
                fix: format!("set `{variable}` to the key as Lumar shows it"),
            });
        }
        let auth = Auth::PerRequest;
        let config = HttpConfig { base_url: url.clone(), auth, key_variable: variable.clone(), quota: QUOTA, limits };
        let (sessions, learned) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self { http: Http::new(config)?, url, credential, variable, sessions, learned })
    }

    /// Asks every question; `most` bounds how many go into one request, beside what the document itself says.
    ///
    /// # Errors
    ///
    /// An error that concerns the whole source. Others stand in the place of the answer that they cost.
    pub(super) async fn ask(
        &self,
        document: &'static Document,
        about: &About,
        asks: &[Variables],
        most: usize,
    ) -> Result<Answers, Error> {
        let size = self.most(document).min(most).max(1);
        let chunks: Vec<&[Variables]> = asks.chunks(size).collect();
        let mut answers = Vec::with_capacity(asks.len());
        for group in chunks.chunks(AT_ONCE) {
            let under_way = group.iter().map(|chunk| self.ask_chunk(document, about, chunk));
            answers.extend(try_join_all(under_way).await?.into_iter().flatten());
        }
        Ok(answers)
    }

    /// As [`Client::ask`], one question.
    pub(super) async fn ask_one(
        &self,
        document: &'static Document,
        about: &About,
        ask: Variables,
    ) -> Result<Box<RawValue>, Error> {
        let answers = self.ask(document, about, &[ask], 1).await?;
        answers.into_iter().next().unwrap_or_else(|| Err(Error::NotFound { what: about.what.clone() }))
    }

    /// Drift that was noticed outside of any record.
    pub(super) fn take_drift(&self) -> Vec<Drift> {
        std::mem::take(&mut self.learned().drift)
    }

    /// Asks the questions of one request, in more than one where that turns out to be needed.
    async fn ask_chunk(
        &self,
        document: &'static Document,
        about: &About,
        asks: &[Variables],
    ) -> Result<Answers, Error> {
        let mut answers: Vec<Option<Result<Box<RawValue>, Error>>> = asks.iter().map(|_| None).collect();
        let mut lessons = 0;
        let mut tries = vec![1; asks.len()];
        loop {
            let open: Vec<usize> =
                answers.iter().enumerate().filter(|(_, answer)| answer.is_none()).map(|(at, _)| at).collect();
            let now: Vec<usize> = open.into_iter().take(self.most(document)).collect();
            if now.is_empty() {
                return Ok(answers.into_iter().flatten().collect());
            }
            let questions: Vec<Variables> = now.iter().filter_map(|at| asks.get(*at).cloned()).collect();
            let sent = match self.ask_together(document, about, &questions).await {
                Ok(Sent::Learned) if lessons < MAX_LESSONS => {
                    lessons += 1;
                    continue;
                }
                Ok(Sent::Learned) => Err(Error::Invalid { what: about.what.clone(), status: 400 }),
                Ok(Sent::Answers(sent)) => Ok(sent),
                Err(error) if error.is_fatal_to_source() => return Err(error),
                Err(error) => Err(error),
            };
            let mut moved = false;
            for (place, at) in now.iter().enumerate() {
                let answer = match &sent {
                    Ok(sent) => sent.get(place).cloned().flatten(),
                    Err(error) => Some(Err(error.clone())),
                };
                moved |= answer.is_some();
                let (Some(slot), Some(tries)) = (answers.get_mut(*at), tries.get_mut(*at)) else { continue };
                // A whole request that fails has been tried often enough by now; one question of it has not.
                let passes = matches!(&answer, Some(Err(error)) if error.is_transient());
                if sent.is_ok() && passes && *tries < TRIES {
                    *tries += 1;
                } else {
                    *slot = answer;
                }
            }
            if !moved {
                return Err(Error::Decode { what: about.what.clone(), detail: "it answers nothing".to_owned() });
            }
        }
    }

    async fn ask_together(
        &self,
        document: &'static Document,
        about: &About,
        asks: &[Variables],
    ) -> Result<Sent, Error> {
        let (dropped, lower_case) = {
            let learned = self.learned();
            (learned.dropped.get(document.record).cloned().unwrap_or_default(), learned.lower_case)
        };
        let assembled = document.assemble(asks, &dropped, lower_case);
        let reply = match self.send(document, about, &assembled).await {
            Err(error @ Error::TooLarge { .. }) => {
                return if self.halve(document, asks.len()) { Ok(Sent::Learned) } else { Err(error) };
            }
            reply => reply?,
        };
        if matches!(reply.refusal, Some(Error::Invalid { status: 413, .. })) && self.halve(document, asks.len()) {
            return Ok(Sent::Learned);
        }
        let answer = Answer::read(&reply, &about.what)?;
        if answer.is_empty() && self.learn(document, &answer.complaints, &assembled, asks.len(), (&dropped, lower_case))
        {
            return Ok(Sent::Learned);
        }
        let refusal = reply.refusal.as_ref();
        let error = |complaint: &Complaint| {
            tracing::debug!(
                code = clean(&complaint.code, 64),
                message = clean(&complaint.message, 300),
                "{}",
                about.what
            );
            complaint.error(about, &self.variable, refusal)
        };
        let answers = answer.to_each(asks.len(), about, error);
        // What concerns the source concerns all of its questions.
        let fatal =
            answers.iter().flatten().find_map(|answer| answer.as_ref().err().filter(|e| e.is_fatal_to_source()));
        fatal.map_or(Ok(()), |error| Err(error.clone()))?;
        Ok(Sent::Answers(answers))
    }

    /// Sends a document; a session that has ended meanwhile is renewed, and the same document sent again.
    async fn send(&self, document: &'static Document, about: &About, asked: &Assembled) -> Result<Reply, Error> {
        let body = json!({ "query": asked.query, "variables": asked.variables }).to_string();
        let mut post = Post { what: about.what.clone(), url: self.url.clone(), body, auth: None };
        let mut renewed = false;
        loop {
            let mut session = None;
            if !document.open {
                let (auth, count) = self.auth().await?;
                (post.auth, session) = (Some(auth), count);
            }
            let reply = self.http.post(&post, |reply| judge(reply, about)).await?;
            let refused =
                matches!(reply.refusal, Some(Error::Unauthorized { .. })) || is_unauthenticated(&reply, about);
            match session {
                Some(count) if refused && !renewed => {
                    self.forget_session(count).await;
                    renewed = true;
                }
                _ if refused => return Err(Error::Unauthorized { status: 401, variable: self.variable.clone() }),
                _ => return Ok(reply),
            }
        }
    }

    /// What to send as a credential, and the number of the session that it is of.
    async fn auth(&self) -> Result<(Auth, Option<u64>), Error> {
        let input = match (&self.credential, self.credential.session_input()) {
            (_, Some(input)) => input,
            (Credential::ServiceKey(key) | Credential::UserKey { secret: key, .. }, None) => {
                return Ok((Auth::ApiKey(key.clone()), None));
            }
        };
        // Held while a session is opened: whoever needs one meanwhile waits for it.
        let mut sessions = self.sessions.lock().await;
        if let Some(session) = sessions.current.as_ref().filter(|session| !session.is_over()) {
            return Ok((Auth::Token(session.token.clone()), Some(sessions.count)));
        }
        let session = self.open_session(vec![("input", input)]).await?;
        let auth = Auth::Token(session.token.clone());
        sessions.current = Some(session);
        sessions.count += 1;
        Ok((auth, Some(sessions.count)))
    }

    /// Boxed, since opening a session is asking, and asking may open one.
    fn open_session(&self, ask: Variables) -> Pin<Box<dyn Future<Output = Result<Session, Error>> + Send + '_>> {
        Box::pin(async move {
            let about = About { what: "a session".to_owned(), scope: "a session".to_owned() };
            let refused = || Error::Unauthorized { status: 401, variable: self.variable.clone() };
            let (answer, date) = self.ask_for_session(&about, ask).await.map_err(|error| match error {
                Error::Forbidden { .. } | Error::NotFound { .. } | Error::Invalid { .. } => refused(),
                error => error,
            })?;
            let drift = DriftLog::default();
            let read = Fields::read(&super::contract::SESSION, &answer, &drift).and_then(|session| {
                let token = session.word("token")?.into_owned();
                Ok(Session::new(token.into(), session.opt_instant("expiresAt"), date))
            });
            self.learned().drift.extend(drift.into_drifts());
            read.map_err(|why| Error::Decode { what: about.what, detail: why.0 })
        })
    }

    async fn ask_for_session(
        &self,
        about: &About,
        ask: Variables,
    ) -> Result<(Box<RawValue>, Option<jiff::Timestamp>), Error> {
        for _ in 0..=CREATE_SESSION.text.lines().count() {
            let dropped = self.learned().dropped.get(CREATE_SESSION.record).cloned().unwrap_or_default();
            let assembled = CREATE_SESSION.assemble(std::slice::from_ref(&ask), &dropped, false);
            let reply = self.send(&CREATE_SESSION, about, &assembled).await?;
            let answer = Answer::read(&reply, &about.what)?;
            if answer.is_empty() && self.learn(&CREATE_SESSION, &answer.complaints, &assembled, 1, (&dropped, true)) {
                continue;
            }
            let given = answer.data.as_ref().and_then(|data| data.get(&*document::alias(0)));
            return match (given.filter(|value| value.get() != "null"), answer.complaints.first()) {
                (Some(value), None) => Ok(((*value).to_owned(), reply.date)),
                (_, Some(complaint)) => Err(complaint.error(about, &self.variable, reply.refusal.as_ref())),
                (None, None) => Err(Error::NotFound { what: about.what.clone() }),
            };
        }
        Err(Error::Invalid { what: about.what.clone(), status: 400 })
    }

    /// Gives up a session that was refused, unless somebody has done so already.
    async fn forget_session(&self, count: u64) {
        let mut sessions = self.sessions.lock().await;
        if sessions.count == count {
            sessions.current = None;
        }
    }

    /// Draws lessons from a refusal; false where there are none in it. What the refused request was made with is
    /// given: another request may have learned the same meanwhile, and then this one need only be sent again.
    fn learn(
        &self,
        document: &'static Document,
        complaints: &[Complaint],
        asked: &Assembled,
        questions: usize,
        (dropped, lower_case): (&BTreeSet<String>, bool),
    ) -> bool {
        let mut learned_any = false;
        for complaint in complaints.iter().filter(|complaint| complaint.alias.is_none()) {
            let place = complaint.line.and_then(|line| asked.place(line));
            for path in document.blamed(&complaint.message, place) {
                learned_any |= !dropped.contains(&path);
                self.drop_field(document, path);
            }
        }
        if learned_any {
            return true;
        }
        let whole = || complaints.iter().filter(|complaint| complaint.alias.is_none());
        if whole().any(Complaint::is_too_much) && self.halve(document, questions) {
            return true;
        }
        // Tried once: a server that refuses both spellings refuses something else.
        if !lower_case && whole().any(|complaint| document.blames_casing(&complaint.message)) {
            tracing::info!("enum values are sent in lower case from now on");
            self.learned().lower_case = true;
            return true;
        }
        false
    }

    fn drop_field(&self, document: &'static Document, path: String) {
        let mut learned = self.learned();
        let field = path.trim_matches(['(', ')']);
        let field = clean(field.strip_prefix("nodes.").unwrap_or(field), 64);
        if learned.dropped.entry(document.record).or_default().insert(path) {
            tracing::info!(record = document.record, field, "the server does not know it, so it is not asked for");
            learned.drift.push(Drift { record: document.record.to_owned(), field, kind: DriftKind::MissingField });
        }
    }

    /// Asks half as many questions at once from now on; false where a request held only one.
    fn halve(&self, document: &'static Document, questions: usize) -> bool {
        let mut learned = self.learned();
        let most = learned.most.entry(document.record).or_insert(document.most);
        *most = (*most).min(questions / 2).max(1);
        questions > 1
    }

    fn most(&self, document: &'static Document) -> usize {
        self.learned().most.get(document.record).copied().unwrap_or(document.most)
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        // Plain data: a panic elsewhere cannot leave it half written.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does any part of an answer say that the session is not, or no longer, known?
fn is_unauthenticated(reply: &Reply, about: &About) -> bool {
    reply.body.contains("\"errors\"")
        && Answer::read(reply, &about.what)
            .is_ok_and(|answer| answer.complaints.iter().any(Complaint::is_unauthenticated))
}
