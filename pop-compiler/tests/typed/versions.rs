//! What `diff` says of two versions holds: for what is stored, for what is submitted, and for what is read.

use pop_compiler::agenda::AgendaTemplate;
use pop_compiler::client::{Input, Language, generate};
use pop_compiler::diff::{Verdict, diff, verdict};
use pop_compiler::source::Source;
use pop_compiler::types::{Type, Types};
use pop_compiler::{Format, Options, compile};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::make::{Made, default, defined, text_of, workflow};

/// Makes another version.
fn edit(made: &mut Made, document: &mut Json) {
    let names = |of: &Json| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let inputs = names(&document["inputs"]);
    let outputs = names(&document["outputs"]);
    let types = names(&document["types"]);
    let turn = if inputs.is_empty() || outputs.is_empty() { 13 } else { made.dice.below(15) };
    match turn {
        0 => drop(document["inputs"].as_object_mut().unwrap().shift_remove(made.dice.pick(&inputs))),
        1 | 2 => {
            let name = made.names(1).remove(0);
            document["inputs"][name] = json!(made.ty(3));
        }
        3 | 4 => {
            let name = made.dice.pick(&inputs).clone();
            let old = text_of(&document["inputs"][&name]);
            document["inputs"][name] = json!(other(made, &old));
        }
        5 => {
            let name = made.dice.pick(&inputs).clone();
            default(made, document, &name);
        }
        6 => {
            let name = made.dice.pick(&inputs).clone();
            document["inputs"][&name] = json!(text_of(&document["inputs"][&name]));
        }
        7 => {
            let name = made.dice.pick(&inputs).clone();
            let text = text_of(&document["inputs"][&name]);
            let mut described = json!({ "type": text, "description": "What it is for." });
            if let Some(default) = document["inputs"][&name].get("default") {
                described["default"] = default.clone();
            }
            document["inputs"][&name] = described;
        }
        8 | 9 => {
            let name = made.dice.pick(&outputs).clone();
            let old = document["catalog"]["my.tool"]["output"][&name].as_str().unwrap().to_owned();
            document["catalog"]["my.tool"]["output"][&name] = json!(other(made, &old));
        }
        10 => drop(document["outputs"].as_object_mut().unwrap().shift_remove(made.dice.pick(&outputs))),
        11 if !types.is_empty() => {
            let name = made.dice.pick(&types).clone();
            let old = document["types"][&name].as_str().unwrap().to_owned();
            document["types"][name] = json!(other(made, &old));
        }
        12 if !types.is_empty() => {
            // a type has another name
            let old = made.dice.pick(&types).clone();
            let text = serde_json::to_string(document).unwrap();
            *document = serde_json::from_str(&text.replace(&old, "Renamed")).unwrap();
        }
        13 => document["operations"]["tool"]["timeout"] = json!("5m"),
        14 => document["operations"]["tool"]["with"]["all"] = json!(2),
        _ => document["workflow"]["version"] = json!("2.0.0"),
    }
}

/// A type that is near another one.
fn other(made: &mut Made, text: &str) -> String {
    let swaps = [
        ("int", "float"),
        ("float", "int"),
        ("string", "url"),
        ("url", "string"),
        ("any", "int"),
        ("int", "any"),
        ("list<", "map<"),
        ("bytes", "int"),
        ("int", "bytes"),
        ("path", "string"),
        ("string", "path"),
        ("...", ""),
        ("'h264'", "string"),
        ("secret<", "list<"),
        ("bool", "true | false"),
        ("datetime", "string"),
        (")?", ")"),
        ("Tree", "Rung"),
        ("next", "then"),
    ];
    match made.dice.below(6) {
        0 => format!("({text})?"),
        1 => format!("({text}) | int"),
        2 => made.ty(3),
        _ => {
            let found: Vec<_> = swaps.iter().filter(|(from, _)| text.contains(from)).collect();
            if found.is_empty() {
                return text.to_owned();
            }
            let (from, to) = made.dice.pick(&found);
            let at: Vec<_> = text.match_indices(from).collect();
            let at = made.dice.pick(&at).0;
            let made = format!("{}{to}{}", &text[..at], &text[at + from.len()..]);
            if Type::parse(&made).is_ok() { made } else { text.to_owned() }
        }
    }
}

fn template(document: &Json) -> Option<AgendaTemplate> {
    let compiled =
        compile(Source::new("x.pop.json", document.to_string()), Format::Json, &Options::default());
    compiled.template
}

fn clients(template: &AgendaTemplate) -> Vec<String> {
    let input = || Input { file: "x".into(), template: template.clone(), places: Vec::new() };
    let of = |language| match generate(language, &[input()]) {
        Ok(files) => files.into_iter().map(|file| file.text).collect::<Vec<_>>().concat(),
        Err(error) => error.to_string(),
    };
    [Language::Rust, Language::Typescript, Language::Python].into_iter().map(of).collect()
}

