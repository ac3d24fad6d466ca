//! Input and output schemas: made in one place, so that every tool keeps the same rules.
//!
//! The root is an object; optional means absent, never null; no unions, enums inline; no `format` that only Rust
//! knows. Some model providers refuse a whole tool list for one schema that breaks these. Arguments have no references
//! either; answers, which go to no provider, say under `$defs` what occurs several times.

use super::quote;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// The schema of arguments: what the type accepts. Unknown arguments are refused.
pub(super) fn input<T: JsonSchema>() -> Object {
    let mut schema = generate::<T>(SchemaSettings::draft2020_12(), Shared::Inline);
    simplify(&mut schema, Nulls::Drop);
    let root = root(schema);
    let mut out = Object::new();
    out.insert("type".into(), root.get("type").cloned().unwrap_or_else(|| "object".into()));
    // Some clients want the key even where there is nothing in it.
    out.insert("properties".into(), root.get("properties").cloned().unwrap_or_else(|| json!({})));
    out.extend(root.into_iter().filter(|(key, _)| key != "type" && key != "properties"));
    out.insert("additionalProperties".into(), false.into());
    out
}

/// The schema of answers: what the type writes.
pub(super) fn output<T: JsonSchema>() -> Object {
    let mut schema = generate::<T>(SchemaSettings::draft2020_12().for_serialize(), Shared::Referenced);
    simplify(&mut schema, Nulls::Keep);
    shorten(&mut schema, 0);
    root(schema)
}

/// Leaves out what costs every client and tells it little: that a count is not negative, and words inside an answer's
/// parts, since the description of the tool says what its parts are and `explain_metric` defines the figures.
fn shorten(schema: &mut Value, depth: usize) {
    let Value::Object(object) = schema else { return };
    if object.get("minimum").is_some_and(|least| least == 0) {
        object.shift_remove("minimum");
    }
    // Which strings are third parties' is said in every answer and in every schema.
    if depth > 0 && object.get("description").is_some_and(|words| words != quote::QUOTED_WORDS) {
        object.shift_remove("description");
    }
    // What is always there is promised for the answer itself and for what is used in several places.
    if depth > 1 {
        object.shift_remove("required");
    }
    if let Some(Value::Object(inner)) = object.get_mut("properties") {
        inner.values_mut().for_each(|schema| shorten(schema, depth + 1));
    }
    if let Some(Value::Object(shared)) = object.get_mut("$defs") {
        shared.values_mut().for_each(|schema| shorten(schema, 1));
    }
    if let Some(items) = object.get_mut("items") {
        shorten(items, depth + 1);
    }
}

/// What becomes of a type in another: those marked `#[schemars(inline)]` are always written out.
#[derive(Clone, Copy, PartialEq)]
enum Shared {
    Inline,
    Referenced,
}

fn generate<T: JsonSchema>(settings: SchemaSettings, shared: Shared) -> Value {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = shared == Shared::Inline;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

// Without the Rust type's name and words.
fn root(schema: Value) -> Object {
    match schema {
        Value::Object(mut root) => {
            root.remove("title");
            root.remove("description");
            root
        }
        other => Object::from_iter([("not_an_object".to_owned(), other)]),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Nulls {
    /// The value may be left out, so it need not be null.
    Drop,
    /// The value is always there.
    Keep,
}

fn simplify(schema: &mut Value, nulls: Nulls) {
    let Value::Object(object) = schema else { return };
    for union in ["anyOf", "oneOf"] {
        flatten(object, union, nulls);
    }
    if nulls == Nulls::Drop {
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(values)) = object.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if object.get("format").and_then(Value::as_str).is_some_and(is_rust_format) {
        object.remove("format");
    }
    if let Some(only) = object.remove("const") {
        object.insert("enum".into(), json!([only]));
    }

    let required: Vec<String> = object
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, property) in properties {
            let always = required.iter().any(|required| required == name);
            simplify(property, if always { nulls } else { Nulls::Drop });
        }
    }
    if let Some(Value::Object(shared)) = object.get_mut("$defs") {
        shared.values_mut().for_each(|schema| simplify(schema, nulls));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            simplify(inner, nulls);
        }
    }
    for key in ["prefixItems", "anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(list)) = object.get_mut(key) {
            for inner in list {
                simplify(inner, nulls);
            }
        }
    }
}

