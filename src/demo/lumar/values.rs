//! Values of arguments and variables, read as their types say, and how enums are spelled on the way in and out.

use super::schema::{Input, Named, Schema, Type};
use graphql_parser::query::Value as Literal;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How enum values are spelled, where the documentation contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Spelling {
    /// `Finished`, `OpenAiApi`: as every enum of Lumar's older schema.
    #[default]
    Pascal,
    /// `finished`, `openaiapi`: as the words of the documentation's tables.
    Lower,
    /// As [`Spelling::Pascal`], but about every seventh value is one that nobody has heard of.
    Strange,
}

/// Is this an enum of words like `Finished`, whose spelling is in doubt? Sort fields and directions are not.
fn is_cased(name: &str) -> bool {
    name != "OrderDirection" && !name.ends_with("OrderField")
}

impl Spelling {
    /// A value as it is sent; `salt` says which ones are strange.
    pub(super) fn write(self, of: &str, value: &str, salt: u64) -> String {
        match self {
            Self::Lower if is_cased(of) => value.to_lowercase(),
            Self::Strange if is_cased(of) && salt.is_multiple_of(7) => match of {
                "AiVisibilityPromptRunStatus" => "Throttled",
                "AiVisibilityAiProviderType" => "DeepSeekApi",
                "AiVisibilityBrandType" => "Partner",
                _ => "NeverHeardOf",
            }
            .to_owned(),
            _ => value.to_owned(),
        }
    }

    /// The schema's own spelling of a value that a client sent; the server takes what it would send.
    fn read(self, of: &str, values: &[String], given: &str) -> Option<String> {
        let lower = self == Self::Lower && is_cased(of);
        values.iter().find(|value| if lower { value.to_lowercase() == given } else { *value == given }).cloned()
    }
}

/// Reads values; the message of an error is that of the reference implementation.
pub(super) struct Values<'s> {
    pub(super) schema: &'s Schema,
    pub(super) spelling: Spelling,
    /// Values of the operation's variables; absent where neither given nor defaulted.
    pub(super) variables: BTreeMap<String, Value>,
}