/// The lines of clients that a program is checked against.
fn typed(clients: &[String]) -> Vec<String> {
    let said = ["digest", "DIGEST", "template", "TEMPLATE"];
    let lines = clients.iter().flat_map(|text| text.lines());
    lines.filter(|line| !said.iter().any(|word| line.contains(word))).map(str::to_owned).collect()
}

/// The schema of what an output is, as a type.
fn given(template: &AgendaTemplate) -> Option<Type> {
    Some(Type::from_schema(template.params.get("pop.outputs")?))
}

/// Inputs that a template takes.
fn submitted(made: &mut Made, document: &Json, template: &AgendaTemplate) -> Vec<Json> {
    let types = defined(document);
    let mut all = Vec::new();
    for _ in 0..24 {
        let mut inputs = Map::new();
        for (name, input) in document["inputs"].as_object().unwrap() {
            let left_out = made.dice.one_in(3);
            if !left_out {
                inputs.insert(name.clone(), made.value(&Type::parse(&text_of(input)).unwrap(), &types, 5));
            }
        }
        let inputs = Json::Object(inputs);
        if template.expand(&inputs).is_ok() {
            all.push(inputs);
        }
    }
    all
}

/// What a client of an older version leaves aside: fields that it does not know.
fn known(value: &Json, ty: &Type) -> Json {
    match (ty, value) {
        (Type::Secret(inner), value) => known(value, inner),
        (Type::List(item), Json::Array(items)) => items.iter().map(|value| known(value, item)).collect(),
        (Type::Map(item), Json::Object(map)) => {
            Json::Object(map.iter().map(|(name, value)| (name.clone(), known(value, item))).collect())
        }
        (Type::Record(record), Json::Object(map)) => {
            let of = |name: &str| record.get(name).or(record.rest());
            let fields = map.iter().filter_map(|(name, value)| Some((name.clone(), known(value, of(name)?))));
            Json::Object(fields.collect())
        }
        (Type::Union(members), value) => {
            let reads = |member: &&Type| Types::default().accepts(member, &known(value, member));
            members.iter().find(reads).map_or_else(|| value.clone(), |member| known(value, member))
        }
        _ => value.clone(),
    }
}

proptest! {
    #![proptest_config(crate::config(600))]

    #[test]
    fn what_diff_says_holds(seed in any::<u64>()) {
        let mut made = Made::new(seed);
        let first = workflow(&mut made);
        let Some(old) = template(&first) else { let c = compile(Source::new("x.pop.json", first.to_string()), Format::Json, &Options::default()); eprintln!("NONE {}", c.diagnostics.iter().find(|d| d.severity == pop_compiler::diagnostic::Severity::Error).unwrap().message); return Ok(()) };
        let mut second = first.clone();
        for _ in 0..=made.dice.below(2) {
            edit(&mut made, &mut second);
        }
        let Some(new) = template(&second) else { return Ok(()) };
        let changes = diff(&old, &new);
        eprintln!("VERDICT {:?} {}", verdict(&changes), changes.is_empty());
        let told = changes.iter().map(|c| format!("{} {}: {}", c.verdict.as_str(), c.at, c.message)).collect::<Vec<_>>().join("\n");
        let (old_clients, new_clients) = (clients(&old), clients(&new));

        // nothing is different exactly where nothing is, for whom the digest is all as for everybody
        prop_assert_eq!(changes.is_empty(), old.digest() == new.digest(), "{}", told);
        if changes.is_empty() {
            prop_assert_eq!(&old_clients, &new_clients);
            prop_assert_eq!(pop_compiler::canonical::pretty(&old), pop_compiler::canonical::pretty(&new));
        }
        let verdict = verdict(&changes);
        // clients stay as they are but for what was added, and for what is said to people
        let added = changes.iter().any(|c| c.message.starts_with("added") || c.at.ends_with("/description") || c.at.ends_with("/default"));
        let same = typed(&old_clients) == typed(&new_clients);
        let version = changes.iter().any(|c| c.at.starts_with("workflow/"));
        if verdict == Verdict::Compatible && !added && !version {
            prop_assert!(same, "the clients differ:\n{}", told);
        }
        if verdict < Verdict::Breaking {
            for inputs in submitted(&mut made, &first, &old) {
                let taken = new.expand(&inputs);
                prop_assert!(taken.is_ok(), "{} is refused: {:?}\n{}\n{}\n{}", inputs, taken, told, first, second);
            }
            if let (Some(was), Some(is)) = (given(&old), given(&new)) {
                let types = Types::default();
                for _ in 0..24 {
                    let value = made.value(&is, &types, 5);
                    if types.accepts(&is, &value) {
                        prop_assert!(types.accepts(&was, &known(&value, &was)), "{} can't be read\n{}", value, told);
                    }
                }
            }
        }
    }
}
