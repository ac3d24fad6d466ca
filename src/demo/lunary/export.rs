//! The export of all runs that match, one JSON object a line, whole and with nothing added.

use super::{
    auth::Access,
    faults::{self, Fault},
    problem::Problem,
    reply::Reply,
    rows::{self, Style},
    select::{id_of, select},
    state::State,
};
use serde_json::Value;
use url::form_urlencoded;

/// The runs that match, from the page's offset on and without its limit.
pub(super) fn export(state: &mut State, access: Access, query: &str, faults: &[Fault]) -> Result<Reply, Problem> {
    for (name, allowed) in [("type", &["llm", "trace", "thread"][..]), ("exportFormat", &["jsonl", "ojsonl"])] {
        let given = form_urlencoded::parse(query.as_bytes()).find(|(given, _)| given == name).map(|(_, value)| value);
        if !given.is_some_and(|value| allowed.contains(&&*value)) {
            return Err(Problem::unprocessable(&format!("{name} must be one of {}", allowed.join(", "))));
        }
    }
    let asked = select(state, access, query, faults, true)?;
    let project = access.project.map(|project| id_of(&state.projects(), project)).unwrap_or_default();
    let style = Style { plain: true, ..Style::default() };
    let mut rows: Vec<Value> = asked.rows.iter().map(|row| rows::listed(row, &project, style)).collect();
    faults::spoil(&mut rows, faults);
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let lines = lines.join("\n") + "\n";
    Ok(Reply::of("application/jsonl", faults::deepen(lines, faults)))
}
