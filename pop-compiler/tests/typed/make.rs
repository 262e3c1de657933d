//! Types and values by chance: of every kind, nested, with names that languages keep for themselves.

use std::fmt::Write as _;

use pop_compiler::types::{Type, Types};
use serde_json::{Map, Value as Json, json};

use super::dice::Dice;

/// Names of fields; some are keywords somewhere, or no identifiers anywhere.
pub(crate) const NAMES: &[&str] = &[
    "a",
    "b",
    "height",
    "bitRate",
    "frame-rate",
    "type",
    "class",
    "self",
    "in",
    "from",
    "max",
    "str",
    "int",
    "dict",
    "list",
    "tuple",
    "2nd",
    "größe",
    "标题",
    "a b",
    "it's",
    "value",
    "at",
    "fields",
    "more",
    "None",
    "Option",
    "default",
    "match",
    "await",
    "constructor",
    "toString",
    "x.y",
    "~/",
    "🎉",
    "_",
    "id",
    "name",
    "json",
    "field",
    "async",
    "Self",
    "property",
    "static",
    "<=",
    "HTTP url",
    "__proto__",
    "hasOwnProperty",
    "yield",
    "object",
    "float",
    "bool",
    "http",
    "typing",
    "bytes",
];

const SCALARS: &[&str] =
    &["bool", "int", "float", "string", "url", "path", "duration", "bytes", "datetime", "any"];

const LITERALS: &[&str] = &[
    "'h264'",
    "'h265'",
    "'a b'",
    "'größe'",
    "''",
    "'self'",
    "'Self'",
    "'23.976'",
    "'it\\'s'",
    "1",
    "0",
    "-1",
    "2.5",
    "true",
    "false",
    "'1m'",
    "'null'",
    "'<='",
];

/// What a document says in `types`, and the names in it.
pub(crate) struct Made {
    pub(crate) dice: Dice,
    /// Names and the texts of their types, each of which may mention all.
    pub(crate) named: Vec<(String, String)>,
    /// Whether there may be secrets.
    secrets: bool,
}

