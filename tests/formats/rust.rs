//! Writes the JSON form of a workflow as `workflow!` takes it.

use std::collections::BTreeMap;

use pop_compiler::types::Type;
use serde_json::{Map, Value};

/// The source of the macro, and the operation types behind its names.
#[derive(Debug)]
pub(crate) struct Written {
    /// The text between the braces of `workflow! { … }`.
    pub text: String,
    /// The Rust name of each operation type, with the type's own name.
    pub kinds: BTreeMap<String, String>,
}

/// The workflow in the macro's form, or the part that the macro cannot express.
pub(crate) fn write(document: &Value) -> Result<Written, String> {
    let table = document.as_object().ok_or("no table")?;
    let known = ["workflow", "inputs", "operations", "outputs", "types", "catalog"];
    if let Some(other) = table.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("[{other}]"));
    }
    if let Some((part, _)) = table.iter().find(|(_, value)| !value.is_object()) {
        return Err(format!("a [{part}] that is no table"));
    }
    let empty = Map::new();
    let part = |name: &str| table.get(name).and_then(Value::as_object).unwrap_or(&empty);
    let mut writer = Writer {
        inputs: part("inputs"),
        operations: part("operations"),
        item: false,
        kinds: BTreeMap::new(),
    };
    let text = writer.workflow(part("workflow"), part("outputs"))?;
    Ok(Written { text, kinds: writer.kinds })
}

struct Writer<'d> {
    inputs: &'d Map<String, Value>,
    operations: &'d Map<String, Value>,
    /// Whether this place is inside a `for`.
    item: bool,
    kinds: BTreeMap<String, String>,
}

/// The name of an item.
const ITEM: &str = "the_item";

type Made = Result<String, String>;

