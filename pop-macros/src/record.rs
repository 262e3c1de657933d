//! `#[record]`: the struct stays as it is, but for what each renamed field is called in Rust, which its JSON Schema says from
//! then on.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Error, Fields, ItemStruct, parse_quote, parse2};

use crate::fields::{plain, serde_names};

/// The struct, what it implements, and every fault as an error.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Vec::new();
    if !attribute.is_empty() {
        errors.push(Error::new_spanned(&attribute, "`#[record]` takes no arguments"));
    }
    let made = match parse2::<ItemStruct>(item.clone()) {
        Ok(item) => named(item, &mut errors),
        Err(error) => {
            errors.push(Error::new(
                error.span(),
                "invalid place of `#[record]`: expected a struct with named fields",
            ));
            item
        }
    };
    let errors = errors.into_iter().map(Error::into_compile_error);
    quote! { #made #(#errors)* }
}

fn named(mut item: ItemStruct, errors: &mut Vec<Error>) -> TokenStream {
    let Fields::Named(fields) = &item.fields else {
        errors.push(Error::new_spanned(
            &item.ident,
            "invalid place of `#[record]`: expected a struct with named fields",
        ));
        return item.to_token_stream();
    };
    let derives: Vec<String> = item
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
        .map(|attribute| attribute.meta.to_token_stream().to_string())
        .collect();
    if derives.is_empty() {
        let message = "put `#[record]` above `#[derive(…)]`: a derive reads only what stands below";
        errors.push(Error::new_spanned(&item.ident, message));
        return item.to_token_stream();
    }
    // A result need not have a JSON Schema.
    let has_schema = derives.iter().any(|derive| derive.contains("JsonSchema"));
    let list: Vec<&syn::Field> = fields.named.iter().collect();
    let names = serde_names::of(&item.attrs, &list, errors);
    let pairs: Vec<(String, String)> = names.into_iter().map(|(ident, json)| (plain(ident), json)).collect();
    if let Fields::Named(fields) = &mut item.fields {
        for (field, (rust, json)) in fields.named.iter_mut().zip(&pairs) {
            if has_schema && rust != json {
                field.attrs.push(parse_quote! { #[schemars(extend("x-rust" = #rust))] });
            }
        }
    }
    let pairs = pairs.iter().map(|(rust, json)| quote! { (#rust, #json) });
    let ident = &item.ident;
    let (impl_generics, type_generics, bounds) = item.generics.split_for_impl();
    let implementation = quote_spanned! { ident.span() =>
        impl #impl_generics ::pop_sdk::__private::Record for #ident #type_generics #bounds {
            const FIELDS: &'static [(&'static str, &'static str)] = &[#(#pairs),*];
        }
    };
    quote! { #item #implementation }
}
