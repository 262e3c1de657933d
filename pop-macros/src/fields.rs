//! The fields of a user's struct: names, doc comments, and which of them must be given.

pub(crate) mod serde_names;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, Ident, Lit, Meta};

/// A field that must be given.
pub(crate) struct Required {
    name: String,
    missing: String,
}

impl Required {
    pub(crate) fn new(field: &Ident) -> Self {
        let name = plain(field);
        let missing = format!("missing required field `{name}`: `..` leaves out optional fields only");
        Self { name, missing }
    }

    /// As an entry of `REQUIRED`.
    pub(crate) fn entry(&self) -> TokenStream {
        let Self { name, missing } = self;
        quote! { (#name, #missing) }
    }
}

/// Whether `..` may leave a field out: its type says that it may be absent, or serde has a default for it.
pub(crate) fn may_be_left_out(field: &syn::Field) -> bool {
    let optional = match &field.ty {
        syn::Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        _ => false,
    };
    optional || serde_names::has_default(&field.attrs)
}

/// An identifier without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or_else(|| text.clone(), str::to_owned)
}

/// The text of a doc comment: the lines of a paragraph joined, an empty line between paragraphs.
pub(crate) fn docs(attributes: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(|a| match &a.meta {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let paragraphs = lines.split(String::is_empty).filter(|lines| !lines.is_empty());
    let text = paragraphs.map(|lines| lines.join(" ")).collect::<Vec<_>>().join("\n\n");
    (!text.is_empty()).then_some(text)
}
