//! The Rust that a workflow becomes: a module with its types and what is known of it.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned as _;

use super::json::{self, Owner};
use super::tree::{Value, Workflow};
use super::type_check;
use super::types::{named_types, type_text};
use crate::fields::Required;
use crate::module::Module;

/// The module. Of what is `faulty` rustc checks no more than what the rest needs.
pub(super) fn module(workflow: &Workflow, text: &str, faulty: &HashSet<Owner>) -> TokenStream {
    let Workflow { doc_attributes, visibility, ident, output, .. } = workflow;
    let single = match &workflow.result {
        Some(Value::Record(..)) | None => quote! { ::core::option::Option::None },
        Some(value) => {
            let name = json::single(value);
            quote! { ::core::option::Option::Some(#name) }
        }
    };
    let fields = if let Some(Value::Record(..)) = &workflow.result {
        quote_spanned! { output.span() => {
            #[allow(unused_imports, reason = "a type with `#[record]` does without")]
            use ::pop_sdk::__private::Unnamed as _;
            ::pop_sdk::__private::Fields::<#output>::of(::pop_sdk::__private::fields::<#output>)
        } }
    } else {
        quote! { ::pop_sdk::__private::ResultFields::InJson(&[]) }
    };
    let operations = kinds(workflow).into_iter().map(|(name, path)| {
        // Not at the user's token: where this fails, the type-check says so there.
        let path = path.to_token_stream();
        quote! { (#name, <#path as ::pop_sdk::__private::Callee>::callable()) }
    });
    let types = named(workflow).into_iter().map(|(name, ty)| {
        quote! { (#name, ::pop_sdk::__private::schemars::schema_for!(#ty).to_value()) }
    });
    let mut constants: Vec<(String, &syn::Path)> =
        workflow.constants().into_iter().map(|path| (json::constant(path), path)).collect();
    constants.sort_by(|a, b| a.0.cmp(&b.0));
    constants.dedup_by(|a, b| a.0 == b.0);
    let constants = constants.into_iter().map(|(mark, path)| {
        let span = path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
        quote_spanned! { span => (#mark, ::pop_sdk::__private::constant(&#path)) }
    });
    let places = places(workflow);
    let required: Vec<Required> = workflow
        .inputs
        .iter()
        .filter(|input| !may_be_left_out(input))
        .map(|input| Required::new(&input.ident))
        .collect();
    let reach = if let Visibility::Inherited = visibility {
        quote! { pub(super) }
    } else {
        quote! { pub }
    };
    let module = Module {
        inputs: inputs(workflow, &reach),
        reach,
        outputs: quote! {
            /// The result.
            pub type Outputs = #output;
        },
        required,
        definition: quote! {
            ::pop_sdk::__private::Definition::InRust(::pop_sdk::__private::InRust {
                source: SOURCE,
                file: ::core::file!(),
                places: #places,
                operations: ::std::vec![#(#operations),*],
                types: ::std::vec![#(#types),*],
                constants: ::std::vec![#(#constants),*],
                single: #single,
                result: #fields,
            })
        },
    }
    .items();
    let check = type_check::function(workflow, faulty);
    quote! {
        #(#doc_attributes)*
        #visibility mod #ident {
            use super::*;

            /// The workflow in the JSON form of the workflow language.
            pub const SOURCE: &str = #text;

            #module
            #check
        }
    }
}

/// The operations' types, each once.
fn kinds(workflow: &Workflow) -> Vec<(String, &syn::Path)> {
    let kinds = workflow.operations.iter().filter_map(|operation| operation.kind.as_ref());
    let mut kinds: Vec<(String, &syn::Path)> = kinds.map(|path| (json::kind(path), path)).collect();
    kinds.sort_by(|a, b| a.0.cmp(&b.0));
    kinds.dedup_by(|a, b| a.0 == b.0);
    kinds
}

/// The inputs' types that go by name, each once.
fn named(workflow: &Workflow) -> Vec<(String, syn::Type)> {
    let path = |ty: &syn::Type| ty.to_token_stream().to_string();
    let mut named: Vec<(String, syn::Type)> =
        workflow.inputs.iter().flat_map(|input| named_types(&input.ty)).collect();
    named.sort_by_cached_key(|(name, ty)| (name.clone(), path(ty)));
    named.dedup_by(|a, b| a.0 == b.0 && path(&a.1) == path(&b.1));
    named
}

/// Where the workflow and each of its operations is.
fn places(workflow: &Workflow) -> String {
    let place = |span: Span| format!("{}:{}", span.start().line, span.start().column + 1);
    let mut places = place(workflow.ident.span());
    for operation in &workflow.operations {
        places.push(' ');
        places += &place(operation.ident.span());
    }
    places
}

fn may_be_left_out(input: &super::tree::Input) -> bool {
    input.default.is_some() || type_text(&input.ty).ends_with('?')
}

fn inputs(workflow: &Workflow, reach: &TokenStream) -> TokenStream {
    let fields = workflow.inputs.iter().map(|input| {
        let (ident, ty) = (&input.ident, &input.ty);
        let docs = input.docs.clone().unwrap_or_else(|| format!("The input `{ident}`."));
        if !may_be_left_out(input) {
            return quote_spanned! { ident.span() => #[doc = #docs] pub #ident: #ty };
        }
        let ty = if input.default.is_some() {
            quote! { ::core::option::Option<#ty> }
        } else {
            ty.to_token_stream()
        };
        quote_spanned! { ident.span() =>
            #[doc = #docs]
            #[serde(default, skip_serializing_if = "::core::option::Option::is_none")]
            pub #ident: #ty
        }
    });
    quote! {
        /// The inputs. Those with a default may be left out.
        #[derive(Clone, Debug, ::pop_sdk::__private::serde::Serialize, ::pop_sdk::__private::serde::Deserialize)]
        #[serde(crate = "::pop_sdk::__private::serde")]
        #reach struct Inputs {
            #(#fields),*
        }
    }
}
