//! Projects, topics, prompts, brands and the score series: what is listed, and its figures where days are given.

use super::{
    cx::{Cx, days, instant, range},
    figures::{Board, METRICS},
    ids::{self, kind},
    lists,
    problem::Problem,
    request::Selected,
    tracker::Project,
};
use crate::{
    demo::rng::place,
    model::{BrandKind, Day},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Brands that a prompt shows.
const TOP_BRANDS: usize = 3;

/// The provider's value for an engine.
pub(super) fn provider(engine: &str) -> String {
    let known = match engine {
        "chatgpt" => "OpenAiApi",
        "gemini" => "GeminiApi",
        "perplexity" => "PerplexityApi",
        "claude" => "AnthropicApi",
        "google_ai_mode" => "GoogleAiMode",
        "google_ai_overviews" => "GoogleAiOverview",
        _ => "",
    };
    if known.is_empty() { format!("{}Api", pascal(engine)) } else { known.to_owned() }
}

fn pascal(words: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    words.split(|c: char| !c.is_alphanumeric()).map(word).collect()
}

/// What people call the provider of an engine.
fn provider_name(engine: &str) -> &str {
    match engine {
        "chatgpt" => "ChatGPT",
        "gemini" => "Gemini",
        "perplexity" => "Perplexity",
        "claude" => "Claude",
        "grok" => "Grok",
        "google_ai_mode" => "Google AI Mode",
        "google_ai_overviews" => "Google AI Overviews",
        other => other,
    }
}

/// The value of a brand's type.
pub(super) fn brand_type(kind: BrandKind) -> &'static str {
    match kind {
        BrandKind::Own => "Own",
        BrandKind::Competitor => "Competitor",
        BrandKind::Other => "Other",
    }
}

/// A project's topics in order of their first prompts, by number.
fn topics_of<'p>(cx: &Cx<'_>, project: &'p Project) -> Vec<(u64, &'p str)> {
    let mut names: Vec<&str> = Vec::new();
    for prompt in &project.prompts {
        if !names.contains(&prompt.topic.as_str()) {
            names.push(&prompt.topic);
        }
    }
    let numbered = names.into_iter().enumerate().map(|(ix, name)| (project.id * 100 + place(ix) + 1, name));
    numbered.filter(|(id, _)| !cx.state.is_gone(kind::TOPIC, *id)).collect()
}

/// Prompts of topics that are not deleted, and of one topic if one is given.
fn prompts_of(cx: &Cx<'_>, project: &Project, topic: Option<&str>) -> Vec<usize> {
    let topics = topics_of(cx, project);
    let mut prompts = cx.prompts(project);
    prompts.retain(|prompt| {
        let own = project.prompts.get(*prompt).map_or("", |prompt| prompt.topic.as_str());
        topics.iter().any(|(_, name)| *name == own) && topic.is_none_or(|topic| topic == own)
    });
    prompts
}

fn project_json(cx: &Cx<'_>, project: &Project) -> Value {
    let own = project.brands.first();
    let brand = own.map(
        |brand| json!({ "id": ids::encode(kind::BRAND, brand.id), "rawId": brand.id.to_string(), "name": brand.name }),
    );
    let provider_json = |(ix, engine): (usize, &String)| {
        json!({
            "id": ids::encode(kind::PROVIDER, project.id * 100 + place(ix) + 1),
            "name": provider_name(engine),
            "type": provider(engine),
        })
    };
    json!({
        "id": ids::encode(kind::PROJECT, project.id),
        "rawId": project.id.to_string(),
        "name": project.name,
        "totalTopics": topics_of(cx, project).len(),
        "totalPrompts": prompts_of(cx, project, None).len(),
        "aiProviderTypes": project.engines.iter().map(|engine| provider(engine)).collect::<Vec<_>>(),
        "primaryBrandDomain": own.and_then(|brand| brand.domain.as_deref()),
        "primaryBrandRawId": own.map(|brand| brand.id.to_string()),
        "scheduleCadence": "Daily",
        "nextScheduleRunAt": instant(project.days.last.plus(1).start()),
        "autoCrawlEnabled": false,
        "freshnessThresholdDays": 30,
        "createdAt": instant(project.created_at),
        "updatedAt": instant(project.updated_at),
        "primaryBrand": brand,
        "aiProviders": project.engines.iter().enumerate().map(provider_json).collect::<Vec<_>>(),
    })
}

/// Does a name hold what is searched for?
fn matches(root: &Selected, name: &str) -> bool {
    let wanted = root.arguments.get("search").and_then(Value::as_str).unwrap_or_default();
    name.to_lowercase().contains(&wanted.to_lowercase())
}

pub(super) fn projects(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let found = cx.projects(account).filter(|(_, project)| matches(root, &project.name));
    let mut nodes: Vec<Value> = found.map(|(_, project)| project_json(cx, project)).collect();
    lists::sort(&mut nodes, &root.arguments, &[("name", false)]);
    lists::page(&nodes, root)
}

pub(super) fn project(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (_, project) = cx.project(root, account)?;
    Ok(project_json(cx, project))
}

/// Adds a brand's figures to a node, or null for each where no days are given.
fn with_figures(mut node: Map<String, Value>, board: Option<&Board>, brand: usize) -> Map<String, Value> {
    match board {
        Some(board) => node.extend(board.figures(brand)),
        None => node.extend(METRICS.map(|name| (name.to_owned(), Value::Null))),
    }
    node
}

/// The fields of an object literal.
fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

