//! From the arguments of a call to a tool's parameters, with errors that say which argument and what is allowed.

use super::{ToolError, error::shown, nearest, schema::Object};
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};
use serde_json::{Error, Value};
use std::{cell::Cell, slice};

/// Reads `arguments` as the parameters of `tool`, whose input schema is given. An argument that is null, or empty and
/// not required, is left out.
pub(super) fn parse<P: DeserializeOwned>(tool: &str, arguments: &Object, schema: &Object) -> Result<P, ToolError> {
    let known = schema.get("properties").and_then(Value::as_object);
    let is_known = |name: &str| known.is_some_and(|known| known.contains_key(name));
    if let Some(unknown) = arguments.keys().find(|name| !is_known(name)) {
        return Err(unknown_argument(tool, unknown, known));
    }
    let reading = Cell::new(None);
    let required = |name: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|other| other == name))
    };
    let given: Vec<(&str, &Value)> = arguments
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        // Optional means absent; some clients write null for it, some models an empty text.
        .filter(|(name, value)| !(value.is_null() || *value == "" && !required(name)))
        .collect();
    P::deserialize(Arguments { rest: given.iter(), value: None, reading: &reading }).map_err(|error| {
        let property = reading.get().and_then(|name| Some((name, arguments.get(name)?, known?.get(name)?)));
        match property {
            Some((name, value, property)) => wrong_value(name, value, property, &error),
            None => missing(arguments, schema, &error),
        }
    })
}

fn unknown_argument(tool: &str, name: &str, known: Option<&Object>) -> ToolError {
    let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let what = match nearest(name, known.iter().copied(), 1).first() {
        Some(near) => format!("{} is not an argument of {tool}; did you mean {near}?", shown(name)),
        None => format!("{} is not an argument of {tool}", shown(name)),
    };
    let next =
        if known.is_empty() { "it takes no arguments".to_owned() } else { format!("allowed: {}", known.join(", ")) };
    ToolError::invalid(what, next)
}

fn missing(arguments: &Object, schema: &Object, error: &Error) -> ToolError {
    let absent = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|name| arguments.get(*name).is_none_or(Value::is_null));
    match absent {
        Some(name) => {
            let property = schema.get("properties").and_then(|all| all.get(name));
            let words = property.and_then(|property| property.get("description")?.as_str()).unwrap_or_default();
            let expected = property.map(expected).unwrap_or_default();
            ToolError::invalid(format!("{name} is missing; expected {expected}"), format!("{name}: {words}"))
        }
        None => ToolError::invalid(error.to_string(), ""),
    }
}

