//! The API as an `OpenAPI` 3.1 document, generated from the table of routes and the API's types.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use pop_sdk::api::Problem;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::routes::{Content, Route, routes};
use crate::http::problem::Kind;

/// `GET /openapi.json`
pub(super) async fn serve() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str())
}

pub(super) fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in routes() {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str()] = operation(&route, &mut generator);
    }
    let problem = generator.subschema_for::<Problem>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "POP",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Runs whole workflows for many customers, fairly. Errors are problem documents (RFC 9457). \
                            Times are RFC 3339 in UTC. Lists are paged by an opaque cursor.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "responses": { "problem": {
                "description": "A problem",
                "content": { "application/problem+json": { "schema": problem } },
            }},
            "schemas": generator.take_definitions(true),
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "tags": [route.name.split('.').next()],
        "x-pop-permission": route.permission.as_str(),
    });
    let mut parameters = Vec::new();
    if route.path.contains("{id}") {
        parameters
            .push(json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    if let Some(query) = route.query {
        parameters.extend(query_parameters(&query(generator), generator));
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(takes) = route.takes {
        let schema = takes(generator);
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    let mut responses = Map::new();
    for (status, content) in &route.gives {
        responses.insert(status.as_str().to_owned(), response(*status, *content, generator));
    }
    for status in failures(route) {
        let problem = json!({ "$ref": "#/components/responses/problem" });
        responses.entry(status.as_str()).or_insert(problem);
    }
    operation["responses"] = responses.into();
    operation
}

/// The query parameters of a route, from the fields of its query type.
fn query_parameters(schema: &Schema, generator: &SchemaGenerator) -> Vec<Value> {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let schema = name.and_then(|name| generator.definitions().get(name)).unwrap_or_else(|| schema.as_value());
    let properties = schema.get("properties").and_then(Value::as_object);
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        json!({ "name": name, "in": "query", "schema": schema, "description": description })
    };
    properties.into_iter().flatten().map(parameter).collect()
}

fn response(status: StatusCode, content: Content, generator: &mut SchemaGenerator) -> Value {
    let description = status.canonical_reason().unwrap_or_default();
    let (kind, schema) = match content {
        Content::Nothing => return json!({ "description": description }),
        Content::Text => ("text/plain", json!({ "type": "string" })),
        Content::Object => ("application/json", json!({ "type": "object" })),
        Content::Json(schema) => ("application/json", schema(generator).to_value()),
        Content::Events(schema) => ("text/event-stream", schema(generator).to_value()),
    };
    json!({ "description": description, "content": { kind: { "schema": schema } } })
}

/// The HTTP statuses of a route's errors.
fn failures(route: &Route) -> BTreeSet<StatusCode> {
    let mut kinds = route.fails.to_vec();
    kinds.push(Kind::Misdirected);
    if route.path.starts_with("/v1/") {
        kinds.extend([Kind::Unauthorized, Kind::Forbidden, Kind::Internal, Kind::Unavailable]);
    }
    if route.query.is_some() || route.path.contains("{id}") {
        kinds.push(Kind::InvalidQuery);
    }
    if route.takes.is_some() {
        kinds.extend([
            Kind::MalformedBody,
            Kind::InvalidBody,
            Kind::BodyTooLarge,
            Kind::UnsupportedMediaType,
            Kind::Timeout,
        ]);
    }
    kinds.into_iter().map(Kind::status).collect()
}