impl Made {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, true)
    }

    /// Without secrets.
    pub(crate) fn plain(seed: u64) -> Self {
        Self::with(seed, false)
    }

    fn with(seed: u64, secrets: bool) -> Self {
        let mut dice = Dice::new(seed);
        let mut names: Vec<&str> =
            vec!["Rung", "Tree", "Client", "Text", "Video_2", "Größe", "List", "Inputs", "Record", "Map"];
        dice.shuffle(&mut names);
        names.truncate(dice.below(5));
        let mut made =
            Self { dice, named: names.iter().map(|n| ((*n).to_owned(), String::new())).collect(), secrets };
        for index in 0..made.named.len() {
            let text = if made.dice.one_in(3) { made.ty(2) } else { made.record(2, true) };
            made.named[index].1 = text;
        }
        made
    }

    /// The types as a document has them.
    pub(crate) fn table(&self) -> Json {
        Json::Object(self.named.iter().map(|(name, text)| (name.clone(), json!(text))).collect())
    }

    /// A type's text.
    pub(crate) fn ty(&mut self, depth: usize) -> String {
        if depth == 0 || self.dice.one_in(3) {
            return self.leaf();
        }
        match self.dice.below(7) {
            0 => format!("list<{}>", self.ty(depth - 1)),
            1 => format!("map<{}>", self.ty(depth - 1)),
            2 if self.secrets => format!("secret<{}>", self.ty(depth - 1)),
            3 => format!("({})?", self.ty(depth - 1)),
            4 | 5 => {
                let members: Vec<String> = (0..2 + self.dice.below(3)).map(|_| self.ty(depth - 1)).collect();
                format!("({})", members.join(" | "))
            }
            _ => self.record(depth, false),
        }
    }

    fn leaf(&mut self) -> String {
        match self.dice.below(8) {
            0 => (0..=self.dice.below(4)).map(|_| *self.dice.pick(LITERALS)).collect::<Vec<_>>().join(" | "),
            1 | 2 if !self.named.is_empty() => self.dice.pick(&self.named).0.clone(),
            _ => (*self.dice.pick(SCALARS)).to_owned(),
        }
    }

    fn record(&mut self, depth: usize, recursive: bool) -> String {
        let mut text = String::from("{ ");
        for name in self.names(4) {
            let ty = self.ty(depth - 1);
            write!(text, "\"{}\": {ty}, ", name.replace('\\', "\\\\").replace('"', "\\\"")).unwrap();
        }
        if recursive && self.dice.one_in(2) && !self.named.is_empty() {
            let name = self.dice.pick(&self.named).0.clone();
            text += &format!("\"below\": list<{name}>, \"next\": ({name})?, ");
        }
        if self.dice.one_in(4) {
            text += "...";
            if self.dice.one_in(2) {
                let rest = self.ty(0);
                text += &format!(": {rest}");
            }
        }
        text + "}"
    }

    /// Some names, each once.
    pub(crate) fn names(&mut self, most: usize) -> Vec<String> {
        let mut names: Vec<String> =
            (0..=self.dice.below(most)).map(|_| (*self.dice.pick(NAMES)).to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// A value that is of the type, or nearly.
    pub(crate) fn value(&mut self, ty: &Type, types: &Types, depth: usize) -> Json {
        if self.dice.one_in(12) {
            return self.dice.pick(&odd()).clone();
        }
        if depth == 0 {
            return Json::Null;
        }
        match types.resolve(ty).clone() {
            Type::Any | Type::Error => self.dice.pick(&odd()).clone(),
            Type::Null | Type::Named(_) => Json::Null,
            Type::Bool => json!(self.dice.one_in(2)),
            Type::Int => self.one_of(&[
                "0",
                "1",
                "-7",
                "1.0",
                "9007199254740993",
                "-9223372036854775808",
                "9223372036854775808",
                "1e3",
                "-0",
            ]),
            Type::Float => {
                self.one_of(&["0", "1", "0.5", "-1.5e3", "1.0", "1e400", "9007199254740993", "-0.0"])
            }
            Type::String => self.one_of(&["\"\"", "\"x\"", "\"grün\\n\"", "\"1\""]),
            Type::Path => self.one_of(&["\"\"", "\"a/b\"", "\"/x y\""]),
            Type::Url => self.one_of(&[
                "\"https://a.b/c\"",
                "\"s3://b/k\"",
                "\"\"",
                "\"nope\"",
                "\"c:/x\"",
                "\"https://a b\"",
                "\"file:/x\"",
            ]),
            Type::Duration => self.one_of(&[
                "\"1m\"",
                "\"1h30m\"",
                "\"\"",
                "\"soon\"",
                "\"90\"",
                "90",
                "\"1.5s\"",
                "\"-1s\"",
                "\"0s\"",
            ]),
            Type::Bytes => self.one_of(&[
                "1",
                "0",
                "-1",
                "\"8Gi\"",
                "\"8GB\"",
                "\"\"",
                "\"512\"",
                "1.5",
                "1.0",
                "\"1.5Gi\"",
            ]),
            Type::Datetime => self.one_of(&[
                "\"2026-01-02T03:04:05Z\"",
                "\"2026-01-02\"",
                "\"2026-02-30T00:00:00Z\"",
                "\"2026-01-02 03:04\"",
                "\"2026-01-02T03:04:05.25+05:30\"",
                "\"2026-01-02T23:59:60Z\"",
                "\"2026-01-02T12:30:60Z\"",
                "\"soon\"",
                "\"\"",
            ]),
            Type::Literal(value) => {
                if self.dice.one_in(4) {
                    near(&value)
                } else {
                    value.as_ref().clone()
                }
            }
            Type::Union(members) => {
                let member = self.dice.pick(&members).clone();
                self.value(&member, types, depth)
            }
            Type::Secret(inner) => self.value(&inner, types, depth),
            Type::List(item) => {
                (0..self.dice.below(3)).map(|_| self.value(&item, types, depth - 1)).collect()
            }
            Type::Map(item) => {
                let names = self.names(2);
                let pairs = names.into_iter().map(|name| (name, self.value(&item, types, depth - 1)));
                Json::Object(pairs.collect())
            }
            Type::Record(record) => {
                let mut map = Map::new();
                for (name, ty) in record.iter() {
                    if !(self.dice.one_in(12) || types.accepts_null(ty) && self.dice.one_in(2)) {
                        map.insert(name.to_owned(), self.value(ty, types, depth - 1));
                    }
                }
                if self.dice.one_in(if record.rest().is_some() { 2 } else { 12 }) {
                    let ty = record.rest().cloned().unwrap_or(Type::Int);
                    let name = self.names(1).remove(0);
                    map.entry(name).or_insert_with(|| self.value(&ty, types, depth - 1));
                }
                Json::Object(map)
            }
        }
    }

    /// What a person may say about something.
    pub(crate) fn text(&mut self) -> String {
        let lines = [
            "Plain words.",
            "\"\"\" */ \\ */",
            "```",
            "    let it = be;",
            "größe 🎉 \u{202e}",
            "# title",
            "ends with \"",
            "\\",
            "",
        ];
        (0..=self.dice.below(3)).map(|_| *self.dice.pick::<&str>(&lines)).collect::<Vec<_>>().join("\n")
    }

    fn one_of(&mut self, texts: &[&str]) -> Json {
        let text = *self.dice.pick::<&str>(texts);
        serde_json::from_str(text).unwrap()
    }
}

/// Values that are of some type or of none.
fn odd() -> Vec<Json> {
    vec![
        json!(null),
        json!(true),
        json!(1),
        json!(-1),
        serde_json::from_str("1.0").unwrap(),
        json!(0.5),
        json!(""),
        json!("1m"),
        json!("https://a.b"),
        json!([]),
        json!({}),
        json!([1]),
        json!({ "a": 1 }),
    ]
}

/// Nearly this constant.
fn near(value: &Json) -> Json {
    match value {
        Json::String(text) => json!(format!("{text} ")),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => serde_json::from_str(&format!("{whole}.0")).unwrap(),
            None => json!(1),
        },
        Json::Bool(value) => json!(value.to_string()),
        other => other.clone(),
    }
}

