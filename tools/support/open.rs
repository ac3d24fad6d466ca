//! Parts of answers whose schema says that they are objects and no more: they occur in nearly every tool, and what is in
//! them costs every client the same tokens again and again. What they hold is in the tools' words and in the README.

macro_rules! open_object {
    ($type:ident) => {
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "object" })
            }
        }
    };
}

pub(super) use open_object;
