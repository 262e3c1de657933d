//! From JSON Schemas to shapes. Recursion is bounded by the depth of a schema; references go through a queue.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value as Json};

use super::labels::{self, Label};
use super::model::{Field, Kind, Named, Shape};
use super::names::{Clash, pascal};
use crate::types::{percent, pointed};

type Object = Map<String, Json>;

/// Names that every language's module uses for itself.
const RESERVED: &[&str] = &[
    "Inputs",
    "Outputs",
    "Client",
    "Workflow",
    "Run",
    "Option",
    "Some",
    "None",
    "Vec",
    "String",
    "Box",
    "Result",
    "Ok",
    "Err",
    "Default",
    "Clone",
    "Debug",
    "PartialEq",
    "Self",
    "Json",
    "BTreeMap",
    "From",
    "Into",
    "Any",
    "Mapping",
    "Sequence",
    "Literal",
    "True",
    "False",
    "ClassVar",
    "TypeAlias",
    "Record",
    "Flow",
    "WORKFLOW",
];

/// Gathers the types of one workflow.
pub(super) struct Reader<'s> {
    types: Vec<Named>,
    /// Where each of them comes from.
    labels: Vec<Label>,
    /// How many come from a place.
    places: HashMap<Vec<String>, usize>,
    /// The schema that is being read, with its definitions.
    root: Option<&'s Json>,
    /// Where the schema that is being read is: `Inputs` or `Outputs`.
    side: &'static str,
    /// Definitions by name and content: those of inputs and outputs that are the same are one.
    known: HashMap<(String, String), usize>,
    /// Definitions that are named, but not read yet.
    waiting: VecDeque<(usize, &'s Json)>,
}