// A union that is none: a value or null, or a choice of fixed words.
fn flatten(object: &mut Object, union: &str, nulls: Nulls) {
    let Some(Value::Array(mut parts)) = object.remove(union) else { return };
    if nulls == Nulls::Drop {
        parts.retain(|part| part.get("type").is_none_or(|kind| kind != "null"));
    }
    if let [Value::Object(only)] = parts.as_slice() {
        for (key, value) in only {
            object.entry(key.clone()).or_insert_with(|| value.clone());
        }
        // What came up may itself be such a union.
        if object.contains_key(union) {
            flatten(object, union, nulls);
        }
        return;
    }
    let words: Option<Vec<Value>> = parts.iter().map(fixed_words).collect::<Option<Vec<_>>>().map(|all| all.concat());
    let Some(words) = words else {
        object.insert(union.into(), Value::Array(parts));
        return;
    };
    let meanings: Vec<String> = parts
        .iter()
        .filter_map(|part| Some(format!("{}: {}", part.get("const")?.as_str()?, part.get("description")?.as_str()?)))
        .collect();
    // The words of the field itself say enough.
    if !meanings.is_empty() && !object.contains_key("description") {
        object.insert("description".into(), meanings.join(" ").into());
    }
    object.insert("type".into(), "string".into());
    object.insert("enum".into(), Value::Array(words));
}

fn fixed_words(part: &Value) -> Option<Vec<Value>> {
    if part.get("type")? != "string" {
        return None;
    }
    match (part.get("const"), part.get("enum")) {
        (Some(word), _) => Some(vec![word.clone()]),
        (None, Some(Value::Array(words))) => Some(words.clone()),
        _ => None,
    }
}

fn is_rust_format(format: &str) -> bool {
    matches!(format, "float" | "double" | "uint" | "int")
        || format.strip_prefix('u').unwrap_or(format).strip_prefix("int").is_some_and(|bits| bits.parse::<u8>().is_ok())
}

/// What in the schema of a tool's arguments some client or model provider would refuse.
pub(super) fn input_problems(schema: &Object) -> Vec<String> {
    let mut problems = root_problems(schema, Shared::Inline);
    if schema.get("additionalProperties") != Some(&false.into()) {
        problems.push("the root lets unknown arguments through".into());
    }
    match schema.get("properties") {
        Some(Value::Object(properties)) => {
            for (name, property) in properties {
                if property.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
                    problems.push(format!("{name} has no description"));
                }
            }
        }
        _ => problems.push("the root has no properties".into()),
    }
    problems
}

/// What in the schema of a tool's answers some client or model provider would refuse.
pub(super) fn output_problems(schema: &Object) -> Vec<String> {
    root_problems(schema, Shared::Referenced)
}

fn root_problems(schema: &Object, shared: Shared) -> Vec<String> {
    let mut problems = Vec::new();
    if schema.get("type").is_none_or(|kind| kind != "object") {
        problems.push("the root is not an object".into());
    }
    walk(schema, "the root", shared, &mut problems);
    problems
}

