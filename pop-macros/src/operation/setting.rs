//! Values of the arguments that have no Rust type: `{ gpu: 1, node_selector: { "disk": "ssd" } }`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Lit, LitStr, Token, braced, bracketed, token};

/// A value without references.
pub(super) enum Setting {
    /// A text, a number, `true` or `false`, in JSON.
    Plain(String, Span),
    List(Vec<Self>, Span),
    Table(Vec<(Key, Self)>, Span),
}

/// A key of a table: a word, or a text in quotes.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Span,
}

impl Parse for Key {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            return Ok(Self { name: text.value(), span: text.span() });
        }
        let word = input.call(Ident::parse_any).map_err(|e| {
            Error::new(e.span(), "expected a key: a word, or a text such as `\"example.com/name\"`")
        })?;
        Ok(Self { name: word.unraw().to_string(), span: word.span() })
    }
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(token::Brace) {
            let body;
            let brace = braced!(body in input);
            let entries = whole(&body, |body| {
                let mut entries = Vec::new();
                while !body.is_empty() {
                    let key = body.parse()?;
                    body.parse::<Token![:]>()?;
                    entries.push((key, body.parse()?));
                    if !body.is_empty() {
                        body.parse::<Token![,]>()?;
                    }
                }
                Ok(entries)
            })?;
            return Ok(Self::Table(entries, brace.span.join()));
        }
        if input.peek(token::Bracket) {
            let body;
            let bracket = bracketed!(body in input);
            let items = whole(&body, |body| body.parse_terminated(Self::parse, Token![,]))?;
            let items = items.into_iter().collect();
            return Ok(Self::List(items, bracket.span.join()));
        }
        let minus = input.parse::<Option<Token![-]>>()?.map_or("", |_| "-");
        let wrong = "expected a text, a number, `true`, `false`, `[ … ]` or `{ key: value }`";
        let literal: Lit = input.parse().map_err(|e| Error::new(e.span(), wrong))?;
        let json = match &literal {
            Lit::Str(text) if minus.is_empty() => serde_json::Value::from(text.value()).to_string(),
            Lit::Bool(flag) if minus.is_empty() => flag.value.to_string(),
            Lit::Int(number) => format!("{minus}{}", number.base10_digits()),
            Lit::Float(number) => format!("{minus}{}", number.base10_digits()),
            other => return Err(Error::new_spanned(other.to_token_stream(), wrong)),
        };
        Ok(Self::Plain(json, literal.span()))
    }
}

/// The inside of some brackets. After a fault the rest is skipped, because syn would report the rest as one more fault.
fn whole<T>(body: ParseStream<'_>, read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
    let made = read(body);
    if made.is_err() {
        body.parse::<TokenStream>()?;
    }
    made
}