/// A workflow with random types; its values are what fits.
pub(crate) fn workflow(made: &mut Made) -> Json {
    let mut inputs = Map::new();
    let mut gives = Map::new();
    for name in made.names(4) {
        inputs.insert(name, json!(made.ty(3)));
    }
    for name in made.names(3) {
        gives.insert(name, json!(made.ty(3)));
    }
    let outputs = gives.keys().map(|name| (name.clone(), reference("tool", name))).collect::<Map<_, _>>();
    let mut document = json!({
        "workflow": { "name": "flow" },
        "types": made.table(),
        "inputs": inputs,
        "catalog": { "my.tool": { "input": { "all": "any" }, "output": gives, "command": ["tool"] } },
        "operations": { "tool": { "uses": "my.tool", "with": { "all": 1 } } },
        "outputs": outputs,
    });
    for name in document["inputs"].as_object().unwrap().keys().cloned().collect::<Vec<_>>() {
        if made.dice.one_in(3) {
            default(made, &mut document, &name);
        }
    }
    document
}

fn reference(operation: &str, name: &str) -> Json {
    json!(format!("${{{operation}['{}']}}", name.replace('\\', "\\\\").replace('\'', "\\'")))
}

pub(crate) fn text_of(input: &Json) -> String {
    input["type"].as_str().or(input.as_str()).unwrap().to_owned()
}

/// Gives an input a default, or another one.
pub(crate) fn default(made: &mut Made, document: &mut Json, name: &str) {
    let text = text_of(&document["inputs"][name]);
    let types = defined(document);
    let ty = Type::parse(&text).unwrap();
    for _ in 0..8 {
        let value = made.value(&ty, &types, 4);
        if types.accepts(&ty, &value) && !value.is_null() && !value.to_string().contains("${") {
            document["inputs"][name] = json!({ "type": text, "default": value });
            if made.dice.one_in(2) {
                document["inputs"][name]["description"] = json!(made.text());
            }
            return;
        }
    }
}

pub(crate) fn defined(document: &Json) -> Types {
    let mut types = Types::default();
    for (name, text) in document["types"].as_object().unwrap() {
        types.define(name.as_str(), Type::parse(text.as_str().unwrap()).unwrap());
    }
    types
}
