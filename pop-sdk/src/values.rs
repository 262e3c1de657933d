//! Values that generated modules are made of and that serde has no word for.

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use serde;
/// Anything that JSON can say.
pub use serde_json::Value as Json;
/// The fields of an object.
pub type Fields = serde_json::Map<String, Value>;

pub use crate::__literals as literals;
pub use crate::__open as open;
pub use crate::__union as union;
pub use crate::secret::Secret;

/// JSON text as a value; for [`literals`], whose texts are right.
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// A value as `T`, if it is one. Serde's own untagged enums can't read numbers that keep their text.
pub fn from_any<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// Whether nothing of a value is lost in what was read from it. What is null and what is not there are the same.
pub fn keeps<T: serde::Serialize>(value: &Value, read: &T) -> bool {
    serde_json::to_value(read).is_ok_and(|written| holds(&written, value))
}

/// Recursion is bounded by the depth of the value.
fn holds(written: &Value, value: &Value) -> bool {
    match (written, value) {
        (Value::Object(written), Value::Object(fields)) => fields
            .iter()
            .filter(|(_, field)| !field.is_null())
            .all(|(key, field)| written.get(key).is_some_and(|written| holds(written, field))),
        (Value::Array(written), Value::Array(items)) => {
            written.len() == items.len() && written.iter().zip(items).all(|(w, item)| holds(w, item))
        }
        (written, value) => std::mem::discriminant(written) == std::mem::discriminant(value),
    }
}

/// Whether a value is this constant: one with a fraction may be written in several ways, a whole number in one.
pub fn same(value: &Value, constant: &Value) -> bool {
    match (value, constant) {
        (Value::Number(value), Value::Number(constant)) => {
            value == constant
                || !(constant.is_i64() || constant.is_u64()) && value.as_f64() == constant.as_f64()
        }
        (value, constant) => value == constant,
    }
}

/// Puts a further field into an object, unless the object has one of its own that is called so.
///
/// # Errors
/// It can't be written as JSON.
pub fn put_further<T: serde::Serialize, E: serde::ser::Error>(
    fields: &mut Fields,
    key: &str,
    value: &T,
) -> Result<(), E> {
    if !fields.contains_key(key) {
        fields.insert(key.to_owned(), serde_json::to_value(value).map_err(E::custom)?);
    }
    Ok(())
}

/// Takes a field out of an object; what is not there is null.
///
/// # Errors
/// It is not a `T`.
pub fn taken<T: DeserializeOwned, E: serde::de::Error>(fields: &mut Fields, key: &str) -> Result<T, E> {
    let value = fields.remove(key).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| E::custom(format!("`{key}`: {error}")))
}

/// Puts a field into an object, unless it is null.
///
/// # Errors
/// It can't be written as JSON.
pub fn put<T: serde::Serialize, E: serde::ser::Error>(
    fields: &mut Fields,
    key: &str,
    value: &T,
) -> Result<(), E> {
    let value = serde_json::to_value(value).map_err(E::custom)?;
    if !value.is_null() {
        fields.insert(key.to_owned(), value);
    }
    Ok(())
}

/// A struct with fields of JSON names, and a map of all further ones. Serde's `flatten` can't read numbers that keep
/// their text.
#[doc(hidden)]
#[macro_export]
macro_rules! __open {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$inner:meta])* $field:ident: $ty:ty = $key:literal,)*
        ..$more:ident: $rest:ty
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name { $($(#[$inner])* pub $field: $ty,)*
            /// Further fields.
            pub $more: $rest,
        }

        impl $crate::values::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::values::serde::Serializer,
            {
                let mut fields = $crate::values::Fields::new();
                $($crate::values::put::<_, S::Error>(&mut fields, $key, &self.$field)?;)*
                for (key, value) in &self.$more {
                    $crate::values::put_further::<_, S::Error>(&mut fields, key, value)?;
                }
                fields.serialize(serializer)
            }
        }

        impl<'de> $crate::values::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::values::serde::Deserializer<'de>,
            {
                let mut fields =
                    <$crate::values::Fields as $crate::values::serde::Deserialize>::deserialize(deserializer)?;
                $(let $field = $crate::values::taken::<$ty, D::Error>(&mut fields, $key)?;)*
                let keys: ::std::vec::Vec<::std::string::String> = fields.keys().cloned().collect();
                let mut $more = <$rest>::new();
                for key in keys {
                    let value = $crate::values::taken::<_, D::Error>(&mut fields, &key)?;
                    $more.insert(key, value);
                }
                ::core::result::Result::Ok(Self { $($field,)* $more })
            }
        }
    };
}

/// An enum of strings, numbers and booleans: each variant with its JSON text.
#[doc(hidden)]
#[macro_export]
macro_rules! __literals {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$inner])* $variant,)+ }

        impl $crate::values::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::values::serde::Serializer,
            {
                let text = match self { $(Self::$variant => $text,)+ };
                $crate::values::parsed(text).serialize(serializer)
            }
        }

        impl<'de> $crate::values::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::values::serde::Deserializer<'de>,
            {
                let value = <$crate::values::Json as $crate::values::serde::Deserialize>::deserialize(deserializer)?;
                $(if $crate::values::same(&value, &$crate::values::parsed($text)) {
                    return ::core::result::Result::Ok(Self::$variant);
                })+
                let message = concat!("expected one of", $(" ", $text),+);
                ::core::result::Result::Err(<D::Error as $crate::values::serde::de::Error>::custom(message))
            }
        }
    };
}

