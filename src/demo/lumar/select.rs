//! Gives of an object what was selected, under the names asked for, with enums spelled as the server spells them.

use super::{
    request::Selected,
    schema::{Named, Schema, Type},
    values::Spelling,
};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

pub(super) struct Selector<'s> {
    pub(super) schema: &'s Schema,
    pub(super) spelling: Spelling,
}

impl Selector<'_> {
    /// The value of a root field as it is sent.
    pub(super) fn root(&self, root: &Selected, value: &Value) -> Value {
        match self.schema.field(&root.parent, &root.name) {
            Some(field) => self.value(value, &field.kind, &root.below, 0),
            // `__typename` of the root itself.
            None => Value::from(root.parent.as_str()),
        }
    }

    fn value(&self, value: &Value, kind: &Type, below: &[Selected], salt: u64) -> Value {
        match (kind, value) {
            (_, Value::Null) => Value::Null,
            (Type::NonNull(inner), _) => self.value(value, inner, below, salt),
            (Type::List(inner), Value::Array(items)) => {
                items.iter().map(|item| self.value(item, inner, below, salt)).collect()
            }
            (Type::Named(name), _) => match (self.schema.get(name), value) {
                (Some(Named::Enum(_)), Value::String(text)) => Value::from(self.spelling.write(name, text, salt)),
                (Some(Named::Union), _) => {
                    let member = value.get("__typename").and_then(Value::as_str).unwrap_or_default();
                    self.object(value, member, below)
                }
                (Some(Named::Object(_)), _) => self.object(value, name, below),
                _ => value.clone(),
            },
            (Type::List(_), _) => value.clone(),
        }
    }

    fn object(&self, object: &Value, of: &str, below: &[Selected]) -> Value {
        let fields = below.iter().filter_map(|selected| {
            if selected.name == "__typename" {
                return Some((selected.key.clone(), Value::from(of)));
            }
            // Below a union there are fields of other members.
            let field = self.schema.field(of, &selected.name).filter(|_| selected.parent == of)?;
            let value = object.get(&selected.name).unwrap_or(&Value::Null);
            Some((selected.key.clone(), self.value(value, &field.kind, &selected.below, salt(object, &selected.name))))
        });
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

/// The same for the same field of the same object, whatever else is asked.
fn salt(object: &Value, field: &str) -> u64 {
    let own = ["rawId", "url", "createdAt", "name"].into_iter().find_map(|key| object.get(key)?.as_str());
    xxh3_64(format!("{} {field}", own.unwrap_or_default()).as_bytes())
}
