//! The schema: which types there are, which fields and arguments they have, and what can be left out of it.

use graphql_parser::schema::{Definition, ParseError, Type as Ast, TypeDefinition, parse_schema};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The schema in its own language.
const TEXT: &str = include_str!("schema.graphql");

/// A type as a field or an argument has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Named(String),
    List(Box<Type>),
    NonNull(Box<Type>),
}

impl Type {
    pub(super) fn of(ast: &Ast<'_, String>) -> Self {
        match ast {
            Ast::NamedType(name) => Self::Named(name.clone()),
            Ast::ListType(inner) => Self::List(Box::new(Self::of(inner))),
            Ast::NonNullType(inner) => Self::NonNull(Box::new(Self::of(inner))),
        }
    }

    /// The name inside all lists and exclamation marks.
    pub(super) fn base(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.base(),
        }
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

/// An argument, or a field of an input type.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) default: Option<Value>,
}

/// A field of an object type.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) kind: Type,
    pub(super) arguments: Vec<Input>,
}

/// A named type.
#[derive(Clone, Debug)]
pub(super) enum Named {
    Scalar,
    Enum(Vec<String>),
    Union,
    Object(BTreeMap<String, Field>),
    Input(Vec<Input>),
}

/// All types by name.
#[derive(Clone, Debug)]
pub(super) struct Schema(BTreeMap<String, Named>);

impl Schema {
    /// The schema without these: a type and its field, or `Type.field` and its argument.
    pub(super) fn without(unknown: &[(String, String)]) -> Self {
        let mut schema = Self::read(TEXT).unwrap_or_else(|error| {
            // The text is part of the program and a test reads it.
            tracing::error!(%error, "the demo server's schema cannot be read");
            Self(BTreeMap::new())
        });
        for (of, name) in unknown {
            let (of, field) = of.split_once('.').map_or((of.as_str(), None), |(of, field)| (of, Some(field)));
            match (schema.0.get_mut(of), field) {
                (Some(Named::Object(fields)), None) => drop(fields.remove(name)),
                (Some(Named::Object(fields)), Some(field)) => {
                    if let Some(field) = fields.get_mut(field) {
                        field.arguments.retain(|argument| argument.name != *name);
                    }
                }
                (Some(Named::Input(fields)), None) => fields.retain(|input| input.name != *name),
                (Some(Named::Enum(values)), None) => values.retain(|value| value != name),
                _ => {}
            }
        }
        schema
    }

