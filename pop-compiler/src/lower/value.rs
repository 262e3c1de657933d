//! Values: references become POP's native tokens, object keys are sorted.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::ast::{Field, Value, ValueKind};
use crate::catalog::OperationType;
use crate::expr::{Part, Reference, Segment, Template};
use crate::model::{Model, Target};
use crate::reference::{self, Fallback};
use crate::types::Type;

static NULL: Json = Json::Null;

/// The value as it stands in an agenda. Recursion is bounded by the depth of the source.
pub(super) fn lower(model: &Model<'_>, value: &Value) -> Json {
    match &value.kind {
        ValueKind::Error | ValueKind::Null => Json::Null,
        ValueKind::Bool(b) => Json::Bool(*b),
        ValueKind::Number(n) => Json::Number(n.clone()),
        ValueKind::Text(template) => Json::String(text(model, template)),
        ValueKind::List(items) => Json::Array(items.iter().map(|v| lower(model, v)).collect()),
        ValueKind::Record(fields) => {
            let lowered = |f: &Field| (f.name.value.clone(), lower(model, &f.value));
            if fields.is_sorted_by(|a, b| a.name.value <= b.name.value) {
                return Json::Object(fields.iter().map(lowered).collect());
            }
            let mut fields: Vec<&Field> = fields.iter().collect();
            fields.sort_by(|a, b| a.name.value.cmp(&b.name.value));
            Json::Object(fields.into_iter().map(lowered).collect())
        }
    }
}

/// What the inputs of a sub-workflow are, absent ones included: each is what `with` gives it, and its default stands in for
/// what is absent or null.
pub(super) fn inputs(model: &Model<'_>, with: Option<&Value>, defaults: &[(String, Json)]) -> Json {
    let mut inputs: Map<String, Json> =
        defaults.iter().map(|(name, default)| (name.clone(), reference::escaped(default.clone()))).collect();
    let fields = match with.map(|with| &with.kind) {
        Some(ValueKind::Record(fields)) => fields,
        Some(ValueKind::Text(template)) => {
            let whole = template.as_reference().map(|reference| (reference, text(model, template)));
            for (name, default) in defaults {
                let given =
                    whole.as_ref().map(|(reference, token)| field(model, reference, token, name, default));
                inputs.extend(given.flatten().map(|given| (name.clone(), given)));
            }
            return Json::Object(inputs);
        }
        _ => return Json::Object(inputs),
    };
    for field in fields {
        let default = defaults.iter().find(|(name, _)| *name == field.name.value).map(|(_, default)| default);
        let given = match default.filter(|default| !default.is_null()) {
            Some(default) => or_default(model, &field.value, default),
            None => lower(model, &field.value),
        };
        inputs.insert(field.name.value.clone(), given);
    }
    Json::Object(inputs)
}

/// The input of an operation whose type has defaults: they stand in for what is absent or null.
pub(super) fn with_defaults(model: &Model<'_>, with: Option<&Value>, kind: &OperationType) -> Json {
    let mut given: BTreeMap<String, Json> = kind
        .defaults
        .iter()
        .map(|(name, default)| (name.clone(), reference::escaped(default.clone())))
        .collect();
    match with.map(|with| (&with.kind, model.types().resolve(&kind.input))) {
        None => {}
        Some((ValueKind::Record(fields), _)) => {
            for field in fields {
                let name = &field.name.value;
                let value = match kind.defaults.get(name).filter(|default| !default.is_null()) {
                    Some(default) => or_default(model, &field.value, default),
                    None => lower(model, &field.value),
                };
                given.insert(name.clone(), value);
            }
        }
        Some((ValueKind::Text(template), Type::Record(record)))
            if record.rest().is_none()
                && let Some(reference) = template.as_reference() =>
        {
            let token = text(model, template);
            for (name, _) in record.iter() {
                let default = kind.defaults.get(name).unwrap_or(&NULL);
                let value = field(model, reference, &token, name, default);
                given.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        Some(_) => return with.map_or(Json::Null, |with| lower(model, with)),
    }
    Json::Object(given.into_iter().collect())
}

/// What a reference to all inputs as one value gives for the input `name`: a reference into it, or what its own default has
/// there. None where the value has no such field, so that the input has its default.
fn field(model: &Model<'_>, reference: &Reference, token: &str, name: &str, default: &Json) -> Option<Json> {
    let types = model.types();
    let ty = types.resolve(model.references.get(reference.id as usize)?);
    let may_lack = match ty {
        Type::Record(record) => {
            types.accepts_null(record.get(name).or(record.rest())?) || record.get(name).is_none()
        }
        Type::Union(_) | Type::Map(_) | Type::Any => true,
        _ => return None,
    };
    let token = reference::whole(token)?;
    let mut path = token.path();
    path.push(name.to_owned());
    let lacking = Fallback::Lacking(default.clone());
    let own = token.fallback().map(|own| match own {
        Fallback::Value(value) => Fallback::Value(value.get(name).unwrap_or(default).clone()),
        Fallback::Lacking(value) => Fallback::Lacking(value.get(name).unwrap_or(default).clone()),
    });
    let own = own.map(|own| own.or_outer(Some(lacking.clone())));
    let default = own.or_else(|| may_lack.then_some(lacking));
    Some(Json::from(reference::Reference { name: token.name.to_owned(), path, default }.to_string()))
}

/// What is given for an input with a default, which stands in for null. A reference to an output that is not there at all
/// stays one: what reads it is skipped.
fn or_default(model: &Model<'_>, value: &Value, default: &Json) -> Json {
    let given = lower(model, value);
    if given.is_null() {
        return reference::escaped(default.clone());
    }
    let reference = if let ValueKind::Text(template) = &value.kind { template.as_reference() } else { None };
    let ty = reference.and_then(|reference| model.references.get(reference.id as usize));
    let may_be_null = ty.is_some_and(|ty| model.types().accepts_null(ty));
    let token = given.as_str().and_then(reference::whole);
    let Some(token) = token.filter(|_| may_be_null) else { return given };
    let instead = Fallback::Lacking(default.clone());
    let own = token.fallback().map_or(instead.clone(), |own| own.or_outer(Some(instead)));
    let (name, path) = (token.name.to_owned(), token.path());
    Json::from(reference::Reference { name, path, default: Some(own) }.to_string())
}

fn text(model: &Model<'_>, template: &Template) -> String {
    if let Some(text) = template.as_text() {
        return text.to_owned();
    }
    let mut out = String::new();
    for part in &template.parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Native(native) => out.push_str(&native.text),
            Part::Reference(reference) => {
                shield(&mut out);
                token(model, reference, &mut out);
            }
        }
    }
    out
}

