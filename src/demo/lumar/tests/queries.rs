//! The documented queries work as they are printed, and what does not fit the schema is refused in the usual words.

use super::*;
use crate::model::Status;

const LIST: &str = "query GetAiVisibilityPromptRuns( $accountId: ObjectID! $aiVisibilityPromptId: ObjectID! $aiVisibilityBrandId: ObjectID! $dateRange: AiVisibilityDateRangeInput ) { getAiVisibilityPromptRuns( accountId: $accountId aiVisibilityPromptId: $aiVisibilityPromptId aiVisibilityBrandId: $aiVisibilityBrandId dateRange: $dateRange first: 20 orderBy: [{ field: createdAt, direction: DESC }] ) { nodes { id rawId status aiProviderType brandVisible totalBrandCitations totalBrandMentions bestBrandPosition avgBrandSentiment createdAt } pageInfo { hasNextPage endCursor } totalCount } }";
const DETAILS: &str = "query GetAiVisibilityPromptRunDetails( $accountId: ObjectID! $aiVisibilityPromptRunId: ObjectID! $aiVisibilityBrandId: ObjectID! ) { getAiVisibilityPromptRunDetails( accountId: $accountId aiVisibilityPromptRunId: $aiVisibilityPromptRunId aiVisibilityBrandId: $aiVisibilityBrandId ) { aiProviderType promptText topicName fullAnswerText brandVisible totalBrandCitations totalBrandMentions bestBrandPosition avgBrandSentiment visibilityScore brandCitations { url position citationQualityScore } brandMentions { brandName brandType brandMentionQualityScore sentiment sentimentJustification } otherBrandCitations { url position brandName brandType } createdAt } }";

