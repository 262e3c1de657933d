//! The expansion as people would read it, and what survives faults.

use proc_macro2::TokenStream;
use quote::quote;

use super::expand;

fn printed(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("an expansion is a list of items"))
}

/// The messages of the errors in an expansion, and what else there is.
fn split(tokens: TokenStream) -> (Vec<String>, Vec<syn::Item>) {
    let file: syn::File = syn::parse2(tokens).expect("an expansion is a list of items");
    let mut errors = Vec::new();
    let mut rest = Vec::new();
    for item in file.items {
        match item {
            syn::Item::Macro(found) if found.mac.path.segments.iter().any(|s| s.ident == "compile_error") => {
                errors.push(found.mac.tokens.to_string());
            }
            other => rest.push(other),
        }
    }
    (errors, rest)
}

#[test]
fn the_expansion_is_ordinary_rust() {
    let operation = crate::operation::expand(
        quote! { "media.probe", output = Probed, command = ["ffprobe", "${with.theUrl}"], stdout = "json" },
        quote! {
            /// Looks into a media file.
            #[serde(rename_all = "camelCase")]
            pub struct Probe {
                pub the_url: Url,
            }
        },
    );
    let workflow = expand(quote! {
        /// Probe a mezzanine, encode every rung, package.
        #[workflow(name = "abr", version = "2.1.0")]
        pub abr_ladder(source: Url, /** Heights. */ heights: Vec<u32> = [720], note: Option<String>) -> String {
            let probe = Probe { the_url: source };
            /// One rung.
            let encode = for height in heights {
                Encode { source, height, duration: probe.duration }
            } with { retry: { attempts: 3, backoff: "10s..5m" }, timeout: "2h" };
            let package = Package { renditions: encode[*].file, first: encode[0].file, title: "Ladder of {probe.title}", note }
                when probe.has_video
                after [encode];
            package.manifest
        }
    });
    insta::with_settings!(
        { snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("macro-expansion", printed(quote! { #operation #workflow })); }
    );
}

#[test]
fn a_module_survives_faults_inside_it() {
    let (errors, items) = split(expand(quote! {
        pub flow(source: Url, broken) -> f64 {
            let probe = Probe { url = source };
            let other = Other { url: source } with { timeout: };
            let third = Third { list: [1 2], some: Some(1 2), at: a[x] } after [a b];
            let fourth = for x in source { A {} B {} };
            fourth.result
        }
    }));
    assert_eq!(errors.len(), 6, "{errors:#?}");
    assert!(matches!(items.as_slice(), [syn::Item::Mod(module)] if module.ident == "flow"));
}

#[test]
fn a_struct_survives_faults_of_its_attribute() {
    let (errors, items) = split(crate::operation::expand(
        quote! { "a.b", stdout = "xml", colour = "red" },
        quote! { struct A { a: u32 } },
    ));
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(matches!(items.as_slice(), [syn::Item::Struct(_)]));
}
