//! What stands in the parentheses of `#[operation(…)]`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, ExprArray, Ident, Lit, LitStr, Token, Type};

use super::setting::Setting;

/// Keys of the arguments.
const KEYS: [&str; 10] = [
    "output",
    "command",
    "args",
    "stdin",
    "stdout",
    "image",
    "kubernetes",
    "secrets",
    "idempotent",
    "description",
];

/// The arguments.
pub(super) struct Arguments {
    pub(super) name: LitStr,
    pub(super) output: Type,
    pub(super) command: Vec<LitStr>,
    pub(super) args: Vec<LitStr>,
    pub(super) stdin: Option<LitStr>,
    /// A variant of `Stdout`.
    pub(super) stdout: Ident,
    pub(super) stdout_text: Option<LitStr>,
    pub(super) image: Option<LitStr>,
    /// `kubernetes`, `secrets` and `idempotent`.
    pub(super) settings: Vec<(Ident, Setting)>,
    pub(super) description: Option<LitStr>,
    keys: Vec<Ident>,
}

impl Arguments {
    /// Reads all that can be read; every fault goes to `errors`. Nothing comes back without a name or an output.
    pub(super) fn read(tokens: TokenStream, errors: &mut Vec<Error>) -> Option<Self> {
        let parser = |input: ParseStream<'_>| Ok(arguments(input, errors));
        match parser.parse2(tokens) {
            Ok(made) => made,
            Err(error) => {
                errors.push(error);
                None
            }
        }
    }

    /// The token of an argument's key.
    pub(super) fn key(&self, key: &str) -> Span {
        self.keys.iter().find(|ident| *ident == key).map_or(self.name.span(), Ident::span)
    }
}

fn arguments(input: ParseStream<'_>, errors: &mut Vec<Error>) -> Option<Arguments> {
    let Ok(name) = input.parse::<LitStr>() else {
        errors.push(
            input.error("name the operation type first: `#[operation(\"media.probe\", output = Type)]`"),
        );
        skip(input);
        return None;
    };
    let mut made = Arguments {
        output: Type::Verbatim(TokenStream::new()),
        command: Vec::new(),
        args: Vec::new(),
        stdin: None,
        stdout: Ident::new("Log", Span::call_site()),
        stdout_text: None,
        image: None,
        settings: Vec::new(),
        description: None,
        keys: Vec::new(),
        name,
    };
    let mut output = None;
    while !input.is_empty() {
        if let Err(error) = argument(input, &mut made, &mut output) {
            errors.push(error);
            skip(input);
        }
    }
    if output.is_none() && !errors.iter().any(|e| e.to_string().contains("output")) {
        errors.push(Error::new(
            made.name.span(),
            "missing output type: write `#[operation(\"…\", output = Type)]`",
        ));
    }
    made.output = output?;
    Some(made)
}

fn argument(input: ParseStream<'_>, made: &mut Arguments, output: &mut Option<Type>) -> syn::Result<()> {
    input.parse::<Token![,]>()?;
    if input.is_empty() {
        return Ok(());
    }
    let key: Ident = input.parse()?;
    let word = key.to_string();
    if !KEYS.contains(&word.as_str()) {
        let (last, others) = KEYS.split_last().map_or(("", &[][..]), |(last, others)| (*last, others));
        let message = format!("unknown argument `{word}`; use {} or {last}", others.join(", "));
        return Err(Error::new(key.span(), message));
    }
    input.parse::<Token![=]>()?;
    match word.as_str() {
        "output" => *output = Some(input.parse()?),
        "command" => made.command = texts(input)?,
        "args" => made.args = texts(input)?,
        "stdin" => made.stdin = Some(input.parse()?),
        "stdout" => {
            let text = input.parse()?;
            made.stdout = stdout(&text)?;
            made.stdout_text = Some(text);
        }
        "image" => made.image = Some(input.parse()?),
        "description" => made.description = Some(input.parse()?),
        _ => made.settings.push((key.clone(), input.parse()?)),
    }
    made.keys.push(key);
    Ok(())
}

fn stdout(text: &LitStr) -> syn::Result<Ident> {
    let variant = match text.value().as_str() {
        "log" => "Log",
        "json" => "Json",
        "text" => "Text",
        "lines" => "Lines",
        _ => {
            return Err(Error::new(
                text.span(),
                "invalid `stdout`: use \"log\", \"json\", \"text\" or \"lines\"",
            ));
        }
    };
    Ok(Ident::new(variant, Span::call_site()))
}

fn texts(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let list: ExprArray = input.parse().map_err(|e| {
        Error::new(e.span(), "expected a list of texts, such as `[\"probe\", \"${with.url}\"]`")
    })?;
    list.elems
        .into_iter()
        .map(|element| match element {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
            other => Err(Error::new_spanned(other, "invalid part of a command: use a text in quotes")),
        })
        .collect()
}

/// Goes on before the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
