//! `workflow!`: tokens → [`tree`] → the JSON form ([`json`]) and ordinary Rust ([`expand`](expand::module)).

mod check;
mod expand;
mod json;
mod names;
mod parse;
mod tree;
mod type_check;
mod types;
mod values;

use proc_macro2::TokenStream;
use quote::quote;

/// The expansion. All faults are reported at once, and what could be understood is still expanded, so that completion
/// and the other diagnostics survive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Vec::new();
    let mut workflow = match parse::workflow(item, &mut errors) {
        Ok(workflow) => workflow,
        Err(error) => {
            errors.push(error);
            return report(errors);
        }
    };
    names::reach(&mut workflow);
    let text = json::write(&workflow);
    let mut verdict = check::check(&workflow, &text);
    errors.append(&mut verdict.errors);
    let errors = report(errors);
    let module = expand::module(&workflow, &text.text, &verdict.faulty);
    quote! { #errors #module }
}

fn report(errors: Vec<syn::Error>) -> TokenStream {
    errors.into_iter().map(|e| e.to_compile_error()).collect()
}

#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod tests;
