//! Plans, documents and completions as the protocol has them: prompts, resources and `completion/complete`.

use super::super::{
    Document, Documents, Plan, Principal, Registry, ToolCx, ToolError,
    adapter::{Adapter, Call},
    error::shown,
    schema::Object,
};
use rmcp::{
    ErrorData,
    model::{
        CompleteRequestParams, CompleteResult, CompletionInfo, GetPromptRequestParams, GetPromptResult, Prompt,
        PromptArgument, PromptMessage, ReadResourceResult, Reference, Resource, ResourceContents, ResourceTemplate,
        Role,
    },
};
use serde_json::Value;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const JSON: &str = "application/json";

pub(super) fn prompts(registry: &Registry) -> Vec<Prompt> {
    registry.plans().map(|plan| prompt(registry, plan)).collect()
}

fn prompt(registry: &Registry, plan: &Plan) -> Prompt {
    let argument = |name: &'static str| {
        let words = registry.tools().find_map(|tool| {
            tool.input_schema.get("properties")?.get(name)?.get("description")?.as_str().map(str::to_owned)
        });
        PromptArgument::new(name).with_description(words.unwrap_or_default()).with_required(false)
    };
    Prompt::new(plan.name, Some(plan.description()), Some(plan.arguments().map(argument).collect()))
        .with_title(plan.title)
}

pub(super) fn prompt_text(registry: &Registry, request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
    let Some(plan) = registry.plans().find(|plan| plan.name == request.name) else {
        let names: Vec<&str> = registry.plans().map(|plan| plan.name).collect();
        let words = format!("no prompt {}; prompts: {}", shown(&request.name), names.join(", "));
        return Err(ErrorData::invalid_params(words, None));
    };
    let given = request.arguments.clone().unwrap_or_default();
    let known: Vec<&str> = plan.arguments().collect();
    if let Some(unknown) = given.keys().find(|name| !known.contains(&name.as_str())) {
        let words = format!("{} is not an argument of {}; allowed: {}", shown(unknown), plan.name, known.join(", "));
        return Err(ErrorData::invalid_params(words, None));
    }
    let message = PromptMessage::new_text(Role::User, plan.text(registry, &given));
    Ok(GetPromptResult::new(vec![message]).with_description(plan.description()))
}

pub(super) fn templates(registry: &Registry) -> Vec<ResourceTemplate> {
    let template = |documents: &Documents| {
        ResourceTemplate::new(documents.template(), documents.name)
            .with_title(documents.title)
            .with_description(documents.description)
            .with_mime_type(JSON)
    };
    registry.documents().map(template).collect()
}

pub(super) async fn resources(adapter: &Adapter, principal: Arc<Principal>) -> Result<Vec<Resource>, ErrorData> {
    let kinds: Vec<&'static Documents> = adapter.registry.documents().collect();
    let list = move |cx: &ToolCx<'_>| {
        let mut found = Vec::new();
        for kind in kinds {
            // A cache that is still empty has no documents of its own, and those that need none are there.
            let listed = (kind.list)(cx).unwrap_or_default();
            found.extend(listed.into_iter().map(|document| resource(kind, &document)));
        }
        Ok(found)
    };
    adapter.look(principal, list).await.map_err(|error| failed(&error))
}

fn resource(kind: &Documents, document: &Document) -> Resource {
    Resource::new(kind.address(&document.id), format!("{}: {}", kind.name, document.title))
        .with_title(&document.title)
        .with_description(kind.description)
        .with_mime_type(JSON)
}

pub(super) async fn read(
    adapter: &Adapter,
    principal: Arc<Principal>,
    uri: &str,
    cancelled: &CancellationToken,
) -> Result<ReadResourceResult, ErrorData> {
    let found = adapter.registry.documents().find_map(|kind| Some((kind, kind.arguments(uri)?)));
    let Some((kind, arguments)) = found else {
        let known: Vec<String> = adapter.registry.documents().map(Documents::template).collect();
        let words = format!("no resource {}; resources: {}", shown(uri), known.join(", "));
        return Err(ErrorData::resource_not_found(words, Some(asked_for(uri))));
    };
    let entry =
        adapter.registry.find(kind.tool).map_err(|unknown| ErrorData::internal_error(unknown.to_string(), None))?;
    let answer = adapter.call(entry, Call { principal, arguments, on_step: None }, cancelled).await;
    let answer = answer.map_err(|error| match error {
        ToolError::NotFound { .. } | ToolError::Invalid { .. } => {
            ErrorData::resource_not_found(error.to_string(), Some(asked_for(uri)))
        }
        error => failed(&error),
    })?;
    Ok(ReadResourceResult::new(vec![ResourceContents::text(answer.text, uri).with_mime_type(JSON)]))
}

pub(super) async fn complete(
    adapter: &Adapter,
    principal: Arc<Principal>,
    request: CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let registry = &adapter.registry;
    let argument = match &request.r#ref {
        Reference::Prompt(prompt) => registry
            .plans()
            .find(|plan| plan.name == prompt.name)
            .and_then(|plan| plan.arguments().find(|name| *name == request.argument.name)),
        // A template's variable stands for an argument of its tool.
        Reference::Resource(resource) => registry
            .documents()
            .find(|kind| kind.template() == resource.uri && kind.variable == request.argument.name)
            .map(|kind| kind.argument),
        _ => None,
    };
    let (Some(argument), Some(complete)) = (argument, registry.complete()) else {
        let words = format!("nothing completes {} here", shown(&request.argument.name));
        return Err(ErrorData::invalid_params(words, None));
    };
    let others = request.context.and_then(|context| context.arguments).unwrap_or_default();
    let others: Object = others.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    let begun = request.argument.value.trim().to_lowercase();
    // An empty cache completes nothing.
    let all = adapter.look(principal, move |cx| complete(cx, argument, &others)).await.unwrap_or_default();
    let mut values: Vec<String> = all.into_iter().filter(|value| value.to_lowercase().contains(&begun)).collect();
    values.sort_by_key(|value| !value.to_lowercase().starts_with(&begun));
    let total = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let has_more = values.len() > CompletionInfo::MAX_VALUES;
    values.truncate(CompletionInfo::MAX_VALUES);
    let info = CompletionInfo::with_pagination(values, Some(total), has_more);
    Ok(CompleteResult::new(info.map_err(|error| ErrorData::internal_error(error, None))?))
}

fn failed(error: &ToolError) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

/// The address that was asked for, as the caller gave it.
fn asked_for(uri: &str) -> Value {
    serde_json::json!({ "uri": uri })
}
