//! Reads a GraphQL document against the schema: root fields with their arguments' values and what is
//! selected below them, fragments spread and directives decided.

use super::{
    problem::Problem,
    schema::{Schema, Type},
    values::{Spelling, Values},
};
use graphql_parser::query::{
    Definition, Directive, Document, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    TypeCondition, Value as Literal, VariableDefinition, parse_query,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// More errors than this are not listed.
const LISTED: usize = 20;

/// A request's body.
#[derive(Deserialize, Debug, Default)]
pub(super) struct Body {
    pub(super) query: Option<String>,
    #[serde(default)]
    pub(super) variables: Option<Map<String, Value>>,
    #[serde(default, rename = "operationName")]
    pub(super) operation: Option<String>,
}

/// A field to answer.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Selected {
    /// Its name in the answer: the alias, if there is one.
    pub(super) key: String,
    pub(super) name: String,
    /// The type that it belongs to; below a union it counts for objects of that type only.
    pub(super) parent: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) below: Vec<Selected>,
}

impl Selected {
    /// Is one of these selected, at any depth?
    pub(super) fn wants(&self, wanted: &[&str]) -> bool {
        self.below.iter().any(|field| wanted.contains(&field.name.as_str()) || field.wants(wanted))
    }
}

/// What can be said of a request before it is understood: its operation's name and its root fields, with repeats.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Outline {
    pub(super) operation: Option<String>,
    pub(super) fields: Vec<String>,
}

type Doc<'d> = Document<'d, String>;
type Set<'d> = SelectionSet<'d, String>;

struct Operation<'d, 'o> {
    name: Option<&'o String>,
    mutation: bool,
    variables: &'o [VariableDefinition<'d, String>],
    set: &'o Set<'d>,
}

pub(super) fn parse(query: &str) -> Result<Doc<'_>, Problem> {
    parse_query::<String>(query).map_err(|error| Problem::syntax(format!("Syntax Error: {error}")))
}

fn operations<'d, 'o>(document: &'o Doc<'d>) -> Vec<Operation<'d, 'o>> {
    let operation = |definition: &'o Definition<'d, String>| match definition {
        Definition::Operation(OperationDefinition::SelectionSet(set)) => {
            Some(Operation { name: None, mutation: false, variables: &[], set })
        }
        Definition::Operation(OperationDefinition::Query(query)) => Some(Operation {
            name: query.name.as_ref(),
            mutation: false,
            variables: &query.variable_definitions,
            set: &query.selection_set,
        }),
        Definition::Operation(OperationDefinition::Mutation(mutation)) => Some(Operation {
            name: mutation.name.as_ref(),
            mutation: true,
            variables: &mutation.variable_definitions,
            set: &mutation.selection_set,
        }),
        _ => None,
    };
    document.definitions.iter().filter_map(operation).collect()
}

fn choose<'d, 'o>(document: &'o Doc<'d>, name: Option<&str>) -> Result<Operation<'d, 'o>, Problem> {
    let mut all = operations(document);
    match name {
        Some(name) => all
            .into_iter()
            .find(|operation| operation.name.is_some_and(|own| own == name))
            .ok_or_else(|| Problem::bad_request(format!("Unknown operation named \"{name}\"."))),
        None if all.len() > 1 => {
            Err(Problem::bad_request("Must provide operation name if query contains multiple operations."))
        }
        None => all.pop().ok_or_else(|| Problem::bad_request("Must provide an operation.")),
    }
}

pub(super) fn outline(document: &Doc<'_>, name: Option<&str>) -> Outline {
    let Ok(operation) = choose(document, name) else { return Outline::default() };
    let field = |selection: &Selection<'_, String>| match selection {
        Selection::Field(field) => Some(field.name.clone()),
        _ => None,
    };
    Outline { operation: operation.name.cloned(), fields: operation.set.items.iter().filter_map(field).collect() }
}