/// An enum whose JSON is that of the variant: the first variant that can be read without losing anything is taken, or else
/// the first that can be read.
#[doc(hidden)]
#[macro_export]
macro_rules! __union {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$inner:meta])* $variant:ident($ty:ty),)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $name { $($(#[$inner])* $variant($ty),)+ }

        impl $crate::values::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::values::serde::Serializer,
            {
                match self { $(Self::$variant(value) => value.serialize(serializer),)+ }
            }
        }

        impl<'de> $crate::values::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::values::serde::Deserializer<'de>,
            {
                let value = <$crate::values::Json as $crate::values::serde::Deserialize>::deserialize(deserializer)?;
                let mut first = ::core::option::Option::None;
                $(if let ::core::option::Option::Some(read) = $crate::values::from_any(&value) {
                    let read = Self::$variant(read);
                    if $crate::values::keeps(&value, &read) {
                        return ::core::result::Result::Ok(read);
                    }
                    first.get_or_insert(read);
                })+
                if let ::core::option::Option::Some(first) = first {
                    return ::core::result::Result::Ok(first);
                }
                let message = concat!("the value has none of the types of ", stringify!($name));
                ::core::result::Result::Err(<D::Error as $crate::values::serde::de::Error>::custom(message))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::values::{Json, Secret, from_any};

    crate::__union! {
        enum Budget {
            Int(i64),
            Float(f64),
            Text(String),
            Many(Vec<Budget>),
        }
    }

    crate::__literals! {
        enum Level {
            N1 = "1",
            Half = "0.5",
            Most = "\"most\"",
            Yes = "true",
        }
    }

    crate::__open! {
        #[derive(Default)]
        struct Event {
            id: Option<i64> = "the-id",
            scale: Option<Vec<f64>> = "scale",
            ..more: std::collections::BTreeMap<String, Option<f64>>
        }
    }

    #[test]
    fn an_open_record_keeps_its_further_fields() {
        let more = [("x".to_owned(), Some(0.5)), ("y".to_owned(), Some(2.0))].into();
        let event = Event { id: Some(3), more, ..Event::default() };
        assert_eq!(from_any(&json!({"x": 0.5, "the-id": 3, "y": 2})), Some(event.clone()));
        assert_eq!(serde_json::to_value(&event).unwrap(), json!({"the-id": 3, "x": 0.5, "y": 2.0}));
        assert_eq!(from_any::<Event>(&json!({"the-id": "3"})), None);
        assert_eq!(from_any::<Event>(&json!({"x": "far"})), None);
        assert_eq!(from_any(&json!({})), Some(Event::default()));
        let null = Event { more: [("x".to_owned(), None)].into(), ..Event::default() };
        same(null, json!({"x": null}));
    }

    fn same<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
        value: T,
        json: Json,
    ) {
        assert_eq!(serde_json::to_value(&value).unwrap(), json);
        assert_eq!(from_any::<T>(&json), Some(value));
    }

    #[test]
    fn unions_and_literals_are_what_they_hold() {
        same(Budget::Int(3), json!(3));
        same(Budget::Float(3.5), json!(3.5));
        same(Budget::Many(vec![Budget::Text("8Gi".into()), Budget::Int(-1)]), json!(["8Gi", -1]));
        same(Level::N1, json!(1));
        same(Level::Half, json!(0.5));
        same(Level::Most, json!("most"));
        same(Level::Yes, json!(true));
        assert_eq!(from_any::<Level>(&json!("1")), None);
        let written = |text: &str| from_any::<Level>(&crate::values::parsed(text));
        assert_eq!([written("1.0"), written("5e-1"), written("1.5")], [None, Some(Level::Half), None]);
        assert_eq!(from_any::<Budget>(&json!({})), None);
    }

    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    struct Named {
        name: String,
    }

    crate::__union! {
        enum Tagged {
            Named(Named),
            Map(std::collections::BTreeMap<String, Json>),
        }
    }

    #[test]
    fn a_union_loses_nothing_where_one_of_its_types_keeps_it() {
        same(Tagged::Named(Named { name: "a".into() }), json!({"name": "a"}));
        let all = json!({"name": "a", "more": [1, {"b": 2}]});
        same(Tagged::Map(all.as_object().unwrap().clone().into_iter().collect()), all);
        let lists =
            |value: Json| from_any::<Vec<Tagged>>(&value).map(|read| crate::values::keeps(&value, &read));
        assert_eq!(lists(json!([{"name": "a"}, {"name": 1, "x": null}])), Some(true));
    }

    #[test]
    fn a_secret_is_sent_but_not_shown() {
        let secret = Secret("hunter2".to_owned());
        assert!(!format!("{secret:?}").contains("hunter2"));
        same(secret, json!("hunter2"));
    }
}
