//! What serde reads a type as.

use std::marker::PhantomData;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::definition::ResultFields;
use crate::operation::Record;

/// What is known of the fields of `T`: [`Record`] comes before what can be asked of serde.
#[derive(Debug)]
pub struct Fields<T>(PhantomData<T>);

impl<T: Record> Fields<T> {
    /// Each field's two names.
    pub fn of(_: fn() -> &'static [&'static str]) -> ResultFields {
        ResultFields::Named(T::FIELDS)
    }
}

/// For types without [`Record`]: what a type has itself is taken before what it has of a trait.
pub trait Unnamed {
    /// What serde says.
    fn of(ask: fn() -> &'static [&'static str]) -> ResultFields {
        ResultFields::InJson(ask())
    }
}

impl<T> Unnamed for Fields<T> {}

/// A constant in JSON. What serde can't write there is null, which the compiler refuses where a value is wanted.
pub fn constant<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The fields of a type as serde reads it; none when it is no struct, or has flattened fields.
pub fn fields<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(Asked(&mut fields)); // always an error: only the question matters
    fields
}

/// Listens to what a type asks for, and gives nothing.
struct Asked<'f>(&'f mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
