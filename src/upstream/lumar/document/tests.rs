//! Documents against the contract, alone and put together; what refusals blame.

use super::*;
use apollo_compiler::{ExecutableDocument, Schema, validation::Valid};
use serde_json::json;

const CONTRACT: &str = include_str!("../../../demo/lumar/schema.graphql");

fn all() -> [&'static Document; 9] {
    [&CREATE_SESSION, &ME, &PROJECTS, &PROJECT, &BRANDS, &PROMPTS, &PROMPT_RUNS, &RUN_DETAILS, &SCORES]
}

fn contract() -> Valid<Schema> {
    Schema::parse_and_validate(CONTRACT, "schema.graphql").unwrap()
}

fn validate(schema: &Valid<Schema>, query: &str) {
    if let Err(errors) = ExecutableDocument::parse_and_validate(schema, query, "document.graphql") {
        panic!("{}\n{query}", errors.errors);
    }
}

fn variables(after: bool) -> Variables {
    let mut variables: Variables = ["account", "project", "prompt", "run", "brand"].map(|n| (n, json!(n))).to_vec();
    variables.push(("days", json!({ "start": "2026-11-16", "end": "2026-11-22" })));
    variables.push(("first", json!(100)));
    variables.push(("input", json!({ "userKeyId": "1", "secret": "2" })));
    variables.extend(after.then(|| ("after", json!("Mg"))));
    variables
}

#[test]
fn every_document_is_valid_alone_and_put_together() {
    let schema = contract();
    for document in all() {
        validate(&schema, document.text);
        for after in [false, true] {
            let one = document.assemble(&[variables(after)], &BTreeSet::new(), false);
            validate(&schema, &one.query);
            let mut other = variables(!after);
            other[0].1 = json!("another");
            let many: Vec<Variables> =
                (0..document.most).map(|n| if n % 2 == 0 { variables(after) } else { other.clone() }).collect();
            validate(&schema, &document.assemble(&many, &BTreeSet::new(), false).query);
        }
    }
}

#[test]
fn no_value_stands_in_the_text_and_common_ones_are_sent_once() {
    let asks = [variables(false), variables(true)];
    let assembled = RUN_DETAILS.assemble(&asks, &BTreeSet::new(), false);
    assert!(assembled.query.starts_with("query($v0: ObjectID!, $v1: ObjectID!, $v2: ObjectID!) {\n"));
    assert_eq!(assembled.variables, *json!({ "v0": "account", "v1": "run", "v2": "brand" }).as_object().unwrap());
    assert!(!assembled.query.contains('"') && assembled.query.matches("fullAnswerText").count() == 2);
}

#[test]
fn what_the_server_does_not_know_is_left_out() {
    let schema = contract();
    let every_line = |document: &Document| -> Vec<String> {
        let shape = document.shape();
        let fields = shape.lines.iter().filter(|line| line.kind == LineKind::Field).map(|line| line.path.clone());
        fields.chain(["(orderBy)".to_owned(), "(first)".to_owned()]).collect()
    };
    for document in all() {
        for path in every_line(document) {
            let dropped = BTreeSet::from([path.clone()]);
            let query = document.assemble(&[variables(true)], &dropped, false).query;
            let name = path.trim_matches(['(', ')']);
            if path.starts_with('(') && document.shape().arguments.iter().any(|(known, _)| *known == name) {
                assert!(!query.contains(&format!("{name}: ")), "{path} in {query}");
            }
            // A document of one field is empty without it.
            if !query.contains("{\n}") {
                validate(&schema, &query);
            }
        }
    }
    let all_of_one = ["url", "position", "citationQualityScore"].map(|name| format!("brandCitations.{name}"));
    let query = RUN_DETAILS.assemble(&[variables(false)], &BTreeSet::from(all_of_one), false).query;
    assert!(!query.contains("brandCitations {"), "{query}");
    validate(&schema, &query);
}

#[test]
fn a_refusal_blames_fields_and_arguments_in_many_words() {
    let cases: &[(&Document, &str, &[&str])] = &[
        (&RUN_DETAILS, r#"Cannot query field "searchQueries" on type "X"."#, &["searchQueries"]),
        (&RUN_DETAILS, "Cannot query field „searchQueries“ on type „X“.", &["searchQueries"]),
        (&RUN_DETAILS, "Cannot query field searchQueries on type X", &["searchQueries"]),
        (&RUN_DETAILS, "Cannot query field 'visibilityScore' on type 'X'. Did you mean 'url'?", &["visibilityScore"]),
        (&RUN_DETAILS, "Field 'searchQueries' doesn't exist on type 'X'", &["searchQueries"]),
        (
            &RUN_DETAILS,
            r#"Field "searchQueries" of type "[Q!]" must have a selection of subfields."#,
            &["searchQueries"],
        ),
        (
            &RUN_DETAILS,
            r#"Field "brandMentions" must not have a selection since type "Int" has no subfields."#,
            &["brandMentions"],
        ),
        (
            &RUN_DETAILS,
            r#"Cannot query field "position" on type "X"."#,
            &["brandCitations.position", "otherBrandCitations.position"],
        ),
        (&PROMPT_RUNS, r#"Unknown argument "orderBy" on field "Query.getAiVisibilityPromptRuns"."#, &["(orderBy)"]),
        (&PROMPT_RUNS, r#"Unknown argument "dateRange" on field "Query.getAiVisibilityPromptRuns"."#, &[]),
        (&PROMPT_RUNS, r#"Cannot query field "createdAt" on type "X"."#, &[]),
        (&PROMPT_RUNS, r#"Cannot query field "getAiVisibilityPromptRuns" on type "Query"."#, &[]),
        (&PROMPT_RUNS, "The project does not exist", &[]),
        (&PROMPT_RUNS, "Internal server error", &[]),
    ];
    for (document, message, blamed) in cases {
        assert_eq!(document.blamed(message, None), *blamed, "{message}");
    }
    // The line of the document says which of two it is.
    let assembled = RUN_DETAILS.assemble(&[variables(false), variables(false)], &BTreeSet::new(), false);
    let line = assembled.query.lines().collect::<Vec<_>>().iter().rposition(|line| *line == "position").unwrap() + 1;
    assert_eq!(assembled.place(line), Some("otherBrandCitations.position"));
    let message = r#"Cannot query field "position" on type "X"."#;
    assert_eq!(RUN_DETAILS.blamed(message, assembled.place(line)), ["otherBrandCitations.position"]);
}

#[test]
fn enum_values_are_written_in_either_case() {
    for (lower_case, text) in [(false, "timeBucket: Day\n"), (true, "timeBucket: day\n")] {
        assert!(SCORES.assemble(&[variables(false)], &BTreeSet::new(), lower_case).query.contains(text));
    }
    assert!(SCORES.blames_casing(r#"Value "Day" does not exist in "AiVisibilityTimeBucket" enum."#));
    assert!(SCORES.blames_casing("timeBucket must be one of day, week, month"));
    assert!(!SCORES.blames_casing("accountId is not an ObjectID") && !PROMPT_RUNS.blames_casing("Day"));
}
