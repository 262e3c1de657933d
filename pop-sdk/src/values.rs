//! Values that generated modules are made of and that serde has no word for.

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use serde;
/// Anything that JSON can say.
pub use serde_json::Value as Json;

pub use crate::__literals as literals;
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
