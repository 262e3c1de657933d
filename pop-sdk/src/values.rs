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

/// Takes a field out of an object; what is not there is null.
///
/// # Errors
/// It is not a `T`.
pub fn taken<T: DeserializeOwned, E: serde::de::Error>(fields: &mut Fields, key: &str) -> Result<T, E> {
    let value = fields.remove(key).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| E::custom(format!("`{key}`: {error}")))
}

/// Puts a field into an object, unless it is null or there already.
///
/// # Errors
/// It can't be written as JSON.
pub fn put<T: serde::Serialize, E: serde::ser::Error>(
    fields: &mut Fields,
    key: &str,
    value: &T,
) -> Result<(), E> {
    let value = serde_json::to_value(value).map_err(E::custom)?;
    if !value.is_null() && !fields.contains_key(key) {
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
                    $crate::values::put::<_, S::Error>(&mut fields, key, value)?;
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
                $(if value == $crate::values::parsed($text) {
                    return ::core::result::Result::Ok(Self::$variant);
                })+
                let message = concat!("expected one of", $(" ", $text),+);
                ::core::result::Result::Err(<D::Error as $crate::values::serde::de::Error>::custom(message))
            }
        }
    };
}

/// An enum whose JSON is that of the variant: the first variant that can be read is taken.
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
                $(if let ::core::option::Option::Some(value) = $crate::values::from_any(&value) {
                    return ::core::result::Result::Ok(Self::$variant(value));
                })+
                let message = concat!("it is none of the types of ", stringify!($name));
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
        assert_eq!(from_any::<Budget>(&json!({})), None);
    }

    #[test]
    fn a_secret_is_sent_but_not_shown() {
        let secret = Secret("hunter2".to_owned());
        assert!(!format!("{secret:?}").contains("hunter2"));
        same(secret, json!("hunter2"));
    }
}
