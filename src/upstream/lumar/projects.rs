//! Accounts, their projects, and the brands of each.

use super::{
    Lumar,
    answer::About,
    brands::{self, Primary},
    contract::{FRAME, PROJECT},
    document::{BRANDS, Document, ME, PROJECT as PROJECT_DOCUMENT, PROJECTS, Variables},
    ids,
    wire::Connection,
};
use crate::{
    model::{ProjectRecord, host_of},
    upstream::{
        Discovery, Drift, Error, Rejected,
        fields::{DriftLog, Fields, Unreadable, clean},
    },
};
use serde_json::{json, value::RawValue};
use std::{borrow::Cow, collections::BTreeSet};

/// A list that does not end after so many pages does not end.
const MAX_PAGES: usize = 1_000;

/// A project as the list of an account's projects gives it.
#[derive(Debug)]
pub(super) struct Listed {
    account: String,
    id: String,
    name: String,
    domain: Option<String>,
    primary_raw_id: Option<String>,
    raw: String,
}

impl Listed {
    pub(super) fn read(account: &str, row: &RawValue, drift: &DriftLog) -> Result<Self, Unreadable> {
        let fields = Fields::read(&PROJECT, row, drift)?;
        let id = fields.word("id")?.into_owned();
        if !ids::is_id(&id) {
            return Err(Unreadable("`id` is not an id".to_owned()));
        }
        let text = |name| fields.opt_word(name).map(|text| clean(&text, 500)).filter(|text| !text.is_empty());
        let domain = text("primaryBrandDomain");
        Ok(Self {
            account: account.to_owned(),
            name: text("name").or_else(|| domain.clone()).unwrap_or_else(|| id.clone()),
            domain,
            primary_raw_id: text("primaryBrandRawId"),
            raw: row.get().to_owned(),
            id,
        })
    }

    fn variables(&self) -> Variables {
        vec![("account", json!(self.account)), ("project", json!(self.id))]
    }

    fn about(&self, document: &Document) -> About {
        About::of(document.name, format!("project {}", self.id))
    }

    /// The project, from what else was asked about it.
    pub(super) fn describe(
        self,
        detail: Option<&RawValue>,
        rows: &[Box<RawValue>],
        drift: &DriftLog,
    ) -> (ProjectRecord, Vec<Rejected>) {
        let mut primary = Primary {
            raw_id: self.primary_raw_id.clone(),
            domain: self.domain.as_deref().and_then(host_of),
            ..Primary::default()
        };
        let fields = detail.and_then(|detail| Fields::read(&FRAME, detail, drift).ok());
        if let Some(brand) = fields.and_then(|fields| fields.opt_object("primaryBrand", &FRAME)) {
            let text = |name| brand.opt_word(name).map(|text| clean(&text, 200)).filter(|text| !text.is_empty());
            primary.id = text("id").filter(|id| ids::is_id(id));
            primary.raw_id = text("rawId").or(primary.raw_id);
            primary.name = text("name");
        }
        let (brands, rejected) = brands::roster(rows, &primary, drift);
        let raw = format!("{{\"list\":{},\"project\":{}}}", self.raw, detail.map_or("null", RawValue::get));
        let project = ProjectRecord {
            key: self.id,
            account: Some(self.account),
            name: self.name,
            website: self.domain,
            brands,
            latest_day: None,
            raw,
        };
        (project, rejected)
    }
}

impl Lumar {
    pub(super) async fn discover_projects(&self) -> Result<Discovery<ProjectRecord>, Error> {
        let mut found = Discovery { items: vec![], rejected: vec![], failed: vec![], drift: vec![] };
        let mut seen = BTreeSet::new();
        for account in self.find_accounts(&mut found.drift).await? {
            let about = About::of(PROJECTS.name, format!("account {account}"));
            let rows = match self.read_list(&PROJECTS, &about, &vec![("account", json!(account))]).await {
                Ok(rows) => rows,
                Err(error) if error.is_fatal_to_source() => return Err(error),
                Err(error) => {
                    found.failed.push(error);
                    continue;
                }
            };
            let mut projects = vec![];
            let log = DriftLog::default();
            for row in &rows {
                match Listed::read(&account, row, &log) {
                    Ok(listed) if !seen.insert(listed.id.clone()) => {}
                    Ok(listed) => projects.push(listed),
                    Err(unreadable) => found.rejected.push(unreadable.reject(row.get())),
                }
            }
            found.drift.extend(log.into_drifts());
            self.describe_all(projects, &about, &mut found).await?;
        }
        found.drift.extend(self.client.take_drift());
        found.drift.sort_unstable();
        found.drift.dedup();
        Ok(found)
    }

