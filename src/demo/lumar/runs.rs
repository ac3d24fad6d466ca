//! Prompt runs as a brand sees them: the list of a prompt, one run whole, and the URLs that cite the brand.

use super::{
    answers::{brand_type, provider},
    cx::{Cx, days, instant, range},
    figures::{self, Board, round},
    ids::{self, kind},
    judge::{self, Mark},
    lists,
    problem::Problem,
    request::Selected,
    tracker::{Place, Project, Run},
};
use crate::{
    demo::rng::real,
    model::{Day, Status},
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The value of a status.
fn status(status: &Status) -> &str {
    match status {
        Status::Pending => "Pending",
        Status::Running => "Running",
        Status::Finished => "Finished",
        Status::Failed => "Failed",
        Status::Unknown(other) => other,
    }
}

/// What a run does for a brand. A run without an answer has counts of 0, like one that does not know the brand.
fn brand_columns(mark: &Mark) -> Map<String, Value> {
    let sentiment = (mark.mentions > 0).then(|| round(mark.sentiment / f64::from(mark.mentions)));
    let columns = [
        ("brandVisible", json!(mark.mentions + mark.citations > 0)),
        ("totalBrandCitations", json!(mark.citations)),
        ("totalBrandMentions", json!(mark.mentions)),
        ("bestBrandPosition", json!(Some(mark.best).filter(|best| *best > 0))),
        ("avgBrandSentiment", json!(sentiment)),
    ];
    columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn list(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (ix, project, prompt) = cx.prompt(root, account)?;
    let (brand, roots) = cx.brand(root, project)?;
    let mut nodes = Vec::new();
    for day in days(project, range(root)?) {
        for facts in cx.state.facts(Place { project: ix, prompt, day }).iter() {
            let mut node = brand_columns(&figures::part(facts, &roots, brand));
            for (name, value) in [
                ("id", json!(ids::encode(kind::RUN, facts.id))),
                ("rawId", json!(facts.id.to_string())),
                ("status", json!(status(&facts.status))),
                ("aiProviderType", json!(provider(&facts.engine))),
                ("createdAt", json!(instant(facts.created_at))),
                ("failureReason", json!(facts.failure)),
            ] {
                node.insert(name.to_owned(), value);
            }
            nodes.push(Value::Object(node));
        }
    }
    lists::sort(&mut nodes, &root.arguments, &[("createdAt", true)]);
    lists::page(&nodes, root)
}

pub(super) fn details(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (place, project, number) = cx.run(root, account)?;
    let (brand, roots) = cx.brand(root, project)?;
    let runs = cx.state.runs(place);
    let run = runs.iter().find(|run| run.id == number).ok_or_else(|| cx.missing("prompt run"))?;
    if run.status == Status::Failed {
        return if cx.options.failed_details_are_errors {
            Err(Problem::input("The prompt run failed and has no details."))
        } else {
            Ok(Value::Null)
        };
    }
    let facts = judge::facts(run, project);
    let mut board = Board::default();
    board.add(&facts, &roots);
    let mut node = brand_columns(&figures::part(&facts, &roots, brand));
    let prompt = project.prompts.get(place.prompt);
    let (own, others) = split_citations(run, project, &roots, brand);
    for (name, value) in [
        ("aiProviderType", json!(provider(&run.engine))),
        ("promptText", json!(prompt.map(|prompt| &prompt.text))),
        ("topicName", json!(prompt.map(|prompt| &prompt.topic))),
        ("fullAnswerText", json!(run.answer)),
        ("visibilityScore", json!(board.index(brand))),
        ("brandCitations", own),
        ("brandMentions", mentions(run, project, &roots, brand)),
        ("otherBrandCitations", others),
        ("searchQueries", json!(run.searches)),
        ("createdAt", json!(instant(run.created_at))),
    ] {
        node.insert(name.to_owned(), value);
    }
    Ok(Value::Object(node))
}

/// The citations of the brand, and those of other brands; URLs that belong to no brand are in neither.
fn split_citations(run: &Run, project: &Project, roots: &[Option<usize>], brand: usize) -> (Value, Value) {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for citation in judge::citations(run) {
        let Some(Some(root)) = citation.brand.and_then(|place| roots.get(place)).copied() else { continue };
        let about = project.brands.get(root);
        let node = json!({
            "url": citation.url,
            "position": citation.position,
            "citationQualityScore": citation.quality,
            "brandName": about.map(|brand| &brand.name),
            "brandType": about.map(|brand| brand_type(brand.kind)),
        });
        if root == brand { own.push(node) } else { others.push(node) }
    }
    (Value::Array(own), Value::Array(others))
}

/// The mentions of the brand, those of its variants under their own names.
fn mentions(run: &Run, project: &Project, roots: &[Option<usize>], brand: usize) -> Value {
    judge::mentions(run, project)
        .filter(|mention| roots.get(mention.brand) == Some(&Some(brand)))
        .map(|mention| {
            let named = project.brands.get(mention.brand);
            let counts_as = project.brands.get(brand);
            json!({
                "brandName": named.map(|brand| &brand.name),
                "brandType": counts_as.map(|brand| brand_type(brand.kind)),
                "brandMentionQualityScore": mention.quality,
                "sentiment": mention.sentiment,
                "sentimentJustification": mention.justification(),
            })
        })
        .collect()
}

/// What is summed up for a URL.
#[derive(Default)]
struct Cited {
    count: usize,
    positions: f64,
    quality: f64,
    providers: BTreeSet<String>,
    topics: BTreeSet<String>,
}

pub(super) fn citations(cx: &mut Cx<'_>, root: &Selected) -> Result<Value, Problem> {
    let account = cx.account(root, "accountId")?;
    let (ix, project) = cx.project(root, account)?;
    let (brand, roots) = cx.brand(root, project)?;
    let range = range(root)?;
    let kept = (ix, brand, range.map(|range| (range.first, range.last)));
    let mut nodes = if let Some(nodes) = cx.state.kept_citations(&kept) {
        nodes
    } else {
        let nodes = cited_urls(cx, ix, project, &days(project, range), (brand, &roots));
        cx.state.keep_citations(kept, nodes.clone());
        nodes
    };
    lists::sort(&mut nodes, &root.arguments, &[("totalBrandCitations", true), ("url", false)]);
    lists::page(&nodes, root)
}

/// The URLs that cite a brand, in no order that counts.
fn cited_urls(
    cx: &mut Cx<'_>,
    ix: usize,
    project: &Project,
    days: &[Day],
    (brand, roots): (usize, &[Option<usize>]),
) -> Vec<Value> {
    let mut urls: BTreeMap<String, Cited> = BTreeMap::new();
    for prompt in cx.prompts(project) {
        let topic = project.prompts.get(prompt).map_or("", |prompt| prompt.topic.as_str());
        for day in days {
            let place = Place { project: ix, prompt, day: *day };
            // Answers are not kept: only those that cite the brand are written again.
            let facts = cx.state.facts(place);
            if facts.iter().all(|facts| figures::part(facts, roots, brand).citations == 0) {
                continue;
            }
            for run in cx.state.runs(place) {
                add_citations(&mut urls, &run, roots, brand, topic);
            }
        }
    }
    urls.iter().map(|(url, cited)| url_json(url, cited)).collect()
}

fn add_citations(urls: &mut BTreeMap<String, Cited>, run: &Run, roots: &[Option<usize>], brand: usize, topic: &str) {
    for citation in judge::citations(run) {
        if citation.brand.and_then(|place| roots.get(place)) != Some(&Some(brand)) {
            continue;
        }
        let cited = urls.entry(citation.url.to_owned()).or_default();
        cited.count += 1;
        cited.positions += f64::from(citation.position);
        cited.quality += citation.quality;
        cited.providers.insert(provider(&run.engine));
        cited.topics.insert(topic.to_owned());
    }
}

fn url_json(url: &str, cited: &Cited) -> Value {
    let mean = |sum: f64| round(sum / real(cited.count.max(1)));
    json!({
        "url": url,
        "aiProviderTypes": cited.providers,
        "topicNames": cited.topics,
        "avgBrandPosition": mean(cited.positions),
        "totalBrandCitations": cited.count,
        "avgCitationScore": mean(cited.quality),
    })
}