    fn read(text: &str) -> Result<Self, ParseError> {
        let mut types: BTreeMap<String, Named> =
            ["Int", "Float", "String", "Boolean", "ID"].map(|name| (name.to_owned(), Named::Scalar)).into();
        for definition in parse_schema::<String>(text)?.definitions {
            let Definition::TypeDefinition(definition) = definition else { continue };
            let (name, named) = match definition {
                TypeDefinition::Scalar(scalar) => (scalar.name, Named::Scalar),
                TypeDefinition::Enum(of) => (of.name, Named::Enum(of.values.into_iter().map(|v| v.name).collect())),
                TypeDefinition::Union(union) => (union.name, Named::Union),
                TypeDefinition::Object(object) => {
                    let fields = object.fields.iter().map(|field| {
                        let arguments = field.arguments.iter().map(input).collect();
                        (field.name.clone(), Field { kind: Type::of(&field.field_type), arguments })
                    });
                    (object.name, Named::Object(fields.collect()))
                }
                TypeDefinition::InputObject(object) => {
                    (object.name, Named::Input(object.fields.iter().map(input).collect()))
                }
                TypeDefinition::Interface(_) => continue,
            };
            types.insert(name, named);
        }
        add_edges(&mut types);
        Ok(Self(types))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Named> {
        self.0.get(name)
    }

    /// A field of an object type.
    pub(super) fn field(&self, of: &str, name: &str) -> Option<&Field> {
        match self.get(of)? {
            Named::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    /// Does a selection have to follow a field of this type?
    pub(super) fn is_composite(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Named::Object(_) | Named::Union))
    }
}

fn input(value: &graphql_parser::schema::InputValue<'_, String>) -> Input {
    let default = match &value.default_value {
        Some(graphql_parser::schema::Value::Int(number)) => number.as_i64().map(Value::from),
        _ => None,
    };
    Input { name: value.name.clone(), kind: Type::of(&value.value_type), default }
}

/// Every connection has edges with a cursor each, whether its own page showed them or not.
fn add_edges(types: &mut BTreeMap<String, Named>) {
    let required = |name: &str| Type::NonNull(Box::new(Type::Named(name.to_owned())));
    let plain = |kind: Type| Field { kind, arguments: Vec::new() };
    let mut edges: Vec<(String, Named)> = Vec::new();
    for (name, named) in types.iter_mut() {
        let (Some(of), Named::Object(fields)) = (name.strip_suffix("Connection"), named) else { continue };
        if !fields.contains_key("edges") {
            let edge = format!("{of}Edge");
            let list = Type::NonNull(Box::new(Type::List(Box::new(required(&edge)))));
            fields.insert("edges".to_owned(), plain(list));
            let of_edge = [("cursor".to_owned(), plain(required("String"))), ("node".to_owned(), plain(required(of)))];
            edges.push((edge, Named::Object(of_edge.into())));
        }
    }
    types.extend(edges);
}

/// Fields of answers that nobody has read in the documentation for their place, each with its type: a client must
/// cope without any of them. Whole types and root fields of that kind are among them by their root field.
#[must_use]
pub fn inferred_fields() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut of: Option<&str> = None;
    for line in TEXT.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["type", name, ..] => of = Some(name),
            ["}", ..] => of = None,
            [first, ..] if line.contains("# inferred") && line.starts_with("  ") && !line.starts_with("   ") => {
                let field = first.split(['(', ':']).next().unwrap_or_default();
                if let Some(of) = of.filter(|_| !field.starts_with([')', '#'])) {
                    found.push((of.to_owned(), field.to_owned()));
                }
            }
            _ => {}
        }
    }
    let roots: BTreeSet<String> = Schema::without(&[]).base_types_of_roots(&found);
    // What a root field alone leads to goes with the root field.
    found.retain(|(of, _)| !roots.contains(of));
    found
}

impl Schema {
    /// The node types below those root fields that are themselves in the list.
    fn base_types_of_roots(&self, fields: &[(String, String)]) -> BTreeSet<String> {
        let mut below = BTreeSet::new();
        for (of, name) in fields.iter().filter(|(of, _)| of == "Query") {
            let Some(field) = self.field(of, name) else { continue };
            let connection = field.kind.base();
            below.insert(connection.to_owned());
            below.extend(self.field(connection, "nodes").map(|nodes| nodes.kind.base().to_owned()));
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_read_whole() {
        let schema = Schema::without(&[]);
        let runs = schema.field("Query", "getAiVisibilityPromptRuns").unwrap();
        assert_eq!(runs.arguments.len(), 9);
        assert_eq!(runs.kind.to_string(), "AiVisibilityPromptRunListItemConnection!");
        let node = schema.field("AiVisibilityPromptRunListItemEdge", "node").unwrap();
        assert_eq!(node.kind.to_string(), "AiVisibilityPromptRunListItem!");
        assert!(matches!(schema.get("AiVisibilityTimeBucket"), Some(Named::Enum(values)) if values.len() == 3));
    }

    #[test]
    fn what_was_never_read_can_be_left_out() {
        let inferred = inferred_fields();
        let pair = |of: &str, name: &str| (of.to_owned(), name.to_owned());
        for expected in [
            pair("AiVisibilityPromptRunListItem", "failureReason"),
            pair("AiVisibilityPromptRunDetails", "searchQueries"),
            pair("AiVisibilityBrandListItem", "mentionShareOfVoice"),
            pair("Query", "getAiVisibilityTopics"),
        ] {
            assert!(inferred.contains(&expected), "{expected:?} is not in {inferred:?}");
        }
        assert!(!inferred.contains(&pair("AiVisibilityPromptRunListItem", "status")));
        let schema = Schema::without(&[
            pair("AiVisibilityPromptRunListItem", "failureReason"),
            pair("Query.getAiVisibilityBrands", "search"),
        ]);
        assert!(schema.field("AiVisibilityPromptRunListItem", "failureReason").is_none());
        let brands = schema.field("Query", "getAiVisibilityBrands").unwrap();
        assert!(brands.arguments.iter().all(|argument| argument.name != "search"));
    }
}