fn wrong_value(name: &str, value: &Value, property: &Value, error: &Error) -> ToolError {
    let kind = property.get("type").and_then(Value::as_str).unwrap_or_default();
    let fits = match kind {
        "string" => value.is_string(),
        "integer" | "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    let choices = property.get("enum").and_then(Value::as_array);
    let is_fraction = kind == "integer" && value.as_f64().is_some_and(|number| number.fract() != 0.0);
    let what = if !fits {
        format!("{name} is {}; expected {}", described(value), expected(property))
    } else if is_fraction {
        format!("{name} is {value}; expected {}", expected(property))
    } else if let (Some(choices), Some(given)) = (choices, value.as_str()) {
        format!("{name} is {}; allowed: {}", shown(given), words(choices).join(", "))
    } else if let (Some(number), Some((least, most))) = (value.as_f64(), bounds(property))
        && !(least..=most).contains(&number)
    {
        format!("{name} is {value}; allowed {least} to {most}")
    } else {
        // The words of the checked type itself, which mostly name the argument already.
        let words = error.to_string();
        if words.starts_with(name) { words } else { format!("{name}: {words}") }
    };
    ToolError::invalid(what, "")
}

fn bounds(property: &Value) -> Option<(f64, f64)> {
    Some((property.get("minimum")?.as_f64()?, property.get("maximum")?.as_f64()?))
}

fn words(choices: &[Value]) -> Vec<&str> {
    choices.iter().filter_map(Value::as_str).collect()
}

// What a value is, without its content.
fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn expected(property: &Value) -> String {
    if let Some(choices) = property.get("enum").and_then(Value::as_array) {
        return format!("one of {}", words(choices).join(", "));
    }
    let range = bounds(property).map(|(least, most)| format!(", {least} to {most}")).unwrap_or_default();
    match property.get("type").and_then(Value::as_str).unwrap_or_default() {
        "integer" => format!("a whole number{range}"),
        "number" => format!("a number{range}"),
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => "a list".to_owned(),
        _ => "an object".to_owned(),
    }
}

// The arguments as serde reads them, noting which one is being read.
struct Arguments<'de, 'at> {
    rest: slice::Iter<'at, (&'de str, &'de Value)>,
    value: Option<&'de Value>,
    reading: &'at Cell<Option<&'de str>>,
}

impl<'de> Deserializer<'de> for Arguments<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Arguments<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let next = self.rest.next();
        self.reading.set(next.map(|(name, _)| *name));
        let Some((name, value)) = next else { return Ok(None) };
        self.value = Some(value);
        let name: StrDeserializer<'_, Error> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.value.take().unwrap_or(&Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::{
        params::{BrandName, Limit, NoParams, Period, ResponseFormat},
        schema,
    };
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Params {
        brand: BrandName,
        #[serde(default)]
        limit: Limit,
        #[serde(default)]
        period: Period,
        #[serde(default)]
        response_format: ResponseFormat,
        /// Days.
        days: Option<u8>,
        /// Engines.
        engines: Option<Vec<String>>,
        /// Failed ones too?
        #[serde(default)]
        failed: bool,
    }

    fn read(arguments: Value) -> Result<Params, String> {
        let Value::Object(arguments) = arguments else { unreachable!() };
        parse("list_things", &arguments, &schema::input::<Params>()).map_err(|error| error.to_string())
    }

    #[test]
    fn good_arguments_are_read_and_null_means_absent() {
        let params =
            read(json!({"brand": "Acme", "limit": 5, "period": null, "days": null, "engines": ["a"]})).unwrap();
        assert_eq!((params.brand.as_str(), params.limit.get(), params.days), ("Acme", 5, None));
        assert_eq!(params.period, Period::default());
    }

    #[test]
    fn every_error_names_the_argument_and_what_is_allowed() {
        for (arguments, words) in [
            (json!({"brnad": "Acme"}), "\"brnad\" is not an argument of list_things; did you mean brand?\nallowed: "),
            (json!({"brand": "Acme", "colour": 1}), "\"colour\" is not an argument of list_things\nallowed: "),
            (json!({}), "brand is missing; expected text"),
            (json!({"brand": null}), "brand is missing; expected text"),
            (json!({"brand": ["Acme"]}), "brand is a list; expected text"),
            (json!({"brand": ""}), "brand is empty; expected a name or id, or leave it out"),
            (json!({"brand": "a", "limit": 1000}), "limit is 1000; allowed 1 to 100"),
            (json!({"brand": "a", "limit": -1}), "limit is -1; allowed 1 to 100"),
            (json!({"brand": "a", "limit": "10"}), "limit is text; expected a whole number, 1 to 100"),
            (json!({"brand": "a", "limit": 2.5}), "limit is 2.5; expected a whole number, 1 to 100"),
            (json!({"brand": "a", "days": 300}), "days is 300; allowed 0 to 255"),
            (json!({"brand": "a", "days": 1.5}), "days is 1.5; expected a whole number, 0 to 255"),
            (json!({"brand": "a", "failed": "yes"}), "failed is text; expected true or false"),
            (json!({"brand": "a", "engines": "chatgpt"}), "engines is text; expected a list"),
            (json!({"brand": "a", "engines": [1]}), "engines: invalid type: integer `1`, expected a string"),
            (
                json!({"brand": "a", "response_format": "short"}),
                "response_format is \"short\"; allowed: concise, detailed",
            ),
            (json!({"brand": "a", "period": "last week"}), "period is \"last week\"; allowed: 7d, 30d, 90d"),
        ] {
            let error = read(arguments.clone()).unwrap_err();
            assert!(error.starts_with(words), "{arguments}\n{error}");
        }
    }

    #[test]
    fn a_tool_without_parameters_takes_nothing() {
        let schema = schema::input::<NoParams>();
        assert!(parse::<NoParams>("t", &Object::new(), &schema).is_ok());
        let Value::Object(junk) = json!({"x": 1}) else { unreachable!() };
        let error = parse::<NoParams>("t", &junk, &schema).unwrap_err().to_string();
        assert_eq!(error, "\"x\" is not an argument of t\nit takes no arguments");
    }
}
