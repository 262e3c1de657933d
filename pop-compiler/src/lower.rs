//! From the checked workflow to an `AgendaTemplate`. Only called when there is no error, so nothing is reported here.

mod inline;
mod value;

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use crate::agenda::{Agenda, AgendaTemplate, Operation, Params, RunSpec, keys};
use crate::ast::{Input, Run, Value, Workflow};
use crate::canonical;
use crate::check::Checked;
use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::rules;
use crate::types::{Type, Types};
use inline::{Each, Inlined, Place, depends_on};
use value::lower;

/// Name of the `params` entry with the parts of `[run]` that have no entry of their own.
const RUN: &str = "pop.run";

/// The template of a workflow, digest included.
///
/// # Errors
/// The one finding that no earlier pass can make: the operations of sub-workflows are too many.
pub(crate) fn template(model: &Model<'_>, checked: &Checked) -> Result<AgendaTemplate, Box<Diagnostic>> {
    let workflow = model.workflow;
    let types = &model.catalog.types;
    let title = match &workflow.version {
        Some(version) => format!("{} {}", workflow.name.value, version.value),
        None => workflow.name.value.clone(),
    };
    let mut params = Params::new();
    if !workflow.inputs.is_empty() {
        params.insert(keys::INPUTS.into(), inputs_schema(workflow, types));
    }
    if !workflow.outputs.is_empty() {
        let fields = workflow.outputs.iter().zip(&checked.outputs);
        let record = Type::record(fields.map(|(f, ty)| (f.name.value.as_str(), ty.clone())));
        params.insert(keys::OUTPUTS.into(), schema(&record, types));
    }
    let mut inlined = Inlined::new();
    let mut operations = operations(model, checked, &mut inlined)?;
    let params_of_agenda = agenda_params(model, &inlined);
    operations.extend(inlined.givers());
    let agenda = Agenda {
        title: Some(title.clone()),
        link_id: workflow.run.link.as_ref().map(|link| match lower(model, link) {
            Json::String(text) => text,
            other => other.to_string(),
        }),
        params: params_of_agenda,
        operations: operations.into(),
        ..Agenda::default()
    };
    if inlined.is_full() {
        return Err(Box::new(rules::bad_sub_workflow::too_much(workflow.operations_span)));
    }
    let mut template = AgendaTemplate { title: Some(title), params, agenda, ..AgendaTemplate::default() };
    let digest = canonical::digest(&template);
    set_digest(&mut template.agenda, digest);
    Ok(template)
}

/// Gives an agenda that was made from a template the digest of itself.
pub(crate) fn seal(agenda: &mut Agenda) {
    if let Some(Json::Object(header)) = agenda.params.get_mut(keys::WORKFLOW) {
        header.shift_remove("digest");
    }
    let digest = canonical::digest(agenda);
    set_digest(agenda, digest);
}

fn set_digest(agenda: &mut Agenda, digest: String) {
    if let Some(Json::Object(header)) = agenda.params.get_mut(keys::WORKFLOW) {
        header.insert("digest".into(), digest.into());
    }
}

fn agenda_params(model: &Model<'_>, inlined: &Inlined) -> Params {
    let workflow = model.workflow;
    let mut params = Params::new();
    let Run { insight, maximum_attempts, on_failure, other, .. } = &workflow.run;
    params.extend(insight.clone().map(|i| (keys::DEFAULT_INSIGHT.to_owned(), Json::String(i))));
    params.extend(maximum_attempts.clone().map(|n| (keys::MAXIMUM_ATTEMPTS.to_owned(), n)));
    params.extend(on_failure.clone().map(|f| (keys::ON_FAILURE.to_owned(), Json::String(f))));
    if !workflow.outputs.is_empty() {
        let mut outputs: Vec<_> =
            workflow.outputs.iter().map(|f| (f.name.value.clone(), lower(model, &f.value))).collect();
        outputs.sort_by(|a, b| a.0.cmp(&b.0));
        params.insert(keys::RESULT.into(), inlined.value(Json::Object(outputs.into_iter().collect())));
    }
    if !other.is_empty() {
        let other = other.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        params.insert(RUN.into(), Json::Object(other.collect()));
    }
    let mut types = Map::new();
    let used: HashSet<&str> = model.operations.iter().filter_map(|o| Some(o.kind?.name.as_ref())).collect();
    for kind in model.catalog.iter().filter(|k| !k.is_built_in() && used.contains(k.name.as_ref())) {
        let spec = kind.run_spec(model.types());
        if spec != RunSpec::default() {
            types.extend(serde_json::to_value(&spec).ok().map(|spec| (kind.name.to_string(), spec)));
        }
    }
    for template in model.operations.iter().filter_map(|o| o.sub?.template.as_ref()) {
        if let Some(Json::Object(inner)) = template.agenda.params.get(keys::TYPES) {
            types.extend(inner.clone());
        }
    }
    types.sort_keys();
    if !types.is_empty() {
        params.insert(keys::TYPES.into(), Json::Object(types));
    }
    let mut header = Map::new();
    header.insert("name".into(), workflow.name.value.clone().into());
    header.extend(workflow.version.as_ref().map(|v| ("version".to_owned(), v.value.clone().into())));
    header.extend(workflow.description.as_ref().map(|d| ("description".to_owned(), d.clone().into())));
    params.insert(keys::WORKFLOW.into(), Json::Object(header));
    params
}

