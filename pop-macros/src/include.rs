//! `include_workflow!`: a file of the workflow language, compiled while cargo builds.

mod files;

use pop_compiler::client::{Input, rust_types};
use pop_compiler::diagnostic::{Diagnostic, Severity};
use pop_compiler::render::text::{Colour, findings};
use pop_compiler::source::Sources;
use pop_compiler::{Compiled, Format, Options, Severities};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Fields, Item, LitStr, Token};

use crate::fields::Required;
use crate::module::Module;
use files::Files;

/// Where the types that a module is made of come from.
const RUNTIME: &str = "::pop_sdk::values";

/// `"flow.pop.toml"`, or `"flow.pop.toml" as name`
struct Arguments {
    path: LitStr,
    name: Option<Ident>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let path = input.parse().map_err(|e| {
            Error::new(e.span(), "expected the path of a workflow: `include_workflow!(\"flow.pop.toml\")`")
        })?;
        let name = if input.parse::<Option<Token![as]>>()?.is_some() { Some(input.parse()?) } else { None };
        if input.is_empty() {
            return Ok(Self { path, name });
        }
        Err(input.error("expected nothing more, or `as name`"))
    }
}

/// The module, or each finding as an error; warnings stand beside it.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let made = syn::parse2(item).and_then(|arguments: Arguments| {
        let rust = arguments.path.span().local_file();
        let files = Files::new(&arguments.path.value(), rust.as_deref());
        include(&arguments, files).map_err(|why| Error::new(arguments.path.span(), why))
    });
    made.unwrap_or_else(syn::Error::into_compile_error)
}

fn include(arguments: &Arguments, mut files: Files) -> Result<TokenStream, String> {
    let span = arguments.path.span();
    let entry = files.entry()?;
    let Some(format) = Format::from_path(&entry.name).filter(|_| Format::is_workflow_path(&entry.name))
    else {
        return Err(format!(
            "invalid file name `{}`: a workflow file ends in `.pop.toml` or `.pop.json`",
            entry.name
        ));
    };
    let config = files.config();
    let (severities, faults) = config.as_ref().map(Severities::parse).unwrap_or_default();
    let loader = |path: &str| files.load(path);
    let options = Options { loader: &loader, catalogs: &[], severities: &severities };
    let mut compiled = pop_compiler::compile(entry, format, &options);
    if let Some(config) = config.filter(|_| !faults.is_empty()) {
        compiled.add(config, faults);
    }
    let mut made = report(&compiled, span);
    let failed = compiled.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    if failed {
        // Whoever changes one of these files builds again.
        let paths = files.paths();
        made.extend(quote! { #(const _: &[u8] = ::core::include_bytes!(#paths);)* });
    } else {
        made.extend(module(arguments, &compiled, &files)?);
    }
    Ok(made)
}

/// Each finding at the macro, with the compiler's text, which names its own place.
fn report(compiled: &Compiled, span: Span) -> TokenStream {
    let mut made = TokenStream::new();
    for finding in &compiled.diagnostics {
        let text = printed(finding, &compiled.sources);
        made.extend(match finding.severity {
            Severity::Error => Error::new(span, text).into_compile_error(),
            // The only way in which a macro can warn.
            Severity::Warning => quote_spanned! { span =>
                const _: () = {
                    #[deprecated(note = #text)]
                    #[allow(non_upper_case_globals, reason = "it reads as a word")]
                    const workflow: () = ();
                    workflow
                };
            },
            Severity::Info => TokenStream::new(),
        });
    }
    made
}

/// A finding as the compiler prints it, but for the word in front, which rustc puts there.
fn printed(finding: &Diagnostic, sources: &Sources) -> String {
    let text = findings(std::slice::from_ref(finding), sources, Colour::Never);
    let head = format!("{}[{}]: ", finding.severity.as_str(), finding.rule);
    match text.trim_end().strip_prefix(&head).map(|rest| rest.split_once('\n').unwrap_or((rest, ""))) {
        Some((message, rest)) => format!("{message} [{}]\n{rest}", finding.rule),
        None => text.trim_end().to_owned(),
    }
}

fn module(arguments: &Arguments, compiled: &Compiled, files: &Files) -> Result<TokenStream, String> {
    let entry = files.entry_name();
    let input = Input::new(entry.clone(), compiled).ok_or("the file does not compile to a workflow")?;
    let (name, types) = rust_types(&input, RUNTIME).map_err(|error| error.to_string())?;
    let types: syn::File = syn::parse_str(&types).map_err(|error| error.to_string())?;
    let span = arguments.path.span();
    let ident = arguments.name.clone().unwrap_or_else(|| Ident::new(&name, span));
    let doc = input.template.agenda.params.get("pop.workflow").and_then(|w| w.get("description")?.as_str());
    let doc = doc.map_or_else(|| format!("The workflow of `{entry}`."), str::to_owned);
    let names = files.names();
    let paths = files.paths();
    let texts = paths.iter().map(|path| quote! { ::core::include_str!(#path) });
    let config = files.config_name().map_or_else(
        || quote! { ::core::option::Option::None },
        |name| quote! { ::core::option::Option::Some(#name) },
    );
    let source = &paths[0];
    let required = required(&types);
    let items = &types.items;
    let runtime = format_ident!("values");
    let module = Module {
        reach: quote! { pub },
        inputs: quote! { #(#items)* },
        outputs: TokenStream::new(),
        required,
        definition: quote! {
            ::pop_sdk::__private::Definition::InFiles(::pop_sdk::__private::InFiles {
                entry: #entry,
                files: &[#((#names, #texts)),*],
                config: #config,
            })
        },
    }
    .items();
    Ok(quote! {
        #[doc = #doc]
        #[allow(
            dead_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic,
            reason = "the workflow says what there is, and a program need not use all of it"
        )]
        pub mod #ident {
            use ::pop_sdk::#runtime::{self as typed, serde};

            /// The workflow as it is written in its file.
            pub const SOURCE: &str = ::core::include_str!(#source);

            #module
        }
    })
}

/// The fields of `Inputs` that must be given.
fn required(types: &syn::File) -> Vec<Required> {
    let inputs = types.items.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == "Inputs" => Some(&item.fields),
        _ => None,
    });
    let Some(Fields::Named(fields)) = inputs else { return Vec::new() };
    let required = fields.named.iter().filter(|field| !crate::fields::may_be_left_out(field));
    required.filter_map(|field| field.ident.as_ref()).map(Required::new).collect()
}