impl Values<'_> {
    /// A literal of the query. Variables in it count as their values, and as null inside lists and objects when they
    /// have none; a variable of its own without a value leaves the argument out.
    pub(super) fn literal(&self, literal: &Literal<'_, String>, kind: &Type) -> Result<Option<Value>, String> {
        if let Literal::Variable(name) = literal {
            return Ok(self.variables.get(name).cloned());
        }
        match (kind, literal) {
            (Type::NonNull(_), Literal::Null) => Err(format!("Expected value of type \"{kind}\", found null.")),
            (Type::NonNull(inner), _) => self.literal(literal, inner),
            (_, Literal::Null) => Ok(Some(Value::Null)),
            (Type::List(inner), Literal::List(items)) => {
                let item = |item| self.literal(item, inner).map(Option::unwrap_or_default);
                Ok(Some(Value::Array(items.iter().map(item).collect::<Result<_, _>>()?)))
            }
            (Type::List(inner), _) => {
                let item = self.literal(literal, inner)?.unwrap_or_default();
                Ok(Some(Value::Array(vec![item])))
            }
            (Type::Named(name), _) => self.named_literal(literal, name).map(Some),
        }
    }

    fn named_literal(&self, literal: &Literal<'_, String>, name: &str) -> Result<Value, String> {
        let shown = || literal.to_string();
        match (self.schema.get(name), literal) {
            (Some(Named::Enum(values)), Literal::Enum(given)) => self
                .spelling
                .read(name, values, given)
                .map(Value::String)
                .ok_or_else(|| format!("Value \"{given}\" does not exist in \"{name}\" enum.")),
            (Some(Named::Enum(_)), _) => Err(format!("Enum \"{name}\" cannot represent non-enum value: {}.", shown())),
            (Some(Named::Input(fields)), Literal::Object(given)) => {
                unknown_fields(fields, given.keys(), name)?;
                let mut object = Map::new();
                for field in fields {
                    let value = match given.get(&field.name) {
                        Some(literal) => self.literal(literal, &field.kind)?,
                        None => None,
                    };
                    put(&mut object, field, value, name)?;
                }
                Ok(Value::Object(object))
            }
            (Some(Named::Input(_)), _) => Err(format!("Expected value of type \"{name}\", found {}.", shown())),
            (_, Literal::Enum(_) | Literal::Object(_) | Literal::List(_)) => Err(cannot(name, &shown())),
            (_, Literal::String(text)) => scalar(name, Value::from(text.as_str())),
            (_, Literal::Int(number)) => scalar(name, number.as_i64().map_or(Value::Null, Value::from)),
            (_, Literal::Float(number)) => scalar(name, Value::from(*number)),
            (_, Literal::Boolean(truth)) => scalar(name, Value::from(*truth)),
            (_, Literal::Null | Literal::Variable(_)) => Ok(Value::Null),
        }
    }

    /// A value that came as JSON.
    pub(super) fn json(&self, value: &Value, kind: &Type) -> Result<Value, String> {
        match (kind, value) {
            (Type::NonNull(_), Value::Null) => Err(format!("Expected non-nullable type \"{kind}\" not to be null.")),
            (Type::NonNull(inner), _) => self.json(value, inner),
            (_, Value::Null) => Ok(Value::Null),
            (Type::List(inner), Value::Array(items)) => {
                Ok(Value::Array(items.iter().map(|item| self.json(item, inner)).collect::<Result<_, _>>()?))
            }
            (Type::List(inner), _) => Ok(Value::Array(vec![self.json(value, inner)?])),
            (Type::Named(name), _) => match (self.schema.get(name), value) {
                (Some(Named::Enum(values)), Value::String(given)) => self
                    .spelling
                    .read(name, values, given)
                    .map(Value::String)
                    .ok_or_else(|| format!("Value \"{given}\" does not exist in \"{name}\" enum.")),
                (Some(Named::Enum(_)), _) => {
                    Err(format!("Enum \"{name}\" cannot represent non-string value: {value}."))
                }
                (Some(Named::Input(fields)), Value::Object(given)) => {
                    unknown_fields(fields, given.keys(), name)?;
                    let mut object = Map::new();
                    for field in fields {
                        let value = given.get(&field.name).map(|value| self.json(value, &field.kind)).transpose()?;
                        put(&mut object, field, value, name)?;
                    }
                    Ok(Value::Object(object))
                }
                (Some(Named::Input(_)), _) => Err(format!("Expected type \"{name}\" to be an object.")),
                _ => scalar(name, value.clone()),
            },
        }
    }
}

fn unknown_fields<'n>(fields: &[Input], mut given: impl Iterator<Item = &'n String>, name: &str) -> Result<(), String> {
    let unknown = given.find(|given| !fields.iter().any(|field| field.name == **given));
    unknown.map_or(Ok(()), |unknown| Err(format!("Field \"{unknown}\" is not defined by type \"{name}\".")))
}

/// Puts a field of an input object in its place, or says that it is missing.
fn put(object: &mut Map<String, Value>, field: &Input, value: Option<Value>, of: &str) -> Result<(), String> {
    match value.or_else(|| field.default.clone()) {
        Some(value) => drop(object.insert(field.name.clone(), value)),
        None if matches!(field.kind, Type::NonNull(_)) => {
            return Err(format!("Field \"{of}.{}\" of required type \"{}\" was not provided.", field.name, field.kind));
        }
        None => {}
    }
    Ok(())
}

fn cannot(name: &str, shown: &str) -> String {
    format!("{name} cannot represent value: {shown}")
}

fn scalar(name: &str, value: Value) -> Result<Value, String> {
    let fits = match name {
        "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        // An id may come as a number.
        "ObjectID" | "ID" => value.is_string() || value.is_u64(),
        _ => value.is_string(),
    };
    if fits { Ok(value) } else { Err(cannot(name, &value.to_string())) }
}
