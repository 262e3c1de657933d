//! The Rust that a workflow becomes: a module, and a function in it that only exists to be type-checked.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::Lit;
use syn::spanned::Spanned as _;

use super::json;
use super::parse::{Field, Operation, Part, Reference, Root, Segment, Value, Workflow};

/// The module. When there were errors already, the type-check is left out: it would only repeat them.
pub(super) fn module(workflow: &Workflow, text: &str, failed: bool) -> TokenStream {
    let Workflow { doc_attributes, visibility, ident, output, .. } = workflow;
    let inputs = inputs(workflow);
    let check = if failed { TokenStream::new() } else { check(workflow) };
    let single = match &workflow.result {
        Some(Value::Record(..)) | None => quote! { ::core::option::Option::None },
        Some(value) => {
            let name = json::single(value);
            quote! { ::core::option::Option::Some(#name) }
        }
    };
    let fields = if let Some(Value::Record(..)) = &workflow.result {
        quote_spanned! { output.span() => ::pop_sdk::__private::fields::<#output>() }
    } else {
        quote! { &[] }
    };
    let mut kinds: Vec<(String, &syn::Path)> =
        workflow.operations.iter().map(|o| (json::kind(&o.kind), &o.kind)).collect();
    kinds.sort_by(|a, b| a.0.cmp(&b.0));
    kinds.dedup_by(|a, b| a.0 == b.0);
    let operations = kinds.iter().map(|(name, path)| quote! { (#name, ::pop_sdk::Known::of::<#path>()) });
    let mut named: Vec<(String, syn::Type)> =
        workflow.inputs.iter().flat_map(|i| json::named_types(&i.ty)).collect();
    let path = |ty: &syn::Type| ty.to_token_stream().to_string();
    named.sort_by_cached_key(|(name, ty)| (name.clone(), path(ty)));
    named.dedup_by(|a, b| a.0 == b.0 && path(&a.1) == path(&b.1));
    let types = named.iter().map(|(name, ty)| {
        quote! { (#name, ::pop_sdk::__private::schemars::schema_for!(#ty).to_value()) }
    });
    quote! {
        #(#doc_attributes)*
        #visibility mod #ident {
            use super::*;

            /// The workflow in the JSON form of the workflow language.
            pub const SOURCE: &str = #text;

            #inputs

            /// The result.
            pub type Outputs = #output;

            /// The workflow as a type.
            #[derive(Debug)]
            pub enum Flow {}

            impl ::pop_sdk::Compiled for Flow {
                type Inputs = Inputs;
                type Outputs = Outputs;

                fn compile() -> ::pop_sdk::Workflow<Inputs, Outputs> {
                    compile()
                }
            }

            ::pop_sdk::__client!(Flow);

            /// The compiled workflow.
            ///
            /// # Errors
            /// What only the types' JSON Schemas show; everything else was found while cargo built.
            pub fn try_compile() -> ::core::result::Result<::pop_sdk::Workflow<Inputs, Outputs>, ::pop_sdk::Findings> {
                ::pop_sdk::Workflow::new(&::pop_sdk::Definition {
                    source: SOURCE,
                    operations: ::std::vec![#(#operations),*],
                    types: ::std::vec![#(#types),*],
                    single: #single,
                    result: #fields,
                })
            }

            /// The compiled workflow.
            ///
            /// # Panics
            /// With the compiler's findings, where [`try_compile`] gives an error.
            pub fn compile() -> ::pop_sdk::Workflow<Inputs, Outputs> {
                match try_compile() {
                    ::core::result::Result::Ok(workflow) => workflow,
                    ::core::result::Result::Err(findings) => ::core::panic!("{findings}"),
                }
            }

            #check
        }
    }
}

fn inputs(workflow: &Workflow) -> TokenStream {
    let fields = workflow.inputs.iter().map(|input| {
        let (ident, ty) = (&input.ident, &input.ty);
        let docs = input.docs.clone().unwrap_or_else(|| format!("The input `{ident}`."));
        let optional = input.default.is_some() || json::type_text(ty).ends_with('?');
        if !optional {
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
        pub struct Inputs {
            #(#fields),*
        }
    }
}

fn check(workflow: &Workflow) -> TokenStream {
    let scope = Scope { workflow, item: None };
    let bindings = workflow.inputs.iter().map(|input| {
        let (ident, ty) = (&input.ident, &input.ty);
        let default = input.default.as_ref().map(|default| {
            let value = scope.value(default);
            quote! { let _: #ty = #value; }
        });
        quote! { #default let #ident = ::pop_sdk::handle::Out::<#ty>::new(); }
    });
    let operations = workflow.operations.iter().map(|operation| scope.operation(operation));
    let result = workflow.result.as_ref().map(|value| scope.value(value));
    let output = &workflow.output;
    quote! {
        /// Never called: it is here so that rustc checks every name and type.
        #[allow(dead_code, clippy::all, clippy::pedantic, reason = "only type-checked")]
        fn type_check() -> #output {
            #(#bindings)*
            #(#operations)*
            #result
        }
    }
}

struct Scope<'w> {
    workflow: &'w Workflow,
    item: Option<&'w Ident>,
}

impl<'w> Scope<'w> {
    fn operation(&self, operation: &'w Operation) -> TokenStream {
        let ident = &operation.ident;
        let inner = Scope { workflow: self.workflow, item: operation.each.as_ref().map(|(item, _)| item) };
        let kind = &operation.kind;
        let fields = inner.fields(&operation.fields);
        let when = operation.when.as_ref().map(|(word, condition)| {
            let value = inner.value(condition);
            quote_spanned! { word.span() => let _: bool = #value; }
        });
        let after = &operation.after;
        let call = quote_spanned! { kind.span() => ::pop_sdk::handle::Out::of(&#kind { #(#fields),* }) };
        let made = match &operation.each {
            None => quote! { { #when #call } },
            Some((item, list)) => {
                let list = self.value(list);
                quote! { ::pop_sdk::handle::Many::each(#list, |#item| { #when #call }) }
            }
        };
        quote! { #(let _ = &#after;)* let #ident = #made; }
    }

    fn fields(&self, fields: &[Field]) -> Vec<TokenStream> {
        fields
            .iter()
            .map(|field| {
                let (ident, value) = (&field.ident, self.value(&field.value));
                quote! { #ident: #value }
            })
            .collect()
    }

    fn value(&self, value: &Value) -> TokenStream {
        match value {
            Value::Lit(lit, negative) => {
                let minus = negative.then(|| quote! { - });
                match lit {
                    Lit::Int(_) | Lit::Float(_) | Lit::Bool(_) => quote! { #minus #lit },
                    other => quote! { #minus #other },
                }
            }
            // A text that is nothing but a reference is what the reference is, not a text of it.
            Value::Text(_, parts) if let [Part::Reference(reference)] = parts.as_slice() => {
                self.reference(reference)
            }
            Value::Text(literal, parts) => {
                let format: String =
                    parts.iter().map(|p| if matches!(p, Part::Text(_)) { "" } else { "{}" }).collect();
                let references: Vec<TokenStream> = parts
                    .iter()
                    .filter_map(|p| match p {
                        Part::Reference(reference) => Some(self.reference(reference)),
                        Part::Text(_) => None,
                    })
                    .collect();
                if references.is_empty() {
                    quote_spanned! { literal.span() => ::pop_sdk::handle::text(#literal) }
                } else {
                    quote_spanned! { literal.span() =>
                        ::pop_sdk::handle::text(&::std::format!(#format, #(#references),*))
                    }
                }
            }
            Value::List(items, span) => {
                let items = items.iter().map(|item| self.value(item));
                quote_spanned! { *span => ::std::vec![#(#items),*] }
            }
            Value::Record(path, fields) => {
                let fields = self.fields(fields);
                quote! { #path { #(#fields),* } }
            }
            Value::Some(span, inner) => {
                let inner = self.value(inner);
                quote_spanned! { *span => ::core::option::Option::Some(#inner) }
            }
            Value::None(ident) => quote_spanned! { ident.span() => ::core::option::Option::None },
            Value::Reference(reference) => self.reference(reference),
        }
    }

    /// `probe.duration` → `probe.get().duration`, and so on, each part with its own token's span.
    fn reference(&self, reference: &Reference) -> TokenStream {
        let root = &reference.root;
        let is_item = self.item == Some(root);
        let many = !is_item && self.workflow.root(root) == Some(Root::FanOut);
        let mut path = reference.path.iter();
        let mut made = match (many, reference.path.first()) {
            (true, Some(Segment::All(span))) => {
                path.next();
                let item = format_ident!("item", span = *span);
                let rest = steps(quote! { #item }, path);
                return quote_spanned! { root.span() => #root.map(|#item| #rest) };
            }
            (true, Some(Segment::Index(number))) => {
                path.next();
                quote_spanned! { root.span() => #root.at(#number) }
            }
            // Anything else on a fan-out was reported by the compiler.
            _ => quote_spanned! { root.span() => #root.get() },
        };
        made = steps(made, path);
        made
    }
}

fn steps<'s>(start: TokenStream, path: impl Iterator<Item = &'s Segment>) -> TokenStream {
    path.fold(start, |made, segment| match segment {
        Segment::Field(ident) => quote! { #made.#ident },
        Segment::Index(number) => quote_spanned! { number.span() => ::pop_sdk::handle::nth(#made, #number) },
        Segment::All(span) => quote_spanned! { *span => #made },
    })
}