impl Writer<'_> {
    fn workflow(&mut self, header: &Map<String, Value>, outputs: &Map<String, Value>) -> Made {
        let mut text = String::new();
        let mut arguments = Vec::new();
        for (key, value) in header {
            match key.as_str() {
                "description" => text += &doc(value)?,
                "name" | "version" => {
                    let value = value.as_str().ok_or("a name or a version that is no text")?;
                    arguments.push(format!("{key} = {}", quoted(value)));
                }
                "catalogs" => {}
                other => return Err(format!("`{other}` in [workflow]")),
            }
        }
        text += &format!("#[workflow({})]\npub flow(", arguments.join(", "));
        for (name, input) in self.inputs {
            let named = ident(name)?;
            if self.operations.contains_key(name) {
                return Err("an input and an operation of one name".into());
            }
            let (ty, rest) = match input {
                Value::Object(table) if table.contains_key("type") => (&table["type"], Some(table)),
                other => (other, None),
            };
            if let Some(other) = rest
                .and_then(|t| t.keys().find(|k| !["type", "default", "description"].contains(&k.as_str())))
            {
                return Err(format!("`{other}` of an input"));
            }
            if let Some(about) = rest.and_then(|table| table.get("description")) {
                text += &doc(about)?;
            }
            let ty = Type::parse(ty.as_str().ok_or("the type of an input that is no name")?);
            text += &format!("{named}: {}", rust_type(&ty.map_err(|(_, why)| why)?)?);
            if let Some(default) = rest.and_then(|table| table.get("default")) {
                text += &format!(" = {}", self.default(default)?);
            }
            text += ", ";
        }
        text += ") -> Results {\n";
        for (name, operation) in self.operations {
            text += &self.operation(name, operation)?;
        }
        let fields = self.fields(outputs)?;
        Ok(text + &format!("Results {{ {fields} }}\n}}\n"))
    }

    fn operation(&mut self, name: &str, operation: &Value) -> Made {
        let table = operation.as_object().ok_or("an operation that is no table")?;
        let name = ident(name)?;
        let mut text = String::new();
        let (mut settings, mut tail) = (Vec::new(), String::new());
        let uses = table.get("uses").and_then(Value::as_str).ok_or("an operation without `uses`")?;
        let kind = self.kind(uses)?;
        self.item = table.contains_key("each");
        for (key, value) in table {
            match key.as_str() {
                "uses" | "with" | "each" => {}
                "description" => text += &doc(value)?,
                "when" => tail += &format!(" when {}", self.value(value)?),
                "after" => {
                    let names = match value {
                        Value::Array(names) => names.iter().map(Value::as_str).collect(),
                        other => Some(vec![other.as_str().ok_or("`after` that is no name")?]),
                    };
                    let names = names.ok_or("`after` that is no name")?;
                    let names: Result<Vec<_>, _> = names.into_iter().map(ident).collect();
                    tail += &format!(" after [{}]", names?.join(", "));
                }
                "retry" | "timeout" | "resources" => settings.push(format!("{key}: {}", setting(value)?)),
                other => return Err(format!("`{other}` of an operation")),
            }
        }
        let empty = Map::new();
        let with = match table.get("with") {
            None => &empty,
            Some(Value::Object(with)) => with,
            Some(_) => return Err("`with` that is no table".into()),
        };
        let mut call = format!("{kind} {{ {} }}", self.fields(with)?);
        // a condition may speak of the item, so it stands inside
        self.item = false;
        if let Some(each) = table.get("each") {
            call = format!("for {ITEM} in {} {{ {call} }}", self.value(each)?);
        }
        text += &format!("let {name} = {call}");
        if !settings.is_empty() {
            text += &format!(" with {{ {} }}", settings.join(", "));
        }
        Ok(text + &tail + ";\n")
    }

    /// The Rust name of an operation type: `media.probe` is `MediaProbe`.
    fn kind(&mut self, uses: &str) -> Made {
        let mut name = String::new();
        for word in uses.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut chars = word.chars();
            name.extend(chars.next().map(|c| c.to_ascii_uppercase()));
            name.extend(chars);
        }
        let name = ident(&name)?;
        match self.kinds.insert(name.clone(), uses.to_owned()) {
            Some(other) if other != uses => Err("operation types of one name".into()),
            _ => Ok(name),
        }
    }

    fn fields(&self, fields: &Map<String, Value>) -> Made {
        let fields: Result<Vec<_>, String> = fields
            .iter()
            .map(|(name, value)| Ok(format!("{}: {}", ident(name)?, self.value(value)?)))
            .collect();
        Ok(fields?.join(", "))
    }

    fn value(&self, value: &Value) -> Made {
        match value {
            Value::Null => Ok("None".into()),
            Value::Bool(_) | Value::Number(_) => number(value),
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.value(item)).collect();
                Ok(format!("[{}]", items?.join(", ")))
            }
            Value::Object(fields) => Ok(format!("Record {{ {} }}", self.fields(fields)?)),
        }
    }

    /// A default, which the macro never reads as a reference.
    fn default(&self, value: &Value) -> Made {
        match value {
            Value::String(text) if text.contains("${") => Err("a default that looks like a reference".into()),
            Value::String(text) => Ok(quoted(&text.replace('{', "{{").replace('}', "}}"))),
            Value::Array(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.default(item)).collect();
                Ok(format!("[{}]", items?.join(", ")))
            }
            Value::Object(fields) => {
                let fields: Result<Vec<_>, String> =
                    fields.iter().map(|(n, v)| Ok(format!("{}: {}", ident(n)?, self.default(v)?))).collect();
                Ok(format!("Record {{ {} }}", fields?.join(", ")))
            }
            other => self.value(other),
        }
    }

    /// A text with references: `of ${probe.title}` becomes `"of {probe.title}"`. A single reference stands without
    /// quotes.
    fn text(&self, text: &str) -> Made {
        if text.contains("@<") {
            return Err("native tokens".into());
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['$', '{', '}']) {
            out += &rest[..at];
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("$${") {
                out += "${{";
                rest = after;
            } else if let Some(inner) = rest.strip_prefix("${") {
                let (inner, after) = inner.split_once('}').ok_or("a reference that is not closed")?;
                let reference = self.reference(inner)?;
                if inner.len() + 3 == text.len() {
                    return Ok(reference);
                }
                out += &format!("{{{reference}}}");
                rest = after;
            } else {
                let c = &rest[..1];
                out += c;
                out += if c == "$" { "" } else { c };
                rest = &rest[1..];
            }
        }
        Ok(quoted(&(out + rest)))
    }

    fn reference(&self, inner: &str) -> Made {
        let inner = inner.trim();
        if inner.contains("??") {
            return Err("a default in a reference".into());
        }
        let end = inner.find(['.', '[']).unwrap_or(inner.len());
        let (root, path) = inner.split_at(end);
        let (root, path) = match root {
            "inputs" => {
                let path = path.strip_prefix('.').ok_or("all inputs at once")?;
                let end = path.find(['.', '[']).unwrap_or(path.len());
                let (name, path) = path.split_at(end);
                if !self.inputs.contains_key(name) {
                    return Err("an unknown input is an unknown name".into());
                }
                (ident(name)?, path)
            }
            "each" if self.item => (ITEM.to_owned(), path),
            "each" => return Err("`each` outside of a fan-out".into()),
            "each_index" => return Err("each_index".into()),
            "run" => return Err("run.id".into()),
            // it would be found as the input that it means
            other if self.inputs.contains_key(other) => return Err("an input without `inputs.`".into()),
            other => (ident(other)?, path),
        };
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "_.[]*".contains(c));
        let steps = path.split(['.', '[', ']']).filter(|step| !step.is_empty() && *step != "*");
        let fits = |step: &str| step.bytes().all(|b| b.is_ascii_digit()) || ident(step).is_ok();
        if plain && steps.into_iter().all(fits) { Ok(root + path) } else { Err(format!("the path {path}")) }
    }
}

