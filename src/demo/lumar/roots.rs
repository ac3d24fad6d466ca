//! The root fields: whom they are for, and which answer they give.

use super::{
    answers,
    auth::{Identity, USER},
    cx::{Cx, instant},
    ids::{self, kind},
    lists,
    problem::Problem,
    request::Selected,
    runs,
};
use crate::demo::lock;
use serde_json::{Value, json};

/// Can these root fields be answered without a credential?
pub(super) fn is_public(name: &str) -> bool {
    matches!(name, "createSessionUsingUserKey" | "version" | "__typename")
}

impl Cx<'_> {
    /// The answer to a root field: an object with every field that its type may have.
    pub(super) fn answer(&mut self, root: &Selected) -> Result<Value, Problem> {
        match root.name.as_str() {
            "version" => Ok(json!("demo")),
            "me" => self.me(root),
            "getAccount" => {
                let account = self.account(root, "id")?;
                self.account_json(account)
            }
            "node" => self.node(root),
            "createSessionUsingUserKey" => self.open_session(root),
            "deleteSession" => {
                lock(self.auth).end_sessions();
                Ok(json!({ "token": "", "expiresAt": instant(self.now) }))
            }
            "createUserKey" => Err(Problem::input("A user can have 2 API keys at most.")),
            "getAiVisibilityProjects" => answers::projects(self, root),
            "getAiVisibilityProject" => answers::project(self, root),
            "getAiVisibilityTopics" => answers::topics(self, root),
            "getAiVisibilityPrompts" => answers::prompts(self, root),
            "getAiVisibilityBrands" => answers::brands(self, root),
            "getAiVisibilityVisibilityScores" => answers::scores(self, root),
            "getAiVisibilityPromptRuns" => runs::list(self, root),
            "getAiVisibilityPromptRunDetails" => runs::details(self, root),
            "getAiVisibilityBrandCitations" => runs::citations(self, root),
            // Page evaluation has no data in any tracker here.
            "getAiVisibilityPageRuns" => {
                let account = self.account(root, "accountId")?;
                self.project(root, account)?;
                lists::page(&[], root)
            }
            _ => Ok(Value::Null),
        }
    }

    fn me(&self, root: &Selected) -> Result<Value, Problem> {
        if self.identity != Identity::User {
            return Err(Problem::forbidden("Service accounts are not users."));
        }
        let accounts: Vec<Value> = self.tracker.accounts().iter().filter(|a| !a.foreign).map(account_json).collect();
        let accounts = match root.below.iter().find(|field| field.name == "accounts") {
            Some(field) => lists::page(&accounts, field)?,
            None => Value::Null,
        };
        Ok(json!({
            "__typename": "User",
            "id": ids::encode(kind::USER, USER),
            "username": "demo@visibility.example",
            "accounts": accounts,
        }))
    }

    fn node(&self, root: &Selected) -> Result<Value, Problem> {
        let id = root.arguments.get("id").and_then(Value::as_str).unwrap_or_default();
        if self.identity == Identity::User && ids::decode(kind::USER, id) == Some(USER) {
            return self.me(root);
        }
        let account = self.account(root, "id")?;
        self.account_json(account)
    }

    fn account_json(&self, account: u64) -> Result<Value, Problem> {
        let found = self.tracker.accounts().iter().find(|other| other.id == account);
        found.map(account_json).ok_or_else(|| self.missing("account"))
    }

    fn open_session(&self, root: &Selected) -> Result<Value, Problem> {
        let input = |name: &str| match root.arguments.get("input").and_then(|input| input.get(name)) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (token, expires_at) = lock(self.auth).open(&input("userKeyId"), &input("secret"), self.now)?;
        Ok(json!({ "token": token, "expiresAt": instant(expires_at) }))
    }
}

fn account_json(account: &super::tracker::Account) -> Value {
    json!({ "__typename": "Account", "id": ids::encode(kind::ACCOUNT, account.id), "name": account.name })
}