    /// The accounts that are configured, or else those of the key's owner.
    async fn find_accounts(&self, drift: &mut Vec<Drift>) -> Result<Vec<String>, Error> {
        if !self.accounts.is_empty() {
            return Ok(self.accounts.iter().map(|account| account.trim().to_owned()).collect());
        }
        let about = About::of(ME.name, "the key's owner".to_owned());
        let me = self.client.ask_one(&ME, &about, vec![]).await?;
        let log = DriftLog::default();
        let read = |raw: &RawValue| -> Result<Vec<String>, Error> {
            let wrong = |detail: String| Error::Decode { what: about.what.clone(), detail };
            let me = Fields::read(&FRAME, raw, &log).map_err(|why| wrong(why.0))?;
            let accounts = me.get("accounts").ok_or_else(|| wrong("`accounts` is missing".to_owned()))?;
            let accounts = Connection::read(&about.what, accounts, &log)?.nodes;
            let id = |node: &RawValue| Fields::read(&FRAME, node, &log).ok()?.opt_word("id").map(Cow::into_owned);
            Ok(accounts.into_iter().filter_map(id).filter(|id| ids::is_id(id)).collect())
        };
        let accounts = read(&me)?;
        drift.extend(log.into_drifts());
        Ok(accounts)
    }

    /// Adds the projects of one account, each with its brands.
    async fn describe_all(
        &self,
        listed: Vec<Listed>,
        about: &About,
        found: &mut Discovery<ProjectRecord>,
    ) -> Result<(), Error> {
        let asks: Vec<Variables> = listed.iter().map(Listed::variables).collect();
        let details = self.client.ask(&PROJECT_DOCUMENT, about, &asks, usize::MAX).await?;
        let brands = self.read_lists(&BRANDS, about, &asks).await?;
        for ((listed, detail), rows) in listed.into_iter().zip(details).zip(brands) {
            let detail = match detail {
                Ok(detail) => Some(detail),
                // The list named it and knows enough.
                Err(Error::NotFound { .. }) => None,
                Err(error) => {
                    found.failed.push(named(error, &listed.about(&PROJECT_DOCUMENT)));
                    continue;
                }
            };
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) => {
                    found.failed.push(named(error, &listed.about(&BRANDS)));
                    continue;
                }
            };
            let log = DriftLog::default();
            let (project, rejected) = listed.describe(detail.as_deref(), &rows, &log);
            found.drift.extend(log.into_drifts());
            found.rejected.extend(rejected);
            found.items.push(project);
        }
        Ok(())
    }

    async fn read_list(
        &self,
        document: &'static Document,
        about: &About,
        ask: &Variables,
    ) -> Result<Vec<Box<RawValue>>, Error> {
        let lists = self.read_lists(document, about, std::slice::from_ref(ask)).await?;
        lists.into_iter().next().unwrap_or_else(|| Ok(vec![]))
    }

    /// All rows of some lists, page by page, side by side.
    async fn read_lists(
        &self,
        document: &'static Document,
        about: &About,
        asks: &[Variables],
    ) -> Result<Vec<Result<Vec<Box<RawValue>>, Error>>, Error> {
        let mut lists: Vec<Result<Vec<Box<RawValue>>, Error>> = asks.iter().map(|_| Ok(vec![])).collect();
        let mut open: Vec<(usize, Option<String>)> = (0..asks.len()).map(|at| (at, None)).collect();
        for _ in 0..MAX_PAGES {
            if open.is_empty() {
                return Ok(lists);
            }
            let question = |(at, after): &(usize, Option<String>)| {
                let mut ask = asks.get(*at).cloned().unwrap_or_default();
                ask.push(("first", json!(self.sizes.list)));
                ask.extend(after.as_ref().map(|after| ("after", json!(after))));
                ask
            };
            let questions: Vec<Variables> = open.iter().map(question).collect();
            let answers = self.client.ask(document, about, &questions, usize::MAX).await?;
            let mut next = vec![];
            for ((at, after), answer) in open.into_iter().zip(answers) {
                let Some(list) = lists.get_mut(at) else { continue };
                let page = answer.and_then(|answer| {
                    let page = Connection::read(&about.what, &answer, &DriftLog::default())?;
                    let rows: Vec<Box<RawValue>> = page.nodes.into_iter().map(ToOwned::to_owned).collect();
                    Ok((rows, page.next))
                });
                match (page, list.as_mut()) {
                    (Ok((rows, cursor)), Ok(known)) => {
                        known.extend(rows);
                        // A cursor that leads back to itself leads nowhere.
                        next.extend(cursor.filter(|cursor| after.as_ref() != Some(cursor)).map(|c| (at, Some(c))));
                    }
                    (Err(error), _) => *list = Err(error),
                    (Ok(_), Err(_)) => {}
                }
            }
            open = next;
        }
        Err(Error::Decode { what: about.what.clone(), detail: "its pages do not end".to_owned() })
    }
}

/// The error of one project among many.
fn named(error: Error, about: &About) -> Error {
    match error {
        Error::Forbidden { .. } => Error::Forbidden { what: about.scope.clone() },
        Error::NotFound { .. } => Error::NotFound { what: about.what.clone() },
        Error::Invalid { status, .. } => Error::Invalid { what: about.what.clone(), status },
        Error::Decode { detail, .. } => Error::Decode { what: about.what.clone(), detail },
        error => error,
    }
}