fn setting(value: &Value) -> Made {
    match value {
        Value::String(text) => Ok(quoted(text)),
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(setting).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        Value::Object(fields) => {
            let fields: Result<Vec<_>, String> =
                fields.iter().map(|(n, v)| Ok(format!("{}: {}", ident(n)?, setting(v)?))).collect();
            Ok(format!("{{ {} }}", fields?.join(", ")))
        }
        Value::Null => Err("a setting that is null".into()),
        other => number(other).and_then(|text| {
            if text.starts_with('-') { Err("a setting below zero".into()) } else { Ok(text) }
        }),
    }
}

fn number(value: &Value) -> Made {
    let text = value.to_string();
    if value.is_number() && text.contains(['e', 'E']) {
        Err("a number with an exponent".into())
    } else {
        Ok(text)
    }
}

fn doc(value: &Value) -> Made {
    let text = value.as_str().ok_or("a description that is no text")?;
    if text.trim() != text || text.contains('\n') {
        return Err("a description of several lines".into());
    }
    Ok(format!("#[doc = {}]\n", quoted(text)))
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// Words that cannot be names in Rust, even as `r#…`, and words of the macro.
const WORDS: [&str; 8] = ["self", "super", "crate", "Self", "_", "None", "Some", ITEM];
/// Words that can be names as `r#…`.
const KEYWORDS: [&str; 16] = [
    "as", "box", "enum", "fn", "for", "if", "in", "let", "loop", "match", "mod", "move", "ref", "type",
    "use", "where",
];

fn ident(name: &str) -> Made {
    let mut chars = name.chars();
    let begins = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !begins || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') || WORDS.contains(&name) {
        return Err(format!("the name `{name}`"));
    }
    Ok(if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() })
}

/// Rust types with a meaning in the language.
const OTHERS: &[&str] = &[
    "String", "str", "bool", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32",
    "f64", "PathBuf", "Url", "Value",
];

fn rust_type(ty: &Type) -> Made {
    Ok(match ty {
        Type::Any => "Value".into(),
        Type::Bool => "bool".into(),
        Type::Int => "i64".into(),
        Type::Float => "f64".into(),
        Type::String => "String".into(),
        Type::Url => "Url".into(),
        Type::Path => "PathBuf".into(),
        Type::List(item) => format!("Vec<{}>", rust_type(item)?),
        Type::Map(item) => format!("BTreeMap<String, {}>", rust_type(item)?),
        Type::Named(name) if OTHERS.contains(&&**name) => {
            return Err(format!("the type `{name}`, which is another one in Rust"));
        }
        Type::Named(name) => ident(name)?,
        Type::Union(members) if members.len() == 2 && members[1] == Type::Null => {
            format!("Option<{}>", rust_type(&members[0])?)
        }
        other => return Err(format!("the type {other}")),
    })
}