/// The root fields that a document asks for, or every reason why it cannot be answered.
pub(super) fn plan(
    schema: &Schema,
    spelling: Spelling,
    document: &Doc<'_>,
    body: &Body,
) -> Result<Vec<Selected>, Vec<Problem>> {
    let operation = choose(document, body.operation.as_deref()).map_err(|problem| vec![problem])?;
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        Definition::Operation(_) => None,
    });
    let mut reader = Reader {
        values: Values { schema, spelling, variables: BTreeMap::new() },
        fragments: fragments.collect(),
        declared: BTreeMap::new(),
        used: BTreeSet::new(),
        spread: BTreeSet::new(),
        open: Vec::new(),
        problems: Vec::new(),
    };
    let no_variables = Map::new();
    let given = body.variables.as_ref().unwrap_or(&no_variables);
    let wrong = reader.declare(operation.variables, given);
    let parent = if operation.mutation { "Mutation" } else { "Query" };
    let mut roots = Vec::new();
    reader.set(operation.set, parent, &mut roots);
    reader.leftovers(operation.name);
    let problems = if reader.problems.is_empty() { wrong } else { reader.problems };
    if problems.is_empty() { Ok(roots) } else { Err(problems.into_iter().take(LISTED).collect()) }
}

struct Reader<'s, 'd, 'o> {
    values: Values<'s>,
    fragments: BTreeMap<&'o str, &'o FragmentDefinition<'d, String>>,
    declared: BTreeMap<&'o str, (Type, bool)>,
    used: BTreeSet<String>,
    spread: BTreeSet<&'o str>,
    /// Fragments that are being spread, to notice one that spreads itself.
    open: Vec<&'o str>,
    problems: Vec<Problem>,
}

