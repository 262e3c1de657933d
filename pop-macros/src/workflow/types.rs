//! Rust types as the workflow language says them.

use syn::{GenericArgument, PathArguments, Type};

/// A Rust type in the type language; what is not known there goes by its own name.
pub(super) fn type_text(ty: &Type) -> String {
    let Type::Path(path) = ty else { return "any".into() };
    let Some(last) = path.path.segments.last() else { return "any".into() };
    let arguments: Vec<&Type> = match &last.arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|a| match a {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    match (last.ident.to_string().as_str(), arguments.as_slice()) {
        ("String" | "str", []) => "string".into(),
        ("bool", []) => "bool".into(),
        ("u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize", []) => "int".into(),
        ("f32" | "f64", []) => "float".into(),
        ("PathBuf", []) => "path".into(),
        ("Url", []) => "url".into(),
        ("Value", []) => "any".into(),
        ("Vec", [item]) => format!("list<{}>", type_text(item)),
        ("Option", [inner]) => format!("{}?", type_text(inner)),
        ("Secret", [inner]) => format!("secret<{}>", type_text(inner)),
        ("HashMap" | "BTreeMap", [_, value]) => format!("map<{}>", type_text(value)),
        (name, _) => name.to_owned(),
    }
}

/// The Rust types that a type goes by name for.
pub(super) fn named_types(ty: &Type) -> Vec<(String, Type)> {
    let Type::Path(path) = ty else { return Vec::new() };
    let text = type_text(ty);
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    if last.ident == text {
        return vec![(text, ty.clone())];
    }
    let PathArguments::AngleBracketed(list) = &last.arguments else { return Vec::new() };
    list.args
        .iter()
        .filter_map(|a| match a {
            GenericArgument::Type(ty) => Some(named_types(ty)),
            _ => None,
        })
        .flatten()
        .collect()
}
