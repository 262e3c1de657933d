//! The API's document: equal to the committed one, complete and consistent.

use std::path::Path;

use serde_json::Value;

use super::fixture::Api;
use crate::api::openapi::document;
use crate::api::routes::routes;

#[tokio::test]
async fn the_document_is_the_one_that_is_served_and_committed() {
    let api = Api::new().await;
    let (status, served) = api.get("/openapi.json").await;
    assert_eq!(status, 200);
    assert_eq!(served, document());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/snapshots");
    insta::with_settings!({ snapshot_path => path, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("openapi", format!("{served:#}"));
    });
}

#[test]
fn each_route_is_in_it_and_each_reference_leads_somewhere() {
    let document = document();
    for route in routes() {
        assert_eq!(document["paths"][route.path][route.method.as_str()]["operationId"], route.name);
    }
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(path)) = fields.get("$ref") {
                    let target = document.pointer(path.strip_prefix('#').unwrap());
                    assert!(target.is_some(), "{path} leads nowhere");
                }
                left.extend(fields.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
}
