//! Typed identifiers: a mix-up of two kinds is a compile error. [`crate::env::Env`] creates new ids; the core takes ids
//! as arguments.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id_type!(
    /// The id of an agenda, `ag_…`.
    AgendaId
);
id_type!(
    /// The id of a customer.
    CustomerId
);
id_type!(
    /// The id of a pool.
    PoolId
);
id_type!(
    /// The id of an insight.
    InsightId
);

/// The position of an agenda in the order of submission. A number never changes and is never given twice, so the server
/// uses it as the agenda's short name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgendaNo(pub u64);

/// Whether `text` can name a customer, a pool or an insight: 1 to 128 characters without white space, control
/// characters, `/`, `?` and `#`.
pub fn is_valid_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=128).contains(&length)
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '?' | '#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(is_valid_name("acme.media-2"));
        assert!(is_valid_name("Zoë"));
        assert!(!is_valid_name(""));
        assert!(!is_valid_name("a b"));
        assert!(!is_valid_name("a/b"));
        assert!(!is_valid_name(&"x".repeat(129)));
    }
}
