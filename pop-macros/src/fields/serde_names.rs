//! What serde calls the fields of a struct.

use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, Field, Ident, Lit, LitStr, Meta, Token};

/// Each field's identifier and its name in JSON.
pub(crate) fn of<'f>(
    attributes: &[Attribute],
    fields: &[&'f Field],
    errors: &mut Vec<Error>,
) -> Vec<(&'f Ident, String)> {
    let rule = argument(attributes, "rename_all");
    let mut names = Vec::with_capacity(fields.len());
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        if let Some(flatten) = metas(&field.attrs).find(|m| m.path().is_ident("flatten")) {
            errors.push(Error::new_spanned(
                flatten,
                "a flattened field has no JSON name that a workflow can use: write its fields here",
            ));
        }
        let rust = super::plain(ident);
        let json = match (argument(&field.attrs, "rename"), &rule) {
            (Some(name), _) => name.value(),
            (None, Some(rule)) => renamed(&rust, rule).unwrap_or_else(|error| {
                if names.is_empty() {
                    errors.push(error); // once, not for each field
                }
                rust
            }),
            (None, None) => rust,
        };
        names.push((ident, json));
    }
    names
}

/// Whether serde has a value for what is absent.
pub(crate) fn has_default(attributes: &[Attribute]) -> bool {
    metas(attributes).any(|meta| meta.path().is_ident("default"))
}

fn metas(attributes: &[Attribute]) -> impl Iterator<Item = Meta> {
    let ours = attributes.iter().filter(|a| a.path().is_ident("serde"));
    let lists = ours.filter_map(|a| a.meta.require_list().ok());
    // What serde can't read either, serde reports.
    lists.flat_map(|list| {
        Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone()).unwrap_or_default()
    })
}

/// The text of `#[serde(KEY = "…")]`, or of `#[serde(KEY(deserialize = "…"))]`: JSON Schemas have that one.
fn argument(attributes: &[Attribute], key: &str) -> Option<LitStr> {
    metas(attributes).filter(|m| m.path().is_ident(key)).find_map(|meta| match meta {
        Meta::NameValue(pair) => text(&pair.value),
        Meta::List(list) => {
            let inner = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens).ok()?;
            let found = inner.into_iter().find(|m| m.path().is_ident("deserialize"))?;
            text(&found.require_name_value().ok()?.value)
        }
        Meta::Path(_) => None,
    })
}

fn text(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

/// A field's name under serde's `rename_all`, letter for letter as serde does it.
fn renamed(field: &str, rule: &LitStr) -> syn::Result<String> {
    let pascal = || {
        let mut capital = true;
        let mut made = String::new();
        for c in field.chars() {
            match c {
                '_' => capital = true,
                c if std::mem::take(&mut capital) => made.push(c.to_ascii_uppercase()),
                c => made.push(c),
            }
        }
        made
    };
    Ok(match rule.value().as_str() {
        "lowercase" | "snake_case" => field.to_owned(),
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_ascii_uppercase(),
        "kebab-case" => field.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => field.to_ascii_uppercase().replace('_', "-"),
        "PascalCase" => pascal(),
        "camelCase" => {
            let pascal = pascal();
            let mut chars = pascal.chars();
            chars.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(chars).collect()
        }
        _ => return Err(Error::new(rule.span(), "invalid `rename_all`: serde does not know this value")),
    })
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[test]
    fn names_are_those_of_serde() {
        let name = |field, rule| renamed(field, &LitStr::new(rule, Span::call_site())).ok();
        for (rule, expected) in [
            ("lowercase", "has_video"),
            ("UPPERCASE", "HAS_VIDEO"),
            ("camelCase", "hasVideo"),
            ("PascalCase", "HasVideo"),
            ("kebab-case", "has-video"),
            ("SCREAMING-KEBAB-CASE", "HAS-VIDEO"),
        ] {
            assert_eq!(name("has_video", rule).as_deref(), Some(expected));
        }
        assert_eq!(name("_größe_öl", "camelCase").as_deref(), Some("größeöl"));
        assert_eq!(name("a", "sPoNgE"), None);
    }
}