impl<'d, 'o> Reader<'_, 'd, 'o> {
    fn invalid(&mut self, message: String) {
        self.problems.push(Problem::invalid(message));
    }

    /// Takes the values of the variables; what is wrong with them counts only when the document itself is right.
    fn declare(
        &mut self,
        definitions: &'o [VariableDefinition<'d, String>],
        given: &Map<String, Value>,
    ) -> Vec<Problem> {
        let mut wrong = Vec::new();
        for definition in definitions {
            let (name, kind) = (definition.name.as_str(), Type::of(&definition.var_type));
            if self.values.schema.get(kind.base()).is_none() {
                self.invalid(format!("Unknown type \"{}\".", kind.base()));
            }
            let default = match definition.default_value.as_ref().map(|literal| self.values.literal(literal, &kind)) {
                Some(Ok(default)) => default,
                Some(Err(message)) => {
                    self.invalid(message);
                    None
                }
                None => None,
            };
            self.declared.insert(name, (kind.clone(), default.is_some()));
            let value = match given.get(name) {
                Some(value) => self.values.json(value, &kind).map(Some).map_err(|message| {
                    Problem::input(format!("Variable \"${name}\" got invalid value {value}; {message}"))
                }),
                None if default.is_none() && matches!(kind, Type::NonNull(_)) => {
                    Err(Problem::input(format!("Variable \"${name}\" of required type \"{kind}\" was not provided.")))
                }
                None => Ok(default),
            };
            match value {
                Ok(Some(value)) => drop(self.values.variables.insert(name.to_owned(), value)),
                Ok(None) => {}
                Err(problem) => wrong.push(problem),
            }
        }
        wrong
    }

    /// Variables and fragments that nothing uses.
    fn leftovers(&mut self, operation: Option<&String>) {
        let unused: Vec<&str> = self.declared.keys().copied().filter(|name| !self.used.contains(*name)).collect();
        for name in unused {
            let place = operation.map(|operation| format!(" in operation \"{operation}\"")).unwrap_or_default();
            self.invalid(format!("Variable \"${name}\" is never used{place}."));
        }
        let unused: Vec<&str> = self.fragments.keys().copied().filter(|name| !self.spread.contains(name)).collect();
        for name in unused {
            self.invalid(format!("Fragment \"{name}\" is never used."));
        }
    }

    fn set(&mut self, set: &'o Set<'d>, parent: &str, out: &mut Vec<Selected>) {
        for selection in &set.items {
            match selection {
                Selection::Field(field) => {
                    let wanted = self.directives(&field.directives);
                    if let Some(selected) = self.field(field, parent).filter(|_| wanted) {
                        self.merge(selected, out);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let wanted = self.directives(&spread.directives);
                    let Some((name, fragment)) = self.fragments.get_key_value(spread.fragment_name.as_str()) else {
                        self.invalid(format!("Unknown fragment \"{}\".", spread.fragment_name));
                        continue;
                    };
                    let (name, fragment) = (*name, *fragment);
                    self.spread.insert(name);
                    if self.open.contains(&name) {
                        self.invalid(format!("Cannot spread fragment \"{name}\" within itself."));
                        continue;
                    }
                    self.open.push(name);
                    let TypeCondition::On(on) = &fragment.type_condition;
                    self.fragment(&fragment.selection_set, parent, on, wanted, out);
                    self.open.pop();
                }
                Selection::InlineFragment(inline) => {
                    let wanted = self.directives(&inline.directives);
                    let on = match &inline.type_condition {
                        Some(TypeCondition::On(on)) => on.as_str(),
                        None => parent,
                    };
                    self.fragment(&inline.selection_set, parent, on, wanted, out);
                }
            }
        }
    }

    fn fragment(&mut self, set: &'o Set<'d>, parent: &str, on: &str, wanted: bool, out: &mut Vec<Selected>) {
        let union = matches!(self.values.schema.get(parent), Some(super::schema::Named::Union));
        if self.values.schema.get(on).is_none() {
            self.invalid(format!("Unknown type \"{on}\"."));
        } else if on != parent && !union {
            self.invalid(format!(
                "Fragment cannot be spread here as objects of type \"{parent}\" can never be of type \"{on}\"."
            ));
        } else {
            let mut fields = Vec::new();
            self.set(set, on, &mut fields);
            if wanted {
                for selected in fields {
                    self.merge(selected, out);
                }
            }
        }
    }

    /// Adds a field, or joins it with an equal one.
    fn merge(&mut self, selected: Selected, out: &mut Vec<Selected>) {
        let same = |other: &&mut Selected| other.key == selected.key && other.parent == selected.parent;
        match out.iter_mut().find(same) {
            None => out.push(selected),
            Some(other) if other.name == selected.name && other.arguments == selected.arguments => {
                let mut below = std::mem::take(&mut other.below);
                selected.below.into_iter().for_each(|field| self.merge(field, &mut below));
                other.below = below;
            }
            Some(other) => {
                let message = if other.name == selected.name {
                    "they have differing arguments".to_owned()
                } else {
                    format!("\"{}\" and \"{}\" are different fields", other.name, selected.name)
                };
                self.problems.push(Problem::invalid(format!(
                    "Fields \"{}\" conflict because {message}. Use different aliases on the fields to fetch both if \
                     this was intentional.",
                    selected.key
                )));
            }
        }
    }

    fn field(&mut self, field: &'o Field<'d, String>, parent: &str) -> Option<Selected> {
        let key = field.alias.as_ref().unwrap_or(&field.name).clone();
        let mut selected = Selected {
            key,
            name: field.name.clone(),
            parent: parent.to_owned(),
            arguments: Map::new(),
            below: Vec::new(),
        };
        if field.name == "__typename" {
            return Some(selected);
        }
        let Some(known) = self.values.schema.field(parent, &field.name) else {
            self.invalid(format!("Cannot query field \"{}\" on type \"{parent}\".", field.name));
            return None;
        };
        // The schema outlives the reader, but the borrow checker sees them as one.
        let known = known.clone();
        for (name, _) in &field.arguments {
            if !known.arguments.iter().any(|argument| argument.name == *name) {
                self.invalid(format!("Unknown argument \"{name}\" on field \"{parent}.{}\".", field.name));
            }
        }
        for argument in &known.arguments {
            let given = field.arguments.iter().find(|(name, _)| *name == argument.name);
            let mut value = None;
            if let Some((_, literal)) = given {
                self.variables(literal, &argument.kind, argument.default.is_some());
                match self.values.literal(literal, &argument.kind) {
                    Ok(read) => value = read,
                    Err(message) => self.invalid(message),
                }
            } else if argument.default.is_none() && matches!(argument.kind, Type::NonNull(_)) {
                self.invalid(format!(
                    "Field \"{}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                    field.name, argument.name, argument.kind
                ));
            }
            if let Some(value) = value.or_else(|| argument.default.clone()) {
                selected.arguments.insert(argument.name.clone(), value);
            }
        }
        let base = known.kind.base();
        let composite = self.values.schema.is_composite(base);
        match (composite, field.selection_set.items.is_empty()) {
            (true, true) => self.invalid(format!(
                "Field \"{0}\" of type \"{1}\" must have a selection of subfields. Did you mean \"{0} {{ ... }}\"?",
                field.name, known.kind
            )),
            (false, false) => self.invalid(format!(
                "Field \"{}\" must not have a selection since type \"{}\" has no subfields.",
                field.name, known.kind
            )),
            _ => self.set(&field.selection_set, base, &mut selected.below),
        }
        Some(selected)
    }

    /// Decides `@include` and `@skip`.
    fn directives(&mut self, directives: &'o [Directive<'d, String>]) -> bool {
        let truth = Type::NonNull(Box::new(Type::Named("Boolean".to_owned())));
        let mut wanted = true;
        for directive in directives {
            let on = match directive.name.as_str() {
                "include" => true,
                "skip" => false,
                other => {
                    self.invalid(format!("Unknown directive \"@{other}\"."));
                    continue;
                }
            };
            let Some((_, literal)) = directive.arguments.iter().find(|(name, _)| name == "if") else {
                self.invalid(format!(
                    "Directive \"@{}\" argument \"if\" of type \"Boolean!\" is required, but it was not provided.",
                    directive.name
                ));
                continue;
            };
            self.variables(literal, &truth, false);
            match self.values.literal(literal, &truth) {
                Ok(value) => wanted &= value.is_none_or(|value| value == on),
                Err(message) => self.invalid(message),
            }
        }
        wanted
    }

    /// Notes the variables in a value, and whether they fit their places.
    fn variables(&mut self, literal: &'o Literal<'d, String>, kind: &Type, has_default: bool) {
        match (literal, kind) {
            (Literal::Variable(name), _) => {
                self.used.insert(name.clone());
                let message = match self.declared.get(name.as_str()) {
                    None => format!("Variable \"${name}\" is not defined."),
                    Some((own, defaulted)) if !fits(own, kind, *defaulted || has_default) => {
                        format!("Variable \"${name}\" of type \"{own}\" used in position expecting type \"{kind}\".")
                    }
                    Some(_) => return,
                };
                self.invalid(message);
            }
            (Literal::List(items), Type::List(inner)) => {
                for item in items {
                    self.variables(item, inner, false);
                }
            }
            (_, Type::NonNull(inner) | Type::List(inner)) => self.variables(literal, inner, false),
            (Literal::Object(given), Type::Named(name)) => {
                let Some(super::schema::Named::Input(fields)) = self.values.schema.get(name) else { return };
                let fields: Vec<(Type, &Literal<'d, String>)> =
                    fields.iter().filter_map(|field| Some((field.kind.clone(), given.get(&field.name)?))).collect();
                for (kind, literal) in fields {
                    self.variables(literal, &kind, false);
                }
            }
            _ => {}
        }
    }
}

/// May a variable of this type stand where that type is expected?
fn fits(own: &Type, expected: &Type, defaulted: bool) -> bool {
    match (own, expected) {
        (Type::NonNull(own), Type::NonNull(expected)) => fits(own, expected, true),
        (own, Type::NonNull(expected)) => defaulted && fits(own, expected, true),
        (Type::NonNull(own), expected) => fits(own, expected, true),
        (Type::List(own), Type::List(expected)) => fits(own, expected, false),
        (Type::Named(own), Type::Named(expected)) => own == expected,
        _ => false,
    }
}
