//! Outputs that clients read, and what each of them makes of those.

use pop_compiler::agenda::AgendaTemplate;
use pop_compiler::types::{Record, Type, Types};
use serde_json::{Map, Value as Json, json};

use super::make::{Made, defined};

/// How many there are of each workflow.
const CASES: usize = 12;

/// Values of the outputs of a workflow, and near ones. `strict`: it is one, so all of it must come through. `reads`: a
/// client reads it. `unsure`: languages that can't tell.
pub(crate) fn of(made: &mut Made, document: &Json, template: &AgendaTemplate) -> Vec<Json> {
    let types = defined(document);
    let given = document["catalog"]["my.tool"]["output"].as_object();
    let names = template.params["pop.outputs"]["properties"].as_object().map(Map::keys).into_iter().flatten();
    let fields = names.filter_map(|name| {
        let text = given?.get(name)?.as_str()?;
        Some((name.as_str().into(), Type::parse(text).ok()?))
    });
    let ty = Record::new(fields).into_type();
    (0..CASES)
        .map(|_| {
            let value = made.value(&ty, &types, 5);
            let mut look = Look { types: &types, rust: false, typescript: false };
            let reads = look.reads(&ty, &value);
            let unsure: Vec<&str> = [("rust", look.rust), ("typescript", look.typescript)]
                .iter()
                .filter(|(_, is)| *is)
                .map(|(name, _)| *name)
                .collect();
            json!({ "value": value, "strict": types.accepts(&ty, &value), "reads": reads, "unsure": unsure })
        })
        .collect()
}

/// Looks at a value as a client does.
struct Look<'t> {
    types: &'t Types,
    /// Rust has whole numbers of 64 bits, serde reads a list as a record, and a number that is too large as infinite.
    rust: bool,
    /// To JavaScript `1.0` is whole, and beyond 2^53 nothing is.
    typescript: bool,
}

impl Look<'_> {
    /// Recursion is bounded by the depth of the value. All parts are looked at, for what a language is unsure of.
    fn reads(&mut self, ty: &Type, value: &Json) -> bool {
        self.doubt(value);
        match (self.types.resolve(ty).clone(), value) {
            (Type::Url | Type::Path | Type::Duration | Type::Datetime | Type::Bytes, Json::String(_)) => true,
            (Type::Bytes, Json::Number(_)) => self.types.accepts(&Type::Int, value),
            (Type::Secret(inner), value) => self.reads(&inner, value),
            (Type::Union(members), value) => {
                members.iter().filter(|member| self.reads(member, value)).count() > 0
            }
            (Type::List(item), Json::Array(items)) => {
                items.iter().filter(|value| !self.reads(&item, value)).count() == 0
            }
            (Type::Map(item), Json::Object(map)) => {
                map.values().filter(|value| !self.reads(&item, value)).count() == 0
            }
            (Type::Record(record), Json::Object(map)) => {
                let known = record.iter().fold(true, |all, (name, ty)| {
                    self.reads(ty, map.get(name).unwrap_or(&Json::Null)) && all
                });
                let further = map.iter().filter(|(name, _)| record.get(name).is_none());
                further.fold(known, |all, (_, value)| {
                    record.rest().is_none_or(|rest| self.reads(rest, value)) && all
                })
            }
            (Type::Record(_), Json::Array(_)) => {
                self.rust = true;
                false
            }
            (ty, value) => self.types.accepts(&ty, value),
        }
    }

    fn doubt(&mut self, value: &Json) {
        let Json::Number(number) = value else { return };
        let whole = number.as_str().bytes().all(|b| b == b'-' || b.is_ascii_digit());
        let float = number.as_f64().unwrap_or(f64::INFINITY);
        self.rust |= whole && number.as_i64().is_none() || float.is_infinite();
        self.typescript |= !whole && float.fract() == 0.0 || whole && float.abs() >= 9_007_199_254_740_992.0;
    }
}
