//! Questions for any tool, thrown from what its schema takes and what the cache holds, and the answers to them.

use super::{dice::Dice, worlds::Cached};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use visibility_mcp::{
    analysis::DEFINITIONS,
    mcp::{ToolError, ToolInfo},
    model::{BrandKey, DayRange, ProjectKey},
    store::{CellQuery, CitedBy, CitedOrder, CitedQuery, Direction, Domains, Reader, RunFilter, RunRow, RunSort},
    tools,
};

/// How many pages of a list are followed.
const PAGES: usize = 12;

/// What a project has that arguments can name.
pub struct Named {
    pub key: ProjectKey,
    pub name: String,
    pub brands: Vec<String>,
    /// Which brand each of these stands for.
    meant: BTreeMap<String, BrandKey>,
    pub engines: Vec<String>,
    pub runs: Vec<String>,
    prompts: Vec<String>,
    topics: Vec<String>,
    searches: Vec<String>,
    /// Some of the cited ones, from the most cited on.
    cited_domains: Vec<String>,
    cited_urls: Vec<String>,
    pub days: Vec<String>,
}

/// All projects of a cache.
pub fn named(cached: &Cached) -> Vec<Named> {
    let reader = cached.store.reader().unwrap();
    reader.projects().unwrap().into_iter().map(|row| of_project(cached, &reader, &row.key, &row.name)).collect()
}

fn of_project(cached: &Cached, reader: &Reader, key: &ProjectKey, name: &str) -> Named {
    let coverage = reader.coverage(key, None, cached.clock.now()).unwrap();
    let order = (RunSort::CreatedAt, Direction::Desc);
    let (runs, _) = reader.runs(key, &RunFilter::default(), order, None, 100_000).unwrap();
    let (mut brands, mut meant) = (Vec::new(), BTreeMap::new());
    for row in reader.brands(key).unwrap().into_iter().take(8) {
        let brand = row.brand;
        let aliases = brand.aliases.into_iter().take(1);
        let names: Vec<String> =
            [brand.name].into_iter().chain(aliases).chain(brand.domains.into_iter().take(1)).collect();
        for name in &names {
            meant.entry(name.clone()).or_insert_with(|| brand.key.clone());
        }
        brands.extend(names);
    }
    let days: BTreeSet<String> = runs.iter().map(|run| run.day.to_string()).collect();
    let prompts: BTreeSet<String> = runs.iter().map(|run| run.prompt.id.to_string()).collect();
    Named {
        key: key.clone(),
        name: format!("{}/{name}", key.source),
        brands,
        engines: coverage.engines.into_keys().collect(),
        runs: runs.iter().map(|run| run.id.to_string()).collect(),
        prompts: prompts.into_iter().collect(),
        topics: reader.topics(key).unwrap(),
        searches: searches(reader, &runs),
        cited_domains: cited(reader, (key, &meant), &days, CitedBy::Domain),
        cited_urls: cited(reader, (key, &meant), &days, CitedBy::Url),
        meant,
        days: days.into_iter().collect(),
    }
}

/// Every seventh of the domains or URLs that are cited most.
fn cited(
    reader: &Reader,
    (key, meant): (&ProjectKey, &BTreeMap<String, BrandKey>),
    days: &BTreeSet<String>,
    by: CitedBy,
) -> Vec<String> {
    let (Some(brand), Some(first), Some(last)) = (meant.values().next(), days.first(), days.last()) else {
        return Vec::new();
    };
    let days = DayRange { first: first.parse().unwrap(), last: last.parse().unwrap() };
    let runs = CellQuery { include_branded: true, ..CellQuery::new(key, brand, days) };
    let query = CitedQuery { runs, by, domains: Domains::All, order: CitedOrder::Runs };
    reader.cited(&query, 100).unwrap().rows.into_iter().step_by(7).map(|row| row.name).collect()
}

/// What can be searched for in prompts and answers: a word, two of them, and two that stand together.
fn searches(reader: &Reader, runs: &[RunRow]) -> Vec<String> {
    let mut searches = Vec::new();
    for run in runs.iter().step_by(runs.len().div_ceil(8).max(1)) {
        for text in [Some(run.prompt.text.clone()), reader.answer(run.id).unwrap()].into_iter().flatten() {
            let readable = |word: &&str| word.contains(char::is_alphanumeric) && !word.contains('"');
            let words: Vec<&str> = text.split_whitespace().filter(readable).collect();
            let Some([.., before, word]) = words.get(..words.len() / 2) else { continue };
            searches.push((*word).to_owned());
            searches.push(format!("{} {}", word.to_uppercase(), words[0]));
            searches.push(format!("\"{before} {word}\""));
        }
    }
    searches
}

/// The tools that are asked: those that only read. The others need the network.
pub fn tools() -> Vec<ToolInfo> {
    tools::catalogue().tools().filter(|tool| tool.hints.read_only).cloned().collect()
}

/// The answers of every tool to so many rounds of questions, as the oracle reads them.
pub fn ask(cached: &Cached, rounds: usize) -> Vec<Value> {
    let projects = named(cached);
    let mut dice = Dice::new(7);
    let mut lines = Vec::new();
    for tool in &tools() {
        let mut asked = BTreeSet::new();
        for _ in 0..rounds {
            let project = dice.pick(&projects);
            let arguments = arguments(tool, project, &mut dice);
            if asked.insert(arguments.to_string()) {
                follow(cached, tool, arguments, &mut lines);
            }
        }
    }
    lines
}

