//! `#[operation]`: the struct stays as it is; an implementation of `pop_sdk::Operation` is put beside it.

mod arguments;
mod check;
mod setting;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Error, Fields, Ident, ItemStruct, LitStr, parse2};

use crate::fields::{Required, docs, may_be_left_out, plain, serde_names};
use arguments::Arguments;

/// The struct as it was, what it implements, and every fault as an error. The struct always survives, and the
/// implementation does unless it is not known for what or with which output.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Vec::new();
    let implementation = implement(attribute, item.clone(), &mut errors);
    let errors = errors.into_iter().map(Error::into_compile_error);
    quote! { #item #implementation #(#errors)* }
}

fn implement(attribute: TokenStream, item: TokenStream, errors: &mut Vec<Error>) -> Option<TokenStream> {
    let arguments = Arguments::read(attribute, errors);
    let item = match parse2::<ItemStruct>(item) {
        Ok(item) => item,
        Err(error) => {
            errors.push(Error::new(
                error.span(),
                "invalid place of `#[operation]`: expected a struct, the operation's input",
            ));
            return None;
        }
    };
    let arguments = arguments?;
    let fields: Vec<&syn::Field> = match &item.fields {
        Fields::Named(named) => named.named.iter().collect(),
        Fields::Unit | Fields::Unnamed(_) => {
            let message = "invalid input of an operation: expected named fields; write `{}` for an input without fields";
            errors.push(Error::new_spanned(&item.ident, message));
            return None;
        }
    };
    let names = serde_names::of(&item.attrs, &fields, errors);
    if errors.is_empty() {
        errors.extend(check::check(&arguments, &names));
    }
    let settings = if errors.is_empty() { settings(&arguments, &names) } else { TokenStream::new() };
    let pairs = names.iter().map(|(rust, json)| {
        let rust = plain(rust);
        quote! { (#rust, #json) }
    });
    let idents = names.iter().map(|(rust, _)| rust);
    let all_have_defaults = serde_names::has_default(&item.attrs);
    let required = fields.iter().filter(|field| !all_have_defaults && !may_be_left_out(field));
    let required = required.filter_map(|field| field.ident.as_ref());
    let required = required.map(|ident| Required::new(ident).entry());
    let Arguments { name, output, command, args, stdin, stdout, image, description, .. } = &arguments;
    let none = || quote! { ::core::option::Option::None };
    let description = description
        .as_ref()
        .map(LitStr::value)
        .or_else(|| docs(&item.attrs))
        .map_or_else(none, |text| quote! { ::core::option::Option::Some(#text) });
    let optional = |text: &Option<LitStr>| {
        let some = |text| quote! { ::core::option::Option::Some(::std::string::String::from(#text)) };
        text.as_ref().map_or_else(none, some)
    };
    let (stdin, image) = (optional(stdin), optional(image));
    let ident = &item.ident;
    let (impl_generics, type_generics, bounds) = item.generics.split_for_impl();
    Some(quote_spanned! { ident.span() =>
        impl #impl_generics ::pop_sdk::Operation for #ident #type_generics #bounds {
            const TYPE: &'static str = #name;
            const FIELDS: &'static [(&'static str, &'static str)] = &[#(#pairs),*];
            const REQUIRED: &'static [(&'static str, &'static str)] = &[#(#required),*];
            type Output = #output;

            fn description() -> ::core::option::Option<&'static str> {
                #description
            }

            fn read_fields(&self) {
                #(let _ = &self.#idents;)*
            }

            fn run_spec() -> ::pop_sdk::__private::RunSpec {
                ::pop_sdk::__private::RunSpec {
                    command: ::std::vec![#(::std::string::String::from(#command)),*],
                    args: ::std::vec![#(::std::string::String::from(#args)),*],
                    stdin: #stdin,
                    stdout: ::pop_sdk::__private::Stdout::#stdout,
                    image: #image,
                    #settings
                    ..::core::default::Default::default()
                }
            }
        }
    })
}

/// Fields of the `RunSpec` for `kubernetes`, `secrets` and `idempotent`. A text in JSON keeps the expansion short.
fn settings(arguments: &Arguments, names: &[(&Ident, String)]) -> TokenStream {
    if arguments.settings.is_empty() {
        return TokenStream::new();
    }
    let run = check::run_spec(arguments, names);
    let mut fields = TokenStream::new();
    if let Some(text) = run.kubernetes.as_ref().and_then(|spec| serde_json::to_string(spec).ok()) {
        fields.extend(quote! { kubernetes: ::pop_sdk::__private::setting(#text), });
    }
    if let Some(text) = serde_json::to_string(&run.secret_env).ok().filter(|_| !run.secret_env.is_empty()) {
        fields.extend(quote! { secret_env: ::pop_sdk::__private::setting(#text), });
    }
    if run.idempotent {
        fields.extend(quote! { idempotent: true, });
    }
    fields
}