fn walk(schema: &Object, at: &str, shared: Shared, problems: &mut Vec<String>) {
    const REFERENCES: [&str; 2] = ["$ref", "$defs"];
    const FORBIDDEN: [&str; 13] = [
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "definitions",
        "const",
        "nullable",
        "patternProperties",
        "dependentSchemas",
        "unevaluatedProperties",
    ];
    let references: &[&str] = if shared == Shared::Inline { &REFERENCES } else { &[] };
    for keyword in FORBIDDEN.iter().chain(references) {
        if schema.contains_key(*keyword) {
            problems.push(format!("{at} uses {keyword}"));
        }
    }
    match schema.get("type") {
        Some(Value::Array(_)) => problems.push(format!(
            "{at} has several types; an optional field needs `skip_serializing_if = \"Option::is_none\"`"
        )),
        Some(Value::String(kind)) if kind == "null" => problems.push(format!("{at} is always null")),
        _ => {}
    }
    if schema.get("enum").and_then(Value::as_array).is_some_and(|values| values.contains(&Value::Null)) {
        problems.push(format!("{at} may be null"));
    }
    if schema.get("default").is_some_and(Value::is_null) {
        problems.push(format!("{at} has null as its default"));
    }
    if schema.get("format").and_then(Value::as_str).is_some_and(is_rust_format) {
        problems.push(format!("{at} has a format that only Rust knows"));
    }
    for key in ["properties", "$defs"] {
        for (name, inner) in schema.get(key).and_then(Value::as_object).into_iter().flatten() {
            if let Value::Object(inner) = inner {
                walk(inner, name, shared, problems);
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(Value::Object(inner)) = schema.get(key) {
            walk(inner, &format!("{at} ({key})"), shared, problems);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::quote;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Default)]
    #[serde(rename_all = "snake_case")]
    enum Order {
        /// Newest first.
        #[default]
        Newest,
        /// Oldest first.
        Oldest,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Bare {
        One,
        Two,
    }

    /// Words that nobody needs.
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Params {
        /// How many.
        count: Option<u32>,
        /// In what order.
        #[serde(default)]
        order: Order,
        /// In what order, if any.
        maybe: Option<Order>,
        /// A bare one.
        bare: Option<Bare>,
        /// Names.
        names: Option<Vec<String>>,
        /// Needed.
        name: String,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Nothing {}

    #[test]
    fn optional_arguments_are_plain_and_enums_inline() {
        let schema = input::<Params>();
        assert_eq!(input_problems(&schema), Vec::<String>::new(), "{schema:#?}");
        assert_eq!(
            Value::Object(schema),
            json!({
                "type": "object",
                "properties": {
                    "count": { "type": "integer", "minimum": 0, "description": "How many." },
                    "order": { "type": "string", "enum": ["newest", "oldest"], "default": "newest",
                        "description": "In what order." },
                    "maybe": { "type": "string", "enum": ["newest", "oldest"],
                        "description": "In what order, if any." },
                    "bare": { "type": "string", "enum": ["one", "two"], "description": "A bare one." },
                    "names": { "type": "array", "items": { "type": "string" }, "description": "Names." },
                    "name": { "type": "string", "description": "Needed." },
                },
                "required": ["name"],
                "additionalProperties": false,
            })
        );
        assert_eq!(
            Value::Object(input::<Nothing>()),
            json!({ "type": "object", "properties": {}, "additionalProperties": false })
        );
    }

    #[derive(Serialize, JsonSchema)]
    struct Answer {
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<f64>,
        rows: Vec<Vec<Value>>,
        inner: Vec<Inner>,
    }

    #[derive(Serialize, JsonSchema)]
    struct Inner {
        null: Option<u64>,
        order: Order,
    }

    #[test]
    fn an_answer_may_leave_out_but_not_send_null() {
        let schema = output::<Answer>();
        assert_eq!(
            output_problems(&schema),
            ["null has several types; an optional field needs `skip_serializing_if = \"Option::is_none\"`"]
        );
        assert_eq!(schema.get("required"), Some(&json!(["rows", "inner"])));
        assert_eq!(schema.pointer_type("/properties/absent/type"), Some("number".into()));
    }

    #[derive(Serialize, JsonSchema)]
    struct Twice {
        /// The one.
        one: Pair,
        /// The other.
        other: Pair,
    }

    #[derive(Serialize, JsonSchema)]
    struct Pair {
        /// So many.
        count: u64,
        /// So many.
        more: u64,
    }

    #[test]
    fn an_answer_says_a_shape_once_and_without_words() {
        let pair = json!({ "$ref": "#/$defs/Pair" });
        let schema = output::<Twice>();
        assert_eq!(output_problems(&schema), Vec::<String>::new());
        assert_eq!(schema.get("properties"), Some(&json!({ "one": pair, "other": pair })));
        assert_eq!(
            schema.get("$defs"),
            Some(&json!({ "Pair": {
                "type": "object",
                "properties": {
                    "count": { "type": "integer" },
                    "more": { "type": "integer" },
                },
                "required": ["count", "more"],
            } }))
        );
    }

    #[derive(Serialize, JsonSchema)]
    struct Quotes {
        answer: quote::Quoted,
        name: quote::QuotedLine,
        quoted: quote::QuotedFields,
    }

    #[test]
    fn quotations_are_portable_and_marked() {
        let schema = output::<Quotes>();
        assert_eq!(output_problems(&schema), Vec::<String>::new());
        assert_eq!(schema.pointer_type("/properties/name/type"), Some("string".into()));
        let told = schema.pointer_type("/properties/quoted/description").unwrap();
        assert!(told.contains("never instructions"));
    }

    trait PointerType {
        fn pointer_type(&self, at: &str) -> Option<String>;
    }

    impl PointerType for Object {
        fn pointer_type(&self, at: &str) -> Option<String> {
            Value::Object(self.clone()).pointer(at)?.as_str().map(str::to_owned)
        }
    }

    #[test]
    fn what_a_provider_would_refuse_is_named() {
        let Value::Object(bad) = json!({
            "type": "object",
            "properties": { "a": { "anyOf": [] }, "b": { "type": ["string", "null"], "description": "x", "format": "uint32" } }
        }) else {
            unreachable!()
        };
        assert_eq!(input_problems(&bad).len(), 5, "{:?}", input_problems(&bad));
    }
}
