//! `#[operation]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprArray, Fields, Ident, ItemStruct, Lit, LitStr, Meta, Token, Type};

/// The attribute's arguments.
struct Arguments {
    name: LitStr,
    output: Type,
    command: Vec<LitStr>,
    args: Vec<LitStr>,
    stdin: Option<LitStr>,
    stdout: Option<LitStr>,
    image: Option<LitStr>,
    description: Option<LitStr>,
}

/// The struct as it was, and what it implements. Faults become errors beside the struct, which always survives.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let implementation = implement(attribute, item.clone()).unwrap_or_else(|error| error.to_compile_error());
    quote! { #item #implementation }
}

fn implement(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(attribute)?;
    let item: ItemStruct = syn::parse2(item)
        .map_err(|e| Error::new(e.span(), "`#[operation]` goes on a struct: the operation's input"))?;
    let Fields::Named(named) = &item.fields else {
        return Err(Error::new_spanned(&item.ident, "an operation's input needs named fields"));
    };
    let rename_all = serde_argument(&item.attrs, "rename_all");
    let mut pairs = Vec::new();
    let idents: Vec<&Ident> = named.named.iter().filter_map(|f| f.ident.as_ref()).collect();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let rust = ident.to_string();
        let rust = rust.strip_prefix("r#").unwrap_or(&rust);
        let json = match (serde_argument(&field.attrs, "rename"), &rename_all) {
            (Some(name), _) => name.value(),
            (None, Some(rule)) => renamed(rust, rule)?,
            (None, None) => rust.to_owned(),
        };
        pairs.push(quote! { (#rust, #json) });
    }
    let Arguments { name, output, command, args, stdin, stdout, image, description } = &arguments;
    let none = || quote! { ::core::option::Option::None };
    let description = description
        .as_ref()
        .map(LitStr::value)
        .or_else(|| docs(&item.attrs))
        .map_or_else(none, |text| quote! { ::core::option::Option::Some(#text) });
    let stdout = match stdout.as_ref().map(LitStr::value).as_deref() {
        None | Some("log") => quote! { Log },
        Some("json") => quote! { Json },
        Some("text") => quote! { Text },
        Some("lines") => quote! { Lines },
        Some(_) => {
            return Err(Error::new_spanned(stdout, "`stdout` is \"log\", \"json\", \"text\" or \"lines\""));
        }
    };
    let optional = |text: &Option<LitStr>| {
        let some = |text| quote! { ::core::option::Option::Some(::std::string::String::from(#text)) };
        text.as_ref().map_or_else(none, some)
    };
    let (stdin, image) = (optional(stdin), optional(image));
    let ident = &item.ident;
    let (impl_generics, type_generics, bounds) = item.generics.split_for_impl();
    Ok(quote_spanned! { ident.span() =>
        impl #impl_generics ::pop_sdk::Operation for #ident #type_generics #bounds {
            const TYPE: &'static str = #name;
            const FIELDS: &'static [(&'static str, &'static str)] = &[#(#pairs),*];
            type Output = #output;

            fn description() -> ::core::option::Option<&'static str> {
                #description
            }

            fn read_fields(&self) {
                let _ = (#(&self.#idents,)*);
            }

            fn run_spec() -> ::pop_sdk::__private::RunSpec {
                ::pop_sdk::__private::RunSpec {
                    command: ::std::vec![#(::std::string::String::from(#command)),*],
                    args: ::std::vec![#(::std::string::String::from(#args)),*],
                    stdin: #stdin,
                    stdout: ::pop_sdk::__private::Stdout::#stdout,
                    image: #image,
                    ..::core::default::Default::default()
                }
            }
        }
    })
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: LitStr = input.parse().map_err(|e| {
            Error::new(e.span(), "name the operation type first: `#[operation(\"media.probe\", …)]`")
        })?;
        let mut output = None;
        let mut made = Self {
            output: Type::Verbatim(TokenStream::new()),
            command: Vec::new(),
            args: Vec::new(),
            stdin: None,
            stdout: None,
            image: None,
            description: None,
            name,
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "output" => output = Some(input.parse()?),
                "command" => made.command = texts(input)?,
                "args" => made.args = texts(input)?,
                "stdin" => made.stdin = Some(input.parse()?),
                "stdout" => made.stdout = Some(input.parse()?),
                "image" => made.image = Some(input.parse()?),
                "description" => made.description = Some(input.parse()?),
                other => {
                    let message = format!(
                        "there is no argument `{other}`; there are output, command, args, stdin, stdout, image and description"
                    );
                    return Err(Error::new(key.span(), message));
                }
            }
        }
        made.output = output.ok_or_else(|| {
            Error::new(made.name.span(), "say what it gives: `#[operation(\"…\", output = Type)]`")
        })?;
        Ok(made)
    }
}

fn texts(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let list: ExprArray = input.parse()?;
    list.elems
        .into_iter()
        .map(|element| match element {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
            other => Err(Error::new_spanned(other, "each part of a command is a text in quotes")),
        })
        .collect()
}

/// The text of `#[serde(KEY = "…")]`.
fn serde_argument(attributes: &[syn::Attribute], key: &str) -> Option<LitStr> {
    for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
        let Meta::List(list) = &attribute.meta else { continue };
        let Ok(metas) = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone()) else {
            continue;
        };
        for meta in metas {
            if let Meta::NameValue(pair) = meta
                && pair.path.is_ident(key)
                && let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = pair.value
            {
                return Some(text);
            }
        }
    }
    None
}

/// A field's name under serde's `rename_all`.
fn renamed(field: &str, rule: &LitStr) -> syn::Result<String> {
    let words: Vec<&str> = field.split('_').filter(|w| !w.is_empty()).collect();
    let capital = |w: &&str| w[..1].to_uppercase() + &w[1..];
    Ok(match rule.value().as_str() {
        "lowercase" | "snake_case" => field.to_owned(),
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_uppercase(),
        "kebab-case" => words.join("-"),
        "SCREAMING-KEBAB-CASE" => words.join("-").to_uppercase(),
        "PascalCase" => words.iter().map(capital).collect(),
        "camelCase" => {
            let head = words.first().copied().unwrap_or_default().to_owned();
            head + &words.iter().skip(1).map(capital).collect::<String>()
        }
        _ => return Err(Error::new(rule.span(), "serde has no such `rename_all`")),
    })
}

/// The text of a doc comment.
pub(crate) fn docs(attributes: &[syn::Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(|a| match &a.meta {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let text = lines.join(" ").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