impl<'s> Reader<'s> {
    pub(super) fn new() -> Self {
        Self {
            types: Vec::new(),
            labels: Vec::new(),
            places: HashMap::new(),
            root: None,
            side: "Inputs",
            known: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// The fields of the object that a schema describes.
    pub(super) fn fields(&mut self, schema: Option<&'s Json>, side: &'static str) -> Vec<Field> {
        let Some(schema) = schema else { return Vec::new() };
        (self.root, self.side) = (Some(schema), side);
        let root = Hint { owner: None, name: side };
        let fields = schema.as_object().map(|map| self.record(map, &root)).unwrap_or_default();
        while let Some((index, schema)) = self.waiting.pop_front() {
            let path = self.labels[index].path.clone();
            let name = path.last().map_or("", String::as_str);
            self.types[index].kind = self.definition(schema, &Hint { owner: Some(&root), name });
        }
        fields
    }

    /// The types, and those whose names would be one; names that mean only themselves mean anything.
    pub(super) fn finish(mut self) -> (Vec<Named>, Vec<Clash>) {
        for start in 0..self.types.len() {
            let mut seen = HashSet::new();
            let mut open = vec![start];
            while let Some(index) = open.pop() {
                let first = seen.insert(index);
                if index == start && !first {
                    self.types[start].kind = Kind::Alias(Shape::Any);
                    break;
                }
                let members: &[Shape] = match &self.types[index].kind {
                    Kind::Alias(shape) if first => std::slice::from_ref(shape),
                    Kind::Union(members) if first => members,
                    _ => &[],
                };
                for member in members {
                    match member {
                        Shape::Named(next) => open.push(*next),
                        Shape::Nullable(inner) | Shape::Secret(inner) => {
                            if let Shape::Named(next) = **inner {
                                open.push(next);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        self.order_unions();
        let (names, clashes) = labels::names(&self.labels, RESERVED);
        for (named, name) in self.types.iter_mut().zip(names) {
            named.name = name;
        }
        (self.types, clashes)
    }

    /// A reader that tries the members of a union in order meets the member that asks for more first.
    fn order_unions(&mut self) {
        let rank = |types: &[Named], shape: &Shape| match shape {
            Shape::Named(index) => match &types[*index].kind {
                Kind::Literals(_) => 0,
                Kind::Record(fields) => 1000 - fields.iter().filter(|f| !f.optional).count().min(900),
                Kind::Union(_) | Kind::Alias(_) => 1001,
            },
            Shape::Null | Shape::Bool | Shape::Int => 1,
            Shape::Float => 2,
            Shape::Text(_) => 3,
            Shape::List(_) => 4,
            Shape::Map(_) | Shape::Nullable(_) | Shape::Secret(_) | Shape::Any => 2000,
        };
        for index in 0..self.types.len() {
            let Kind::Union(members) = &self.types[index].kind else { continue };
            let mut members = members.clone();
            members.sort_by_key(|member| rank(&self.types, member));
            self.types[index].kind = Kind::Union(members);
        }
    }

    fn record(&mut self, map: &'s Object, owner: &Hint<'_>) -> Vec<Field> {
        let owner = Some(owner);
        let required: HashSet<&str> = match map.get("required") {
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            _ => HashSet::new(),
        };
        let Some(Json::Object(properties)) = map.get("properties") else { return Vec::new() };
        let mut fields = Vec::with_capacity(properties.len());
        for (key, schema) in properties {
            let shape = self.shape(schema, &Hint { owner, name: key });
            let text = |name: &str| schema.get(name).and_then(Json::as_str).map(str::to_owned);
            fields.push(Field {
                key: key.clone(),
                shape,
                optional: !required.contains(key.as_str()),
                default: schema.get("default").cloned(),
                doc: text("description"),
                rest: false,
            });
        }
        let further = match map.get("additionalProperties") {
            Some(Json::Bool(true)) => Some(Shape::Any),
            Some(schema @ Json::Object(_)) => Some(self.shape(schema, &Hint { owner, name: "further" })),
            _ => None,
        };
        fields.extend(further.map(|shape| Field {
            key: "more".to_owned(),
            shape: Shape::Map(Box::new(shape)),
            optional: true,
            default: None,
            doc: Some("Further fields.".to_owned()),
            rest: true,
        }));
        fields
    }

    /// What a named definition is.
    fn definition(&mut self, schema: &'s Json, hint: &Hint<'_>) -> Kind {
        let Json::Object(map) = schema else { return Kind::Alias(Shape::Any) };
        match self.structure(map, hint) {
            Structure::Kind(kind) => kind,
            Structure::Shape(shape) => Kind::Alias(shape),
        }
    }

    fn shape(&mut self, schema: &'s Json, hint: &Hint<'_>) -> Shape {
        let Json::Object(map) = schema else { return Shape::Any };
        let structure = self.structure(map, hint);
        self.named(structure, hint)
    }

    /// A further type; what it is called is found when all are known.
    fn add(&mut self, mut path: Vec<String>, given: bool, doc: Option<String>, kind: Kind) -> usize {
        let known = self.places.entry(path.clone()).or_default();
        *known += 1;
        if let (Some(last), 2..) = (path.last_mut(), *known) {
            *last += &format!(" {known}"); // one place of a schema from elsewhere that says several things
        }
        self.labels.push(Label { path, given });
        self.types.push(Named { name: String::new(), doc, kind });
        self.types.len() - 1
    }

    fn structure(&mut self, map: &'s Object, hint: &Hint<'_>) -> Structure {
        let structure = self.plain(map, hint);
        if map.get("x-pop-secret") != Some(&Json::Bool(true)) {
            return structure;
        }
        Structure::Shape(Shape::Secret(Box::new(self.named(structure, hint))))
    }

    fn plain(&mut self, map: &'s Object, hint: &Hint<'_>) -> Structure {
        if let Some(Json::String(reference)) = map.get("$ref") {
            return Structure::Shape(self.reference(reference));
        }
        if let Some(value) = map.get("const") {
            return self.literals(std::iter::once(value), hint);
        }
        if let Some(Json::Array(values)) = map.get("enum") {
            return self.literals(values.iter(), hint);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Json::Array(members)) = map.get(key) {
                return self.union(members, hint);
            }
        }
        if let Some(Json::Array(members)) = map.get("allOf") {
            return self.all_of(members, map, hint);
        }
        let structure = match map.get("type") {
            Some(Json::String(name)) => self.by_name(name, map, hint),
            Some(Json::Array(names)) => self.by_names(names, map, hint),
            _ if map.contains_key("properties") => self.by_name("object", map, hint),
            _ => Structure::Shape(Shape::Any),
        };
        if map.get("nullable") != Some(&Json::Bool(true)) {
            return structure;
        }
        Structure::Shape(self.named(structure, hint).nullable())
    }

    fn reference(&mut self, reference: &str) -> Shape {
        let target = self.root.and_then(|root| pointed(root, reference));
        let Some(target) = target else { return Shape::Any };
        let name = match reference.rsplit_once('/') {
            Some((_, name)) => percent(name).replace("~1", "/").replace("~0", "~"),
            None => "Type".to_owned(),
        };
        let key = (reference.to_owned(), self.content(target));
        if let Some(index) = self.known.get(&key) {
            return Shape::Named(*index);
        }
        let doc = target.get("description").and_then(Json::as_str).map(str::to_owned);
        let given = reference.starts_with("#/$defs/") || reference.starts_with("#/definitions/");
        let index = self.add(vec![self.side.to_owned(), name], given, doc, Kind::Alias(Shape::Any));
        self.known.insert(key, index);
        self.waiting.push_back((index, target));
        Shape::Named(index)
    }

    /// A definition and all that it refers to, as text: what makes two definitions the same.
    fn content(&self, target: &Json) -> String {
        let mut content = target.to_string();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut open = vec![target];
        while let Some(value) = open.pop() {
            match value {
                Json::Object(map) => {
                    open.extend(map.values());
                    if let Some(Json::String(reference)) = map.get("$ref")
                        && seen.insert(reference)
                        && let Some(next) = self.root.and_then(|root| pointed(root, reference))
                    {
                        content += &next.to_string();
                        open.push(next);
                    }
                }
                Json::Array(items) => open.extend(items),
                _ => {}
            }
        }
        content
    }

    fn literals<'v>(&mut self, values: impl Iterator<Item = &'v Json>, hint: &Hint<'_>) -> Structure {
        let (mut scalars, mut nullable) = (Vec::new(), false);
        for value in values {
            match value {
                Json::Null => nullable = true,
                Json::Array(_) | Json::Object(_) => return Structure::Shape(Shape::Any),
                scalar if scalars.contains(scalar) => {}
                scalar => scalars.push(scalar.clone()),
            }
        }
        if scalars.is_empty() {
            return Structure::Shape(Shape::Null);
        }
        let structure = Structure::Kind(Kind::Literals(scalars));
        if nullable { Structure::Shape(self.named(structure, hint).nullable()) } else { structure }
    }

    fn union(&mut self, members: &'s [Json], hint: &Hint<'_>) -> Structure {
        let constant = |m: &'s Json| if is_null(m) { Some(&Json::Null) } else { m.get("const") };
        let constants: Option<Vec<&Json>> = members.iter().map(constant).collect();
        if let Some(constants) = constants {
            return self.literals(constants.into_iter(), hint);
        }
        let nullable = members.iter().any(is_null);
        let others: Vec<&'s Json> = members.iter().filter(|m| !is_null(m)).collect();
        let structure = match others.as_slice() {
            [] => return Structure::Shape(Shape::Null),
            [only] => match only.as_object() {
                Some(map) => self.structure(map, hint),
                None => Structure::Shape(Shape::Any),
            },
            several => {
                let mut shapes: Vec<Shape> = Vec::new();
                let words: Vec<&Json> = several.iter().filter_map(|m| m.get("const")).collect();
                if !words.is_empty() {
                    let name = format!("{}Word", pascal(hint.name));
                    let hint = Hint { owner: hint.owner, name: &name };
                    let words = self.literals(words.into_iter(), &hint);
                    shapes.push(self.named(words, &hint));
                }
                for (i, member) in several.iter().enumerate().filter(|(_, m)| m.get("const").is_none()) {
                    let title = member.get("title").and_then(Json::as_str);
                    let name = title.map_or_else(|| format!("{}{}", pascal(hint.name), i + 1), str::to_owned);
                    let shape = self.shape(member, &Hint { owner: hint.owner, name: &name });
                    // what kind of text it is tells nobody apart
                    match shapes.iter_mut().find(|known| known.same_kind(&shape)) {
                        Some(known) if *known != shape => *known = known.unnoted(),
                        Some(_) => {}
                        None => shapes.push(shape),
                    }
                }
                if shapes.contains(&Shape::Any) {
                    return Structure::Shape(Shape::Any);
                }
                match <[Shape; 1]>::try_from(shapes) {
                    Ok([only]) => Structure::Shape(only),
                    Err(shapes) => Structure::Kind(Kind::Union(shapes)),
                }
            }
        };
        if nullable { Structure::Shape(self.named(structure, hint).nullable()) } else { structure }
    }

    fn all_of(&mut self, members: &'s [Json], map: &'s Object, hint: &Hint<'_>) -> Structure {
        if let ([only], false) = (members, map.contains_key("properties")) {
            return match only.as_object() {
                Some(map) => self.structure(map, hint),
                None => Structure::Shape(Shape::Any),
            };
        }
        let mut fields = self.record(map, hint);
        for member in members {
            let mut target = member;
            for _ in 0..64 {
                let Some(Json::String(reference)) = target.get("$ref") else { break };
                let next = self.root.and_then(|root| pointed(root, reference));
                let Some(next) = next else { return Structure::Shape(Shape::Any) };
                target = next;
            }
            match target.as_object() {
                Some(map) if map.contains_key("properties") => {
                    for field in self.record(map, hint) {
                        if fields.iter().all(|f| f.key != field.key) {
                            fields.push(field);
                        }
                    }
                }
                _ => return Structure::Shape(Shape::Any),
            }
        }
        Structure::Kind(Kind::Record(fields))
    }

    fn by_names(&mut self, names: &'s [Json], map: &'s Object, hint: &Hint<'_>) -> Structure {
        let nullable = names.iter().any(|n| n == "null");
        let mut shapes = Vec::new();
        for name in names.iter().filter_map(Json::as_str).filter(|n| *n != "null") {
            let structure = self.by_name(name, map, hint);
            shapes.push(self.named(structure, hint));
        }
        let structure = match <[Shape; 1]>::try_from(shapes) {
            Ok([only]) => Structure::Shape(only),
            Err(none) if none.is_empty() => Structure::Shape(Shape::Null),
            Err(shapes) => Structure::Kind(Kind::Union(shapes)),
        };
        if nullable { Structure::Shape(self.named(structure, hint).nullable()) } else { structure }
    }

    fn by_name(&mut self, name: &str, map: &'s Object, hint: &Hint<'_>) -> Structure {
        Structure::Shape(match name {
            "null" => Shape::Null,
            "boolean" => Shape::Bool,
            "integer" => Shape::Int,
            "number" => Shape::Float,
            "string" => Shape::Text(note(map)),
            "array" => {
                let item = format!("{}Item", pascal(hint.name));
                let inner = map
                    .get("items")
                    .map_or(Shape::Any, |items| self.shape(items, &Hint { owner: hint.owner, name: &item }));
                Shape::List(Box::new(inner))
            }
            "object" => return self.object(map, hint),
            _ => Shape::Any,
        })
    }

    fn object(&mut self, map: &'s Object, hint: &Hint<'_>) -> Structure {
        if map.get("properties").is_some_and(Json::is_object) {
            return Structure::Kind(Kind::Record(self.record(map, hint)));
        }
        let value = format!("{}Value", pascal(hint.name));
        match map.get("additionalProperties") {
            Some(Json::Bool(false)) => Structure::Kind(Kind::Record(Vec::new())),
            Some(item @ Json::Object(_)) => {
                let item = self.shape(item, &Hint { owner: hint.owner, name: &value });
                Structure::Shape(Shape::Map(Box::new(item)))
            }
            _ => Structure::Shape(Shape::Map(Box::new(Shape::Any))),
        }
    }

    /// A structure as it can be used inside another. What is the same has one name.
    fn named(&mut self, structure: Structure, hint: &Hint<'_>) -> Shape {
        match structure {
            Structure::Shape(shape) => shape,
            Structure::Kind(kind) => {
                if let Some(same) = self.types.iter().position(|known| known.kind == kind) {
                    return Shape::Named(same);
                }
                Shape::Named(self.add(hint.path(), false, None, kind))
            }
        }
    }
}

/// What to call a type that has no name of its own.
struct Hint<'h> {
    /// What it is a part of.
    owner: Option<&'h Hint<'h>>,
    name: &'h str,
}

impl Hint<'_> {
    /// From the outermost to this one.
    fn path(&self) -> Vec<String> {
        let mut path: Vec<String> =
            std::iter::successors(Some(self), |hint| hint.owner).map(|hint| hint.name.to_owned()).collect();
        path.reverse();
        path
    }
}

enum Structure {
    Shape(Shape),
    /// Something that needs a name.
    Kind(Kind),
}

fn is_null(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("null")
}

fn note(map: &Object) -> Option<&'static str> {
    match map.get("format").and_then(Json::as_str)? {
        "uri" | "url" => Some("an absolute URL"),
        "path" => Some("a file path"),
        "pop-duration" => Some("a duration such as `1h30m`"),
        "date-time" => Some("an RFC 3339 date and time"),
        "bytes" => Some("an amount of bytes such as `8Gi`"),
        _ => None,
    }
}