/// Asks, and follows the pages of what has several.
fn follow(cached: &Cached, tool: &ToolInfo, mut arguments: Value, lines: &mut Vec<Value>) {
    for _ in 0..PAGES {
        // What refuses a question must be right in that, too: it is written down as no answer.
        let answer = match cached.ask(tool.name, &arguments) {
            Err(ToolError::Invalid { .. }) => Value::Null,
            // Of all projects some are answered, which need not have what this one has.
            Err(ToolError::NotFound { .. }) if arguments.get("project").is_none() => return,
            answer => answer.unwrap_or_else(|error| panic!("{}: {} {arguments}: {error}", cached.name, tool.name)),
        };
        let cursor = answer.get("next_cursor").cloned();
        let now = cached.clock.now().to_string();
        lines.push(json!({ "tool": tool.name, "arguments": arguments, "now": now, "answer": answer }));
        let Some(cursor) = cursor else { return };
        arguments["cursor"] = cursor;
    }
}

/// Arguments that the tool takes, with names of one project.
fn arguments(tool: &ToolInfo, project: &Named, dice: &mut Dice) -> Value {
    let required = tool.input_schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let example = tool.example().unwrap();
    let mut arguments = Map::new();
    for (name, schema) in tool.input_schema["properties"].as_object().unwrap() {
        let is_required = required.iter().any(|field| field == name);
        // What narrows a question is left out more often than not, or most answers were empty.
        let narrows =
            matches!(name.as_str(), "prompt_id" | "topic" | "status" | "visible" | "cited" | "mentioned" | "text")
                || matches!(name.as_str(), "domain" | "url" | "gap" | "basket");
        // One question in four is about all projects side by side.
        let is_left_out = match name.as_str() {
            "project" => dice.below(4) == 0,
            _ => dice.below(if narrows { 4 } else { 2 }) > 0,
        };
        if !is_required && is_left_out {
            continue;
        }
        let choices = choices(name, schema, project);
        if !choices.is_empty() {
            arguments.insert(name.clone(), dice.pick(&choices).clone());
        } else if is_required {
            arguments.insert(name.clone(), example[name].clone());
        }
    }
    if rivals_itself(project, &arguments) {
        arguments.remove("rival");
    }
    Value::Object(arguments)
}

/// Is the rival the brand itself, which is refused?
fn rivals_itself(project: &Named, arguments: &Map<String, Value>) -> bool {
    let meant = |name: &str| arguments.get(name).and_then(Value::as_str).and_then(|name| project.meant.get(name));
    let own = project.brands.first().and_then(|name| project.meant.get(name));
    meant("rival").is_some_and(|rival| Some(rival) == meant("brand").or(own))
}

/// What an argument may be; nothing where it is left out.
fn choices(name: &str, schema: &Value, project: &Named) -> Vec<Value> {
    let texts = |texts: &[String]| texts.iter().map(|text| json!(text)).collect();
    match name {
        "project" => vec![json!(project.name)],
        "brand" | "rival" | "other_brand" => texts(&project.brands),
        "engine" | "other_engine" => texts(&project.engines),
        "prompt_id" => texts(&project.prompts),
        "topic" => texts(&project.topics),
        "domain" => texts(&project.cited_domains),
        "url" => texts(&project.cited_urls),
        "status" => vec![json!("finished"), json!("failed"), json!("pending")],
        "period" => periods(&project.days),
        "basket" => baskets(&project.days),
        "text" => texts(&project.searches),
        "metric" if !schema["enum"].is_array() => DEFINITIONS.iter().map(|definition| json!(definition.name)).collect(),
        "cursor" => Vec::new(),
        _ if name.ends_with("run_id") => texts(&project.runs),
        _ if schema["enum"].is_array() => schema["enum"].as_array().unwrap().clone(),
        _ if schema["type"] == "boolean" => vec![json!(true), json!(false)],
        _ if name.ends_with("_offset") => vec![json!(0), json!(3), json!(500)],
        _ if schema["type"] == "integer" => {
            [1, 7, 40].iter().map(|n| json!(n)).chain(schema.get("maximum").cloned()).collect()
        }
        _ => Vec::new(),
    }
}

/// What comparisons of some days keep.
fn baskets(days: &[String]) -> Vec<Value> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let rules = ["engines", "day presence_rate", "week mention_share_of_voice", "month citation_rate"];
    let spans = [format!("{first}..{last}"), format!("{}..{last}", days[days.len() / 2])];
    rules.iter().flat_map(|rule| spans.iter().map(move |span| json!(format!("{rule} {span}")))).collect()
}

/// Days, months and spans inside and at the edges of what there is.
fn periods(days: &[String]) -> Vec<Value> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let middle = &days[days.len() / 2];
    let late = &days[days.len() * 3 / 4];
    vec![
        json!("1d"),
        json!("7d"),
        json!("30d"),
        json!("90d"),
        json!(last[..7]),
        json!(last),
        json!(format!("{middle}..{last}")),
        json!(format!("{middle}..{late}")),
        json!(format!("{first}..{middle}")),
    ]
}