#[tokio::test]
async fn the_documented_queries_work_as_printed() {
    let stage = stage().await;
    let (account, prompt, brand) = (stage.server.account_of(0), stage.server.prompt_id(0, 0), stage.own());
    assert_eq!(account, "TjAwN0FjY291bnQxMjM0NQ");
    let range = json!({ "start": "2026-11-16", "end": "2026-11-20" });
    let variables = json!({ "accountId": account, "aiVisibilityPromptId": prompt, "aiVisibilityBrandId": brand,
                            "dateRange": range });
    let list = stage.data(LIST, variables).await["getAiVisibilityPromptRuns"].clone();
    assert_eq!((&list["totalCount"], &list["pageInfo"]["hasNextPage"]), (&json!(20), &json!(false)));
    let nodes = list["nodes"].as_array().unwrap();
    let made: Vec<&str> = nodes.iter().map(|node| node["createdAt"].as_str().unwrap()).collect();
    assert!(made.is_sorted_by(|a, b| a >= b));
    assert_eq!((made[0], made[19]), ("2026-11-20T00:05:00.000Z", "2026-11-16T00:05:00.000Z"));
    let finished = nodes.iter().find(|node| node["status"] == "Finished" && node["brandVisible"] == true).unwrap();
    let variables = json!({ "accountId": account, "aiVisibilityPromptRunId": finished["id"],
                            "aiVisibilityBrandId": brand });
    let details = stage.data(DETAILS, variables).await["getAiVisibilityPromptRunDetails"].clone();
    for shared in [
        "aiProviderType",
        "totalBrandCitations",
        "totalBrandMentions",
        "bestBrandPosition",
        "avgBrandSentiment",
        "createdAt",
    ] {
        assert_eq!(details[shared], finished[shared], "{shared}");
    }
    assert_eq!(details["promptText"], stage.tracker.world().prompts(0)[0].text.as_str());
    assert_eq!(details["brandMentions"].as_array().unwrap().len(), details["totalBrandMentions"]);
    assert!(!details["fullAnswerText"].as_str().unwrap().is_empty());
    // The examples' own ids lack the prefix of real ones.
    let made_up = json!({ "accountId": account, "aiVisibilityPromptId": "QWlWaXNpYmlsaXR5UHJvbXB0MQ",
                          "aiVisibilityBrandId": "QWlWaXNpYmlsaXR5QnJhbmQx" });
    assert_eq!(stage.ask(LIST, made_up).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn the_runs_are_those_of_the_world() {
    let stage = stage().await;
    let world = stage.tracker.world();
    let mut statuses = std::collections::BTreeSet::new();
    for prompt in 0..world.prompt_count(0) {
        let listed =
            stage.runs(prompt, &stage.own(), "", "id rawId status aiProviderType createdAt failureReason").await;
        assert_eq!(listed.len(), 24);
        for node in listed {
            let made: Timestamp = node["createdAt"].as_str().unwrap().parse().unwrap();
            let engine = match node["aiProviderType"].as_str().unwrap() {
                "OpenAiApi" => 0,
                "GeminiApi" => 1,
                "GrokApi" => 2,
                "AnthropicApi" => 3,
                other => panic!("{other}"),
            };
            let run = world.run(0, Day::of(made), prompt, engine).unwrap();
            assert_eq!(made, run.created_at);
            assert_eq!(node["status"].as_str().unwrap().to_lowercase(), run.status.as_str());
            assert_eq!(node["failureReason"].as_str(), run.failure);
            statuses.insert(node["status"].as_str().unwrap().to_owned());
            if prompt > 1 {
                continue;
            }
            let variables = json!({ "accountId": stage.server.account_of(0), "aiVisibilityPromptRunId": node["rawId"],
                                    "aiVisibilityBrandId": stage.own() });
            let details = stage.data(DETAILS, variables).await["getAiVisibilityPromptRunDetails"].clone();
            assert_eq!(details.is_null(), run.status == Status::Failed);
            assert_eq!(details["fullAnswerText"].as_str(), run.answer.as_deref());
        }
    }
    assert!(["Finished", "Pending", "Running"].iter().all(|status| statuses.contains(*status)), "{statuses:?}");
}

#[tokio::test]
async fn what_does_not_fit_the_schema_is_refused_whole() {
    let stage = stage().await;
    let account = stage.server.account_of(0);
    let projects = |arguments: &str, selection: &str| {
        format!("{{ getAiVisibilityProjects(accountId: \"{account}\"{arguments}) {{ {selection} }} }}")
    };
    for (query, message) in [
        ("{ nonsense }".to_owned(), "Cannot query field \"nonsense\" on type \"Query\"."),
        (projects("", "nodes { id colour }"), "Cannot query field \"colour\" on type \"AiVisibilityProjectListItem\"."),
        (projects(", size: 3", "totalCount"), "Unknown argument \"size\" on field \"Query.getAiVisibilityProjects\"."),
        (
            "{ getAiVisibilityProjects { totalCount } }".to_owned(),
            "Field \"getAiVisibilityProjects\" argument \"accountId\" of type \"ObjectID!\" is required, but it was \
             not provided.",
        ),
        (
            projects("", "nodes"),
            "Field \"nodes\" of type \"[AiVisibilityProjectListItem!]!\" must have a selection of subfields. Did you \
             mean \"nodes { ... }\"?",
        ),
        (
            projects("", "totalCount { x }"),
            "Field \"totalCount\" must not have a selection since type \"Int!\" has no subfields.",
        ),
        (projects(", first: $n", "totalCount"), "Variable \"$n\" is not defined."),
        (
            format!("query Q($n: String) {}", projects(", first: $n", "totalCount")),
            "Variable \"$n\" of type \"String\" used in position expecting type \"Int\".",
        ),
        (
            format!("query Q($n: Int) {}", projects("", "totalCount")),
            "Variable \"$n\" is never used in operation \"Q\".",
        ),
        (
            projects(", orderBy: [{ field: colour, direction: ASC }]", "totalCount"),
            "Value \"colour\" does not exist in \"AiVisibilityProjectOrderField\" enum.",
        ),
        (
            projects(", orderBy: [{ field: name }]", "totalCount"),
            "Field \"AiVisibilityProjectOrder.direction\" of required type \"OrderDirection!\" was not provided.",
        ),
        (projects(", first: \"3\"", "totalCount"), "Int cannot represent value: \"3\""),
        (projects("", "...Gone"), "Unknown fragment \"Gone\"."),
        (
            projects("", "... on PageInfo { endCursor }"),
            "Fragment cannot be spread here as objects of type \
             \"AiVisibilityProjectListItemConnection\" can never be of type \"PageInfo\".",
        ),
        (
            projects("", "nodes { x: id x: name }"),
            "Fields \"x\" conflict because \"id\" and \"name\" are different fields. Use different aliases on the \
             fields to fetch both if this was intentional.",
        ),
    ] {
        let got = stage.ask(&query, Value::Null).await;
        assert_eq!((got.status, got.message().as_str()), (400, message), "{query}");
        assert_eq!(got.code(), "GRAPHQL_VALIDATION_FAILED");
        assert!(got.json().get("data").is_none());
    }
    for (body, code) in [
        ("{ oops", "BAD_REQUEST"),
        (r#"{"variables":{}}"#, "BAD_REQUEST"),
        (r#"{"query":"{ version"}"#, "GRAPHQL_PARSE_FAILED"),
        (r#"{"query":"query A { version } query B { version }"}"#, "BAD_REQUEST"),
        (r#"{"query":"query A($id: ObjectID!) { getAccount(id: $id) { id } }"}"#, "BAD_USER_INPUT"),
        (
            r#"{"query":"query A($n: Int) { me { accounts(first: $n) { totalCount } } }","variables":{"n":"x"}}"#,
            "BAD_USER_INPUT",
        ),
    ] {
        let got = post(&stage.server, &stage.auth, body).await;
        assert_eq!((got.status, got.code().as_str()), (400, code), "{body}: {}", got.text());
    }
    let lenient = stage_with(LumarOptions { invalid_is_200: true, ..LumarOptions::unhurried() }).await;
    let got = lenient.ask("{ nonsense }", Value::Null).await;
    assert_eq!((got.status, got.code().as_str()), (200, "GRAPHQL_VALIDATION_FAILED"));
}

#[tokio::test]
async fn aliases_fragments_directives_and_typenames_work() {
    let stage = stage().await;
    let query = "
        query Two($account: ObjectID!, $project: ObjectID!, $brand: ObjectID!, $no: Boolean!) {
            __typename
            first: getAiVisibilityPrompts(accountId: $account, aiVisibilityProjectId: $project,
                aiVisibilityBrandId: $brand, first: 1) { ...List }
            rest: getAiVisibilityPrompts(accountId: $account, aiVisibilityProjectId: $project,
                aiVisibilityBrandId: $brand, after: \"MQ\") { ...List totalCount @include(if: $no) }
            node(id: $account) { __typename ... on Account { id name } ... on User { username } }
        }
        fragment List on AiVisibilityPromptListItemConnection {
            nodes { number: rawId ... on AiVisibilityPromptListItem { content __typename } }
            pageInfo { endCursor }
        }";
    let variables = json!({ "account": stage.server.account_of(0), "project": stage.server.project_id(0),
                            "brand": stage.own(), "no": false });
    let data = stage.data(query, variables).await;
    assert_eq!(data["__typename"], "Query");
    assert_eq!(data["first"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(data["rest"]["nodes"].as_array().unwrap().len(), 5);
    assert_eq!(data["first"]["pageInfo"]["endCursor"], "MQ");
    assert!(data["rest"].get("totalCount").is_none());
    assert_eq!(data["first"]["nodes"][0]["__typename"], "AiVisibilityPromptListItem");
    assert!(data["first"]["nodes"][0]["number"].is_string());
    assert_eq!(
        data["node"],
        json!({ "__typename": "Account", "id": stage.server.account_of(0), "name": "Demo account 1" })
    );
    let log = stage.server.requests();
    assert_eq!((log[0].operation.as_deref(), log[0].count("getAiVisibilityPrompts")), (Some("Two"), 2));
}

#[tokio::test]
async fn fields_that_nobody_read_can_be_unknown() {
    let unknown_fields = inferred_fields();
    let stage = stage_with(LumarOptions { unknown_fields, ..LumarOptions::unhurried() }).await;
    let arguments = stage.seen_by(&stage.own());
    let known = stage.nodes("getAiVisibilityPrompts", &arguments, "id rawId content topicName").await;
    assert_eq!(known.len(), 6);
    for (field, selection) in [
        ("getAiVisibilityPrompts", "avgPresenceRate"),
        ("getAiVisibilityBrands", "mentionShareOfVoice"),
        ("getAiVisibilityTopics", "name"),
    ] {
        let got = stage.ask(&format!("{{ {field}({arguments}) {{ nodes {{ {selection} }} }} }}"), Value::Null).await;
        assert_eq!((got.status, got.code().as_str()), (400, "GRAPHQL_VALIDATION_FAILED"), "{field}");
    }
}

#[tokio::test]
async fn enums_are_spelled_as_the_server_likes() {
    let spelled = |spelling| LumarOptions { spelling, ..LumarOptions::unhurried() };
    let lower = stage_with(spelled(Spelling::Lower)).await;
    let runs = lower.runs(0, &lower.own(), "", "status aiProviderType").await;
    assert!(runs.iter().any(|run| run["status"] == "finished" && run["aiProviderType"] == "openaiapi"));
    let scores = |stage: &Stage, bucket: &str| {
        format!(
            "{{ getAiVisibilityVisibilityScores({}, timeBucket: {bucket}) {{ date }} }}",
            stage.seen_by(&stage.own())
        )
    };
    assert_eq!(lower.ask(&scores(&lower, "day"), Value::Null).await.status, 200);
    assert_eq!(lower.ask(&scores(&lower, "Day"), Value::Null).await.status, 400);
    let pascal = stage().await;
    assert_eq!(pascal.ask(&scores(&pascal, "day"), Value::Null).await.status, 400);

    let strange = stage_with(spelled(Spelling::Strange)).await;
    let runs = strange.runs(0, &strange.own(), "", "rawId status aiProviderType").await;
    let unknown = |name: &str, value: &str| runs.iter().filter(|run| run[name] == value).count();
    assert!((1..12).contains(&unknown("status", "Throttled")), "{runs:?}");
    assert!((1..12).contains(&unknown("aiProviderType", "DeepSeekApi")), "{runs:?}");
    assert_eq!(runs, strange.runs(0, &strange.own(), "", "rawId status aiProviderType").await);
}

#[tokio::test]
async fn many_aliases_are_one_request_up_to_a_cap() {
    let stage = stage_with(LumarOptions { max_fields: Some(6), ..LumarOptions::unhurried() }).await;
    let batch = |count: usize| {
        let field = |n: usize| {
            format!(
                "p{n}: getAiVisibilityPromptRuns(accountId: \"{}\", aiVisibilityPromptId: \"{}\", \
                 aiVisibilityBrandId: \"{}\", first: 2) {{ nodes {{ rawId }} totalCount }}\n",
                stage.server.account_of(0),
                stage.server.prompt_id(0, n % 6),
                stage.own()
            )
        };
        format!("query Batch {{ {} }}", (0..count).map(field).collect::<String>())
    };
    let data = stage.data(&batch(6), Value::Null).await;
    let numbers: std::collections::BTreeSet<String> =
        (0..6).map(|n| data[format!("p{n}")]["nodes"][0]["rawId"].to_string()).collect();
    assert_eq!(numbers.len(), 6);
    let refused = stage.ask(&batch(7), Value::Null).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "BAD_USER_INPUT"));
    assert!(refused.message().contains("too complex"));
    let log = stage.server.requests();
    assert_eq!(log[1].count("getAiVisibilityPromptRuns"), 7);
    assert_eq!((log[1].status, log[1].codes.as_slice()), (400, &["BAD_USER_INPUT".to_owned()][..]));
}