/// Makes sure that what was written so far does not change the meaning of a token that follows: backslashes at the end
/// are doubled, and an `@<` that no `>` has closed is made plain.
fn shield(out: &mut String) {
    if let Some(open) = out.rfind("@<")
        && !out[open..].contains(['>', '\n'])
    {
        let slashes = backslashes(&out[..open]);
        if slashes.is_multiple_of(2) {
            out.insert_str(open, &"\\".repeat(slashes + 1));
        }
    }
    let slashes = backslashes(out);
    out.push_str(&"\\".repeat(slashes));
}

fn backslashes(text: &str) -> usize {
    text.bytes().rev().take_while(|b| *b == b'\\').count()
}

fn token(model: &Model<'_>, reference: &Reference, out: &mut String) {
    let target = model.targets.get(reference.id as usize).copied().unwrap_or(Target::Unknown);
    let mut path = reference.path.as_slice();
    let name: Cow<'_, str> = match target {
        Target::Operation(i) => {
            let operation = model.operations[i].ast;
            let name = &operation.name.value;
            match (&operation.each, path.split_first()) {
                (Some(_), Some((first, rest))) => {
                    path = rest;
                    match first.value {
                        Segment::Index(n) => format!("{name}.{n}.out").into(),
                        _ => format!("{name}.*.out").into(),
                    }
                }
                _ => format!("{name}.out").into(),
            }
        }
        // items are only named by native tokens, which stay as they are
        Target::Item(..) | Target::Items(_) | Target::Inputs | Target::Input(_) | Target::Unknown => {
            "pop.payload".into()
        }
        Target::Each => "pop.each".into(),
        Target::EachIndex => "pop.each_index".into(),
        Target::RunId => {
            path = &[];
            "pop.agendaId".into()
        }
        Target::RunCustomer => {
            path = &[];
            "pop.customerId".into()
        }
    };
    let path = path.iter().map(|step| match &step.value {
        Segment::Field(name) => Cow::Borrowed(name.as_str()),
        Segment::Index(index) => Cow::Owned(index.to_string()),
        Segment::All => Cow::Borrowed("*"),
    });
    let default = reference.default.as_ref().map(|default| Fallback::Value(&default.value));
    let default =
        default.or_else(|| may_be_absent(model, target, reference).then_some(Fallback::Lacking(&NULL)));
    let _ = reference::write(out, &name, path, default); // writing to a text can't fail
}

/// Whether a reference into an input, an item or an output leads to something that need not be there; what is absent is
/// null then, as an optional input is that nobody gave. Of the outputs of a whole fan-out, it is asked of each of them. Where
/// nothing is known of a place (`any`), nothing stands in for it, unless it is a further field of an open record or one of a map.
fn may_be_absent(model: &Model<'_>, target: Target, reference: &Reference) -> bool {
    let types = model.types();
    let Some(mut ty) = model.references.get(reference.id as usize).map(|ty| types.resolve(ty)) else {
        return false;
    };
    let outside = match target {
        Target::Each => 0,
        Target::Input(_) => 1,
        Target::Operation(i) => {
            if let (Some(Segment::All), Type::List(item)) = (reference.path.first().map(|s| &s.value), ty) {
                ty = types.resolve(item);
            }
            usize::from(model.operations[i].ast.each.is_some())
        }
        _ => return false,
    };
    reference.path.len() > outside
        && if *ty == Type::Any {
            model.perhaps.borrow().contains(&reference.id)
        } else {
            types.accepts_null(ty)
        }
}
