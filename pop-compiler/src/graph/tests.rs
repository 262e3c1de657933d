//! The graph by value.

use serde_json::{Value, json};

use super::*;
use crate::agenda::Operation;

pub(super) fn agenda(operations: &[(&str, Value, &str)]) -> Agenda {
    let operations = operations
        .iter()
        .map(|(name, payload, after)| Operation {
            name: (*name).into(),
            kind: "t".into(),
            payload: payload.clone(),
            params: json!({"dependsOn": after}).as_object().cloned().unwrap_or_default(),
            ..Operation::default()
        })
        .collect();
    Agenda { operations, ..Agenda::default() }
}

fn names(graph: &Graph, order: &[usize]) -> Vec<String> {
    order.iter().map(|&i| graph.name(i).to_owned()).collect()
}

#[test]
fn order_is_topological_with_ties_by_name() {
    let graph = Graph::new(&agenda(&[
        ("z", json!(null), ""),
        ("c", json!("@<z.out>"), ""),
        ("b", json!("@<z.out::/v?=1>"), "c"),
        ("a", json!(null), ""),
    ]));
    assert_eq!(names(&graph, &graph.order().unwrap()), ["a", "z", "c", "b"]);
    assert_eq!(graph.levels(), [0, 1, 2, 0]);
    assert_eq!(
        graph.edges().collect::<Vec<_>>(),
        [(0, 1, EdgeKind::Required), (0, 2, EdgeKind::Optional), (1, 2, EdgeKind::Order),]
    );
}

#[test]
fn a_cycle_is_found_through_data_and_order() {
    let graph = Graph::new(&agenda(&[
        ("free", json!(null), ""),
        ("a", json!("@<c.out>"), ""),
        ("b", json!("@<a.out>"), ""),
        ("c", json!(null), "b"),
        ("tail", json!("@<c.out>"), ""),
    ]));
    assert_eq!(names(&graph, &graph.order().unwrap_err()), ["a", "b", "c"]);
    assert_eq!(graph.cycles().len(), 1);
}

#[test]
fn many_cycles_take_linear_time() {
    let pairs = 100_000;
    let one = |name: String, other: String| Operation {
        name,
        payload: Value::from(format!("@<{other}.out>")),
        ..Operation::default()
    };
    let operations = (0..pairs)
        .flat_map(|i| [one(format!("a{i}"), format!("b{i}")), one(format!("b{i}"), format!("a{i}"))])
        .collect();
    let cycles = Graph::new(&Agenda { operations, ..Agenda::default() }).cycles();
    assert_eq!(cycles.len(), pairs);
    assert_eq!(cycles[1], [2, 3]);
}

#[test]
fn a_chain_of_a_million_does_not_overflow() {
    let n = 1_000_000;
    let mut operations = Vec::with_capacity(n);
    for i in 0..n {
        let payload = if i == 0 { Value::Null } else { Value::from(format!("@<{}.out>", i - 1)) };
        operations.push(Operation { name: i.to_string(), payload, ..Operation::default() });
    }
    let graph = Graph::new(&Agenda { operations: operations.into(), ..Agenda::default() });
    assert_eq!(graph.order().map(|o| o.len()), Ok(n));
    assert!(graph.cycles().is_empty());
}

#[test]
fn pictures() {
    let graph = Graph::new(&agenda(&[
        ("split", json!(null), ""),
        ("count", json!("@<split.out>"), ""),
        ("say \"hi\"", json!(null), "count"),
    ]));
    insta::assert_snapshot!(graph.to_text(), @r#"
    level 0
      split     t
    level 1
      count     t  ← split
    level 2
      say "hi"  t  after count
    "#);
    insta::assert_snapshot!(graph.to_dot(), @r#"
    digraph workflow {
      rankdir=LR;
      node [shape=box, fontname="sans-serif"];
      n0 [label="split\nt"];
      n1 [label="count\nt"];
      n2 [label="say \"hi\"\nt"];
      n0 -> n1;
      n1 -> n2 [style=dashed];
    }
    "#);
    insta::assert_snapshot!(graph.to_mermaid(), @r#"
    flowchart LR
      n0["split<br/><small>t</small>"]
      n1["count<br/><small>t</small>"]
      n2["say #34;hi#34;<br/><small>t</small>"]
      n0 --> n1
      n1 -.-> n2
    "#);
}

#[test]
fn wide_names_line_up_on_a_terminal() {
    let graph = Graph::new(&agenda(&[
        ("probe", json!(null), ""),
        ("日本語", json!("@<probe.out>"), ""),
        ("e\u{301}t\u{e9}", json!(null), ""),
    ]));
    assert_eq!(
        graph.to_text(),
        "level 0\n  probe   t\n  e\u{301}t\u{e9}     t\nlevel 1\n  日本語  t  ← probe\n"
    );
}
