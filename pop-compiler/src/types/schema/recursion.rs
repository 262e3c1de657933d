//! Recursive references of a JSON Schema. Their targets get names, so that a type can be as recursive as its schema.

use std::collections::{HashMap, HashSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::Value as Json;

use super::read::{TooLarge, pointed};

/// The references whose target leads back to itself. `spend` reduces the remaining budget.
pub(super) fn recursive<'s>(
    root: &'s Json,
    spend: &mut dyn FnMut(usize) -> Result<(), TooLarge>,
) -> Result<HashSet<&'s str>, TooLarge> {
    let mut graph: DiGraph<&str, ()> = DiGraph::new();
    let mut nodes: HashMap<&str, NodeIndex> = HashMap::new();
    let mut open: Vec<&str> = within(root, spend)?;
    while let Some(reference) = open.pop() {
        if nodes.contains_key(reference) {
            continue;
        }
        nodes.insert(reference, graph.add_node(reference));
        if let Some(target) = pointed(root, reference) {
            open.extend(within(target, spend)?);
        }
    }
    // the graph is small beside the schema: each place is looked at a second time rather than kept
    for (reference, from) in &nodes {
        let target = pointed(root, reference);
        for to in target.map(|target| within(target, spend)).transpose()?.unwrap_or_default() {
            if let Some(to) = nodes.get(to) {
                graph.update_edge(*from, *to, ());
            }
        }
    }
    let itself = |node: &NodeIndex| graph.contains_edge(*node, *node);
    let circles = kosaraju_scc(&graph).into_iter().filter(|all| all.len() > 1 || all.iter().any(itself));
    Ok(circles.flatten().map(|node| graph[node]).collect())
}

/// The references in a part of a schema, including its definitions.
fn within<'s>(
    schema: &'s Json,
    spend: &mut dyn FnMut(usize) -> Result<(), TooLarge>,
) -> Result<Vec<&'s str>, TooLarge> {
    let mut found = Vec::new();
    let mut open = vec![schema];
    while let Some(part) = open.pop() {
        spend(1)?;
        match part {
            Json::Object(map) => {
                found.extend(map.get("$ref").and_then(Json::as_str));
                open.extend(map.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    Ok(found)
}
