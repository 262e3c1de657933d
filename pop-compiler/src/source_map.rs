//! Source maps as documents: the place of each operation's name and of each reference.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use crate::compile::Compiled;
use crate::source::{Sources, Span};

/// Version of the format.
const VERSION: u32 = 1;

/// The source map as a document: `{version, file, operations: {NAME: {file, line, column, references}}, references}`.
/// The order is that of the text. A fan-out has one entry, whatever the names of its items in the agenda.
pub fn document(compiled: &Compiled) -> Json {
    let sources = &compiled.sources;
    let mut named: Vec<(&str, Span)> = compiled.source_map.iter().collect();
    named.sort_by_key(|(name, span)| (*span, *name));
    let mut mentions = compiled.mentions.clone();
    mentions.sort_by_key(|mention| mention.span);
    let mut of_operation: HashMap<Span, Vec<Json>> = HashMap::new();
    let mut others = Vec::new();
    for mention in &mentions {
        let Some(mut object) = place(mention.span, sources) else { continue };
        object.insert("text".into(), sources.text(mention.span).into());
        match mention.operation {
            Some(span) => of_operation.entry(span).or_default().push(Json::Object(object)),
            None => others.push(Json::Object(object)),
        }
    }
    let operations: Map<String, Json> = named
        .into_iter()
        .filter_map(|(name, span)| {
            let mut object = place(span, sources)?;
            object.insert("references".into(), of_operation.remove(&span).unwrap_or_default().into());
            Some((name.to_owned(), Json::Object(object)))
        })
        .collect();
    let file = sources.iter().next().map(|(_, source)| source.name.as_ref());
    json!({ "version": VERSION, "file": file, "operations": operations, "references": others })
}

fn place(span: Span, sources: &Sources) -> Option<Map<String, Json>> {
    let source = sources.get(span.file)?;
    let at = source.position(span.start);
    let mut object = Map::new();
    object.insert("file".into(), source.name.as_ref().into());
    object.insert("line".into(), at.line.into());
    object.insert("column".into(), at.column.into());
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::{Format, Options, compile};

    #[test]
    fn operations_and_references_have_their_places() {
        let text = "[workflow]\nname = \"x\"\n[outputs]\no = \"é${b}\"\n[operations.b]\nuses = \"pop.sleep\"\n\
                    with = { output = [\"${a.x}\", \"@<a.out::/y?>\"] }\n[operations.a]\nuses = \"pop.sleep\"\n";
        let compiled = compile(Source::new("f/x.pop.toml", text), Format::Toml, &Options::default());
        assert_eq!(
            document(&compiled),
            json!({
                "version": 1,
                "file": "f/x.pop.toml",
                "operations": {
                    "b": { "file": "f/x.pop.toml", "line": 5, "column": 13, "references": [
                        { "file": "f/x.pop.toml", "line": 7, "column": 21, "text": "${a.x}" },
                        { "file": "f/x.pop.toml", "line": 7, "column": 31, "text": "@<a.out::/y?>" },
                    ] },
                    "a": { "file": "f/x.pop.toml", "line": 8, "column": 13, "references": [] },
                },
                "references": [{ "file": "f/x.pop.toml", "line": 4, "column": 7, "text": "${b}" }],
            })
        );
    }
}