pub(super) fn topics(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (ix, project) = cx.project(root, account)?;
    let (brand, roots) = cx.brand(root, project)?;
    let range = range(root)?;
    let mut nodes = Vec::new();
    for (id, name) in topics_of(cx, project) {
        let prompts = prompts_of(cx, project, Some(name));
        let board = range.map(|range| cx.board(ix, &prompts, &days(project, Some(range)), &roots));
        let node = json!({ "id": ids::encode(kind::TOPIC, id), "rawId": id.to_string(), "name": name });
        nodes.push(Value::Object(with_figures(fields(node), board.as_ref(), brand)));
    }
    lists::page(&nodes, root)
}

pub(super) fn prompts(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (ix, project) = cx.project(root, account)?;
    let (brand, roots) = cx.brand(root, project)?;
    let range = range(root)?;
    let topic = match root.arguments.get("aiVisibilityTopicId").filter(|id| !id.is_null()) {
        None => None,
        Some(id) => {
            let number = ids::decode(kind::TOPIC, id.as_str().unwrap_or_default());
            let topic = topics_of(cx, project).into_iter().find(|(id, _)| Some(*id) == number);
            Some(topic.ok_or_else(|| cx.missing("topic"))?.1)
        }
    };
    let top = root.wants(&["topBrands"]);
    let mut nodes = Vec::new();
    for prompt in prompts_of(cx, project, topic) {
        let board = range.map(|range| cx.board(ix, &[prompt], &days(project, Some(range)), &roots));
        let Some(about) = project.prompts.get(prompt) else { continue };
        let node = json!({
            "id": ids::encode(kind::PROMPT, about.id),
            "rawId": about.id.to_string(),
            "content": about.text,
            "topicName": about.topic,
        });
        let mut node = with_figures(fields(node), board.as_ref(), brand);
        if let Some(board) = board.filter(|_| top) {
            node.insert("topBrands".to_owned(), top_brands(project, &board));
        }
        nodes.push(Value::Object(node));
    }
    let default = if range.is_some() { ("avgVisibilityScore", true) } else { ("content", false) };
    lists::sort(&mut nodes, &root.arguments, &[default]);
    lists::page(&nodes, root)
}

fn top_brands(project: &Project, board: &Board) -> Value {
    let brand = |(place, index): (usize, f64)| {
        let brand = project.brands.get(place)?;
        Some(json!({ "name": brand.name, "type": brand_type(brand.kind), "avgVisibilityScore": index }))
    };
    board.top(TOP_BRANDS).into_iter().filter_map(brand).collect()
}

pub(super) fn brands(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (ix, project) = cx.project(root, account)?;
    // Named in the prose and absent from the example: it is checked, and changes nothing.
    let roots = match root.arguments.get("aiVisibilityBrandId").filter(|id| !id.is_null()) {
        Some(_) => cx.brand(root, project)?.1,
        None => cx.state.roots(project),
    };
    let range = range(root)?;
    let prompts = prompts_of(cx, project, None);
    let board = range.map(|range| cx.board(ix, &prompts, &days(project, Some(range)), &roots));
    let mut nodes = Vec::new();
    for (place, brand) in project.brands.iter().enumerate().filter(|(_, brand)| matches(root, &brand.name)) {
        let merged = cx.state.merged(project, brand.id);
        let listed = roots.get(place) == Some(&Some(place)) || (merged.is_some() && cx.options.merged_are_listed);
        if !listed {
            continue;
        }
        let node = json!({
            "id": ids::encode(kind::BRAND, brand.id),
            "rawId": brand.id.to_string(),
            "name": brand.name,
            "type": brand_type(brand.kind),
            "primary": brand.kind == BrandKind::Own,
            "domain": brand.domain,
            "mergedAt": merged.map(|(_, at)| instant(at)),
            "mergedIntoAiVisibilityBrandRawId": merged.map(|(target, _)| target.to_string()),
        });
        nodes.push(Value::Object(with_figures(fields(node), board.as_ref(), place)));
    }
    let default = if range.is_some() { ("avgVisibilityScore", true) } else { ("name", false) };
    lists::sort(&mut nodes, &root.arguments, &[default]);
    lists::page(&nodes, root)
}

/// The first day of the bucket that a day is in: weeks begin on Monday.
fn bucket(bucket: &str, day: Day) -> Day {
    let date = day.date();
    match bucket {
        "Week" => day.plus(-i32::from(date.weekday().to_monday_zero_offset())),
        "Month" => day.plus(1 - i32::from(date.day())),
        _ => day,
    }
}

pub(super) fn scores(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (ix, project) = cx.project(root, account)?;
    let (brand, roots) = cx.brand(root, project)?;
    let size = root.arguments.get("timeBucket").and_then(Value::as_str).unwrap_or_default();
    let prompts = prompts_of(cx, project, None);
    let mut buckets: BTreeMap<Day, Vec<Day>> = BTreeMap::new();
    for day in days(project, range(root)?) {
        buckets.entry(bucket(size, day)).or_default().push(day);
    }
    let mut points = Vec::new();
    for (start, days) in buckets {
        let board = cx.board(ix, &prompts, &days, &roots);
        // A bucket without finished runs has no point.
        if board.runs() == 0 {
            continue;
        }
        let date = if cx.options.dates_are_days { start.to_string() } else { instant(start.start()) };
        points.push(Value::Object(with_figures(fields(json!({ "date": date })), Some(&board), brand)));
    }
    Ok(Value::Array(points))
}
