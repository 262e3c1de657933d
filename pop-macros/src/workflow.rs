//! `workflow!`: tokens → [`parse`] → the JSON form ([`json`]) and ordinary Rust ([`expand`](expand::module)).

mod check;
mod expand;
mod json;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

/// The expansion. All faults are reported at once, and what could be understood is still expanded, so that completion
/// and the other diagnostics survive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Vec::new();
    let workflow = match parse::workflow(item, &mut errors) {
        Ok(workflow) => workflow,
        Err(error) => {
            errors.push(error);
            return report(errors);
        }
    };
    let text = json::write(&workflow);
    if errors.is_empty() {
        errors.extend(check::check(&workflow, &text));
    }
    let failed = !errors.is_empty();
    let errors = report(errors);
    let module = expand::module(&workflow, &text.text, failed);
    quote! { #errors #module }
}

fn report(errors: Vec<syn::Error>) -> TokenStream {
    errors.into_iter().map(|e| e.to_compile_error()).collect()
}
