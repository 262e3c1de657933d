//! Values that may hold references.

use std::fmt;
use std::marker::PhantomData;

use pop_compiler::{reference, write_name};
use serde::Serialize;
use serde_json::{Number, Value};

/// A value of type `T` that will exist when the workflow runs: an operation's output, an input, an item of a fan-out, or a
/// part of one of these.
pub struct Out<T> {
    pub(super) expression: String,
    pub(super) fallback: Option<String>,
    pub(super) ty: PhantomData<fn() -> T>,
}

/// The outputs of all operations of a fan-out.
pub struct Many<T> {
    pub(super) name: String,
    /// What is behind the name of each.
    pub(super) rest: String,
    pub(super) ty: PhantomData<fn() -> T>,
}

impl<T> Clone for Out<T> {
    fn clone(&self) -> Self {
        Self { expression: self.expression.clone(), fallback: self.fallback.clone(), ty: PhantomData }
    }
}

impl<T> fmt::Debug for Out<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written())
    }
}

impl<T> fmt::Debug for Many<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{{}[*]{}}}", self.name, self.rest)
    }
}

/// `root.name`
pub(super) fn path(root: &str, name: &str) -> String {
    let written = write_name(name);
    if written.starts_with('[') { format!("{root}{written}") } else { format!("{root}.{written}") }
}

impl<T> Out<T> {
    pub(super) fn new(expression: String) -> Self {
        super::out(expression)
    }

    /// A field, by its name in JSON, or what a key of a map leads to. The compiler checks what it is.
    #[must_use]
    pub fn field<F>(&self, name: &str) -> Out<F> {
        Out::new(path(&self.expression, name))
    }

    /// An item of a list. The compiler checks what it is.
    #[must_use]
    pub fn item<F>(&self, index: usize) -> Out<F> {
        Out::new(format!("{}[{index}]", self.expression))
    }

    /// With a text, a number or a boolean that stands in when the value is null, or its operation was skipped.
    #[must_use]
    pub fn or(mut self, other: impl Into<Literal>) -> Self {
        self.fallback = Some(other.into().0);
        self
    }

    /// With null in its place when its operation was skipped.
    #[must_use]
    pub fn or_null(self) -> Out<Option<T>> {
        Out { expression: self.expression, fallback: Some("null".into()), ty: PhantomData }
    }

    /// As the language writes it.
    pub(super) fn written(&self) -> String {
        match &self.fallback {
            Some(fallback) => format!("${{{} ?? {fallback}}}", self.expression),
            None => format!("${{{}}}", self.expression),
        }
    }
}

impl<T> Many<T> {
    /// The outputs of all, as a list.
    #[must_use]
    pub fn all(&self) -> Out<Vec<T>> {
        Out::new(format!("{}[*]{}", self.name, self.rest))
    }

    /// A field of each, by its name in JSON, as a list.
    #[must_use]
    pub fn field<F>(&self, name: &str) -> Out<Vec<F>> {
        Out::new(format!("{}[*]{}", self.name, path(&self.rest, name)))
    }

    /// The output of one.
    #[must_use]
    pub fn nth(&self, index: usize) -> Out<T> {
        Out::new(format!("{}[{index}]{}", self.name, self.rest))
    }
}

/// A text, a number or a boolean.
#[derive(Clone, Debug)]
pub struct Literal(String);

/// What can be given to an operation or a workflow: a value, a reference to one, or a text, a list or an object with
/// references in it.
#[derive(Clone, Debug)]
pub enum Given {
    /// A value as it is; no text in it is read as a reference.
    Value(Value),
    /// In the form of the language, with references. Only made by this module.
    #[doc(hidden)]
    Written(Value),
}

impl Given {
    /// Any value that can be written as JSON.
    ///
    /// # Panics
    /// It can't be written as JSON.
    pub fn of(value: impl Serialize) -> Self {
        Self::Value(serde_json::to_value(value).expect("a value is JSON"))
    }

    /// A list.
    pub fn list<G: Into<Self>>(items: impl IntoIterator<Item = G>) -> Self {
        Self::Written(items.into_iter().map(|item| item.into().into_json()).collect())
    }

    /// An object.
    pub fn record<K: Into<String>, G: Into<Self>>(fields: impl IntoIterator<Item = (K, G)>) -> Self {
        Self::Written(fields.into_iter().map(|(key, value)| (key.into(), value.into().into_json())).collect())
    }

    /// In the form of the language.
    pub(super) fn into_json(self) -> Value {
        match self {
            Self::Value(value) => plain(value, true),
            Self::Written(value) => value,
        }
    }

    /// As a default of an input, where native references mean nothing.
    pub(super) fn into_default(self) -> Value {
        match self {
            Self::Value(value) => plain(value, false),
            Self::Written(value) => value,
        }
    }
}

/// A value in which no text is read as a reference. Recursion is bounded by the depth of the value.
fn plain(value: Value, native: bool) -> Value {
    match value {
        Value::String(text) => {
            let text = if native { reference::escape(&text).into_owned() } else { text };
            Value::String(text.replace("${", "$${"))
        }
        Value::Array(items) => items.into_iter().map(|item| plain(item, native)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, plain(value, native))).collect(),
        other => other,
    }
}

/// A text of several parts: texts, and references that are written into it. A part that ends in a dollar sign can't stand
/// before a reference: the compiler refuses it.
pub fn text(parts: impl IntoIterator<Item = Given>) -> Given {
    let mut text = String::new();
    for part in parts {
        match part.into_json() {
            Value::String(part) => {
                if text.ends_with('$') && part.starts_with("${") {
                    // The language can't say it. What stands there instead is refused, and says why.
                    text += "{'a dollar sign can not stand before a reference'}";
                }
                text += &part;
            }
            other => text += &other.to_string(),
        }
    }
    Given::Written(Value::String(text))
}

impl<T> From<Out<T>> for Given {
    fn from(out: Out<T>) -> Self {
        Self::from(&out)
    }
}

impl<T> From<&Out<T>> for Given {
    fn from(out: &Out<T>) -> Self {
        Self::Written(Value::String(out.written()))
    }
}

impl<T> From<&Many<T>> for Given {
    fn from(many: &Many<T>) -> Self {
        Self::from(many.all())
    }
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl<G: Into<Self>> From<Vec<G>> for Given {
    fn from(items: Vec<G>) -> Self {
        Self::list(items)
    }
}

impl<G: Into<Self>> From<Option<G>> for Given {
    fn from(value: Option<G>) -> Self {
        value.map_or(Self::Value(Value::Null), Into::into)
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")))
    }
}

macro_rules! scalars {
    ($($ty:ty),*) => {
        $(
            impl From<$ty> for Given {
                fn from(value: $ty) -> Self {
                    Self::Value(Value::from(value))
                }
            }

            impl From<$ty> for Literal {
                fn from(value: $ty) -> Self {
                    Self(Value::from(value).to_string())
                }
            }
        )*
    };
}
scalars! { bool, u8, u16, u32, u64, i8, i16, i32, i64, f32, f64 }

impl From<Number> for Given {
    fn from(number: Number) -> Self {
        Self::Value(Value::Number(number))
    }
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<&String> for Given {
    fn from(text: &String) -> Self {
        Self::Value(Value::from(text.as_str()))
    }
}