fn operations(
    model: &Model<'_>,
    checked: &Checked,
    inlined: &mut Inlined,
) -> Result<Vec<Operation>, Box<Diagnostic>> {
    let mut made = Vec::with_capacity(checked.order.len());
    let mut last = model.workflow.operations_span;
    for i in &checked.order {
        if inlined.is_full() {
            break;
        }
        let ast = model.operations[*i].ast;
        last = ast.workflow.as_ref().map_or(last, |path| path.span);
        match model.operations[*i].sub {
            None => {
                let operation = operation(model, *i, inlined);
                made.extend(inlined.givers());
                made.push(operation);
            }
            Some(unit) => {
                let place = Place {
                    name: &ast.name.value,
                    with: value::inputs(model, ast.with.as_ref(), &unit.inputs),
                    when: ast.when.as_ref().map(|when| lower(model, when)),
                    after: ast.after.iter().map(|name| name.value.as_str()).collect(),
                };
                let Some(template) = &unit.template else { continue };
                let Some(list) = &ast.each else {
                    let at = made.len();
                    inlined.put(&place, template, &mut made);
                    made.splice(at..at, inlined.givers());
                    continue;
                };
                let outputs = match model.operations[*i].kind.map(|kind| &kind.output) {
                    Some(Type::Record(record)) => Some(record),
                    _ => None,
                };
                let types = &model.catalog.types;
                let optional =
                    |name: &str| match outputs.and_then(|o| o.get(name)).map(|ty| types.resolve(ty)) {
                        Some(Type::Union(members)) => members.contains(&Type::Null),
                        Some(ty) => *ty == Type::Null,
                        None => false,
                    };
                let each = Each { list: lower(model, list), optional: &optional };
                let fan_out = inlined.put_each(&place, each, template);
                made.extend(inlined.givers());
                made.push(fan_out);
            }
        }
    }
    if inlined.is_full() { Err(Box::new(rules::bad_sub_workflow::too_much(last))) } else { Ok(made) }
}

/// What each input is when nothing is given: its default, or null.
pub(crate) fn defaults(workflow: &Workflow) -> Vec<(String, Json)> {
    let default = |input: &Input| input.default.as_ref().and_then(Value::to_sorted_json).unwrap_or_default();
    workflow.inputs.iter().map(|i| (i.name.value.clone(), default(i))).collect()
}

fn operation(model: &Model<'_>, i: usize, inlined: &Inlined) -> Operation {
    let operation = &model.operations[i];
    let ast = operation.ast;
    let after: Vec<&str> = ast.after.iter().map(|n| n.value.as_str()).collect();
    let (settings, kind) = (&ast.settings, operation.kind);
    let either = |own: Option<&Json>, default: Option<&Json>| own.or(default).cloned();
    let value = |value: &Value| inlined.value(lower(model, value));
    let given = [
        (keys::DESCRIPTION, ast.description.as_deref().map(Json::from)),
        (keys::EACH, ast.each.as_deref().map(value)),
        (keys::RESOURCES, either(settings.resources.as_deref(), kind.and_then(|k| k.resources.as_ref()))),
        (keys::RETRY, either(settings.retry.as_deref(), kind.and_then(|k| k.retry.as_ref()))),
        (keys::TIMEOUT, either(settings.timeout.as_deref(), kind.and_then(|k| k.timeout.as_ref()))),
        (keys::WHEN, ast.when.as_deref().map(value)),
    ];
    let order = depends_on(inlined.names(&after));
    let count = given.iter().filter(|(_, value)| value.is_some()).count() + usize::from(order.is_some());
    let mut params = Params::with_capacity(count);
    params.extend(order);
    params.extend(given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Operation {
        name: ast.name.value.clone(),
        kind: ast.uses.as_ref().map(|u| u.value.clone()).unwrap_or_default(),
        payload: match kind.filter(|kind| !kind.defaults.is_empty()) {
            Some(kind) => inlined.value(value::with_defaults(model, ast.with.as_ref(), kind)),
            None => ast.with.as_ref().map_or(Json::Null, value),
        },
        params,
        ..Operation::default()
    }
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

fn schema(ty: &Type, types: &Types) -> Json {
    let mut schema = Map::from_iter([("$schema".to_owned(), Json::from(DIALECT))]);
    if let Json::Object(map) = ty.to_schema(types) {
        schema.extend(map);
    }
    Json::Object(schema)
}

fn inputs_schema(workflow: &Workflow, types: &Types) -> Json {
    let record = Type::record(workflow.inputs.iter().map(|i| (i.name.value.as_str(), i.ty.value.ty.clone())));
    let mut schema = schema(&record, types);
    for input in &workflow.inputs {
        let name = &input.name.value;
        if input.default.is_some()
            && let Some(Json::Array(required)) = schema.get_mut("required")
        {
            required.retain(|n| n.as_str() != Some(name));
        }
        let Some(property) = schema.get_mut("properties").and_then(|p| p.get_mut(name)) else { continue };
        let default = input.default.as_ref().and_then(Value::to_sorted_json);
        if (default.is_some() || input.description.is_some()) && property.get("$ref").is_some() {
            *property = serde_json::json!({ "anyOf": [property.take()] }); // a default beside `$ref` is easily missed
        }
        if let Json::Object(property) = property {
            property.extend(input.description.clone().map(|d| ("description".to_owned(), d.into())));
            property.extend(default.map(|d| ("default".to_owned(), d)));
        }
    }
    if let Json::Object(map) = &mut schema
        && map.get("required").and_then(Json::as_array).is_some_and(Vec::is_empty)
    {
        map.shift_remove("required");
    }
    schema
}
