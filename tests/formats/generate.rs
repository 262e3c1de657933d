//! Random workflows without a finding of severity error: inputs, fan-outs, conditions, texts, orders and settings in
//! any combination. The same workflows also come with faults.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A workflow in the JSON form.
pub fn workflow(seed: u64) -> Value {
    let mut maker = Maker { dice: Dice::new(seed), known: Vec::new() };
    let mut document = maker.head(seed);
    let operations = maker.operations();
    let outputs = maker.outputs();
    document.insert("operations".into(), Value::Object(operations));
    document.insert("outputs".into(), Value::Object(outputs));
    Value::Object(document)
}

/// A workflow with up to three faults.
pub fn faulty(seed: u64) -> Value {
    let mut document = workflow(seed);
    let mut dice = Dice::new(!seed);
    for _ in 0..=dice.below(3) {
        spoil(&mut document, &mut dice);
    }
    document
}

struct Maker {
    dice: Dice,
    /// The possible references: the expression and its type.
    known: Vec<(String, &'static str)>,
}

impl Maker {
    fn head(&mut self, seed: u64) -> Map<String, Value> {
        let mut inputs = Map::new();
        for (name, ty, definition) in [
            ("source", "url", json!("url")),
            ("count", "int", json!({ "type": "int", "default": 3 })),
            ("scale", "float", json!({ "type": "float", "default": -0.5, "description": "How much." })),
            ("deep", "bool", json!({ "type": "bool", "default": true })),
            ("label", "string", json!({ "type": "string", "default": "none {at} $all" })),
            ("note", "string?", json!("string?")),
            ("names", "list<string>", json!({ "type": "list<string>", "default": ["a", "b"] })),
            (
                "rungs",
                "list<Rung>",
                json!({ "type": "list<Rung>", "default": [{ "height": 1, "codec": "c" }] }),
            ),
            ("labels", "map<string>", json!({ "type": "map<string>", "default": {} })),
        ] {
            if !self.dice.one_in(3) {
                inputs.insert(name.into(), definition);
                self.known.push((format!("inputs.{name}"), ty));
            }
        }
        let mut header = json!({ "name": format!("generated-{seed}") });
        if self.dice.one_in(2) {
            header["version"] = json!("1.2.3");
            header["description"] = json!("Made by chance.");
        }
        let document = json!({
            "workflow": header,
            "inputs": inputs,
            "types": { "Rung": { "height": "int", "codec": "string", "bitrate": "int?" } },
            "catalog": {
                "gen.look": {
                    "input": { "url": "url", "depth": "int?", "labels": "map<string>?" },
                    "output": { "length": "float", "title": "string", "good": "bool", "parts": "list<string>", "best": "Rung" },
                    "command": ["look", "${with.url}"], "stdout": "json", "timeout": "5m",
                },
                "gen.make": {
                    "input": { "rung": "Rung", "title": "string", "scale": "float", "deep": "bool?" },
                    "output": { "file": "path", "size": "int" },
                    "image": "registry.example.com/make:7", "resources": { "cpu": "2", "memory": "4Gi" },
                },
                "gen.join": {
                    "input": { "files": "list<path>", "total": "int?", "titles": "list<string>?" },
                    "output": { "manifest": "url" },
                    "command": ["join"], "env": { "LEVEL": "3" }, "retry": { "attempts": 2 },
                },
            },
        });
        match document {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// A reference to something of this type, or a literal.
    fn value(&mut self, ty: &'static str) -> Value {
        let fits: Vec<String> =
            self.known.iter().filter(|(_, t)| *t == ty).map(|(text, _)| format!("${{{text}}}")).collect();
        if !fits.is_empty() && !self.dice.one_in(4) {
            return Value::from(self.dice.pick(&fits).as_str());
        }
        match ty {
            "url" => json!("https://example.com/a"),
            "int" => json!(self.dice.below(100)),
            "float" => json!(self.dice.below(100) as f64 / 4.0 - 3.0),
            "bool" => json!(self.dice.one_in(2)),
            "path" => json!("some/file"),
            "Rung" => {
                let mut rung = json!({ "height": self.value("int"), "codec": self.value("string") });
                if self.dice.one_in(2) {
                    rung["bitrate"] = self.value("int");
                }
                rung
            }
            "list<path>" => (0..self.dice.below(4)).map(|_| self.value("path")).collect(),
            "list<string>" => (0..=self.dice.below(3)).map(|_| self.value("string")).collect(),
            "list<Rung>" => (0..=self.dice.below(3)).map(|_| self.value("Rung")).collect(),
            "map<string>" => json!({ "a": self.value("string"), "b": "x" }),
            _ => self.text(),
        }
    }

    /// A text, with or without references.
    fn text(&mut self) -> Value {
        let plain = ["", "of ", "\"quoted\" ", "a\\b ", "{braces} ", "grün\n", "$5 $${kept} ", "@ < > "];
        let mut text = String::new();
        for _ in 0..self.dice.below(3) {
            text += *self.dice.pick(&plain);
            let scalars: Vec<String> = self
                .known
                .iter()
                .filter(|(_, ty)| matches!(*ty, "int" | "string" | "url" | "path" | "float" | "bool"))
                .map(|(text, _)| format!("${{{text}}}."))
                .collect();
            if !scalars.is_empty() {
                text += self.dice.pick(&scalars).as_str();
            }
        }
        text += *self.dice.pick(&plain);
        Value::from(text)
    }

    fn operations(&mut self) -> Map<String, Value> {
        let mut operations = Map::new();
        let mut order: Vec<String> = Vec::new();
        for i in 0..=self.dice.below(9) {
            let kind = *self.dice.pick(&["look", "make", "join", "log", "sleep", "transform"]);
            let name = format!("{kind}_{i}");
            let mut operation = json!({});
            let many = self.dice.one_in(3);
            let before = self.known.len();
            if many {
                let ty = *self.dice.pick(&["list<string>", "list<Rung>"]);
                let all = self.known.clone();
                self.known.retain(|(text, known)| {
                    text.starts_with("inputs.") || ty == "list<string>" && *known == "string"
                });
                operation["each"] = self.value(ty);
                self.known = all;
                if ty == "list<string>" {
                    self.known.push(("each".into(), "string"));
                } else {
                    let fields = [("each", "Rung"), ("each.height", "int"), ("each.codec", "string")];
                    self.known.extend(fields.map(|(text, ty)| (text.to_owned(), ty)));
                }
            }
            let (uses, with, gives): (&str, Value, &[(&str, &'static str)]) = match kind {
                "look" => (
                    "gen.look",
                    json!({ "url": self.value("url"), "depth": self.value("int") }),
                    &[
                        (".length", "float"),
                        (".title", "string"),
                        (".good", "bool"),
                        (".parts", "list<string>"),
                        (".best", "Rung"),
                        (".best.height", "int"),
                        (".parts[0]", "string"),
                    ],
                ),
                "make" => (
                    "gen.make",
                    json!({ "rung": self.value("Rung"), "title": self.value("string"), "scale": self.value("float") }),
                    &[(".file", "path"), (".size", "int")],
                ),
                "join" => ("gen.join", json!({ "files": self.value("list<path>") }), &[(".manifest", "url")]),
                "log" => ("pop.log", json!({ "message": self.value("string"), "level": "info" }), &[]),
                "sleep" => ("pop.sleep", json!({ "output": { "n": self.value("int"), "l": [[], {}] } }), &[]),
                _ => ("pop.transform", json!({ "value": [self.value("string"), self.value("Rung")] }), &[]),
            };
            operation["uses"] = json!(uses);
            operation["with"] = with;
            if self.dice.one_in(4) {
                let choices: Vec<_> = self.known.iter().filter(|(_, ty)| *ty == "bool").cloned().collect();
                if !choices.is_empty() {
                    operation["when"] = json!(format!("${{{}}}", self.dice.pick(&choices).0));
                }
            }
            self.known.truncate(before);
            self.settings(&mut operation);
            if self.dice.one_in(3) && !order.is_empty() {
                operation["after"] = json!([self.dice.pick(&order)]);
            }
            for (path, ty) in gives {
                if many {
                    self.known.push((format!("{name}[0]{path}"), ty));
                    match *ty {
                        "path" => self.known.push((format!("{name}[*]{path}"), "list<path>")),
                        "string" => self.known.push((format!("{name}[*]{path}"), "list<string>")),
                        "Rung" => self.known.push((format!("{name}[*]{path}"), "list<Rung>")),
                        _ => {}
                    }
                } else {
                    self.known.push((format!("{name}{path}"), ty));
                }
            }
            order.push(name.clone());
            operations.insert(name, operation);
        }
        operations
    }

    fn settings(&mut self, operation: &mut Value) {
        if self.dice.one_in(4) {
            operation["retry"] = match self.dice.below(3) {
                0 => json!(2),
                1 => json!({ "attempts": 3, "backoff": "10s..5m" }),
                _ => json!({ "attempts": 4, "on": ["error", "timeout"] }),
            };
        }
        if self.dice.one_in(4) {
            operation["timeout"] = json!("1h30m");
        }
        if self.dice.one_in(4) {
            operation["resources"] = json!({ "cpu": "500m", "memory": "8Gi" });
        }
        if self.dice.one_in(5) {
            operation["description"] = json!("One of many.");
        }
    }

    fn outputs(&mut self) -> Map<String, Value> {
        let mut outputs = Map::new();
        let found: Vec<_> =
            self.known.iter().filter(|(text, _)| !text.starts_with("inputs.")).cloned().collect();
        for i in 0..=self.dice.below(3) {
            if !found.is_empty() {
                outputs.insert(format!("out_{i}"), json!(format!("${{{}}}", self.dice.pick(&found).0)));
            }
        }
        if outputs.is_empty() {
            outputs.insert("nothing".into(), json!(1));
        }
        outputs
    }
}

/// Plants one fault.
fn spoil(document: &mut Value, dice: &mut Dice) {
    let names: Vec<String> =
        document["operations"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    let name = dice.pick(&names).clone();
    let other = dice.pick(&names).clone();
    let operation = &mut document["operations"][&name];
    match dice.below(12) {
        0 => operation["after"] = json!(["nobody"]),
        1 => operation["after"] = json!([name]),
        2 => operation["timeout"] = json!("soon"),
        3 => operation["retry"] = json!({ "attempts": 0 }),
        4 => operation["resources"] = json!({ "memory": "8GB" }),
        5 => operation["with"]["surplus"] = json!(1),
        6 => operation["with"] = json!({}),
        7 => operation["uses"] = json!("gen.lok"),
        8 => operation["with"]["title"] = json!(format!("${{{other}.nothing}}")),
        9 => operation["with"]["url"] = json!(["${nobody.at_all}"]),
        10 => operation["each"] = json!(format!("${{{other}}}")),
        _ => {
            operation["after"] = json!([other.clone()]);
            document["operations"][&other]["after"] = json!([name]);
        }
    }
}
