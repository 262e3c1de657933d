//! From the tokens of `workflow!` to a [`Workflow`].

use std::collections::HashMap;

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Error, Ident, LitStr, Path, Token, braced, bracketed, parenthesized};

use super::tree::{Each, Input, Operation, Root, Value, Workflow};
use super::values::{fields, inside, is_call, list, run_setting, settings};

/// What may stand behind an operation.
const BEHIND: &str = "expected `;`, `with { … }`, `when …` or `after [ … ]`";

/// Reads the whole macro. Faults inside the body are added to `errors`, and reading goes on behind them.
pub(super) fn workflow(tokens: TokenStream, errors: &mut Vec<Error>) -> syn::Result<Workflow> {
    let parser = |input: ParseStream<'_>| head(input, errors);
    parser.parse2(tokens)
}

fn head(input: ParseStream<'_>, errors: &mut Vec<Error>) -> syn::Result<Workflow> {
    let attributes = input.call(Attribute::parse_outer)?;
    let (mut name, mut version) = (None, None);
    for attribute in &attributes {
        if attribute.path().is_ident("doc") {
            continue;
        }
        if !attribute.path().is_ident("workflow") {
            let message = "unexpected attribute of a workflow: use doc comments and `#[workflow(name = \"…\", version = \"…\")]` only";
            errors.push(Error::new_spanned(attribute, message));
            continue;
        }
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("version") {
                version = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("unknown argument; use name or version"));
            }
            Ok(())
        });
        errors.extend(read.err());
    }
    let visibility = input.parse()?;
    let ident: Ident = input.parse()?;
    let inputs = inputs(input, errors)?;
    input.parse::<Token![->]>()?;
    let output = input.parse()?;
    let mut run = Vec::new();
    if input.peek(Ident) {
        let word: Ident = input.parse()?;
        if word != "with" {
            return Err(Error::new(word.span(), "expected `with { … }` or the workflow's body"));
        }
        match settings(input, run_setting) {
            Ok((read, _)) => run = read,
            Err(error) => errors.push(error),
        }
    }
    let body;
    braced!(body in input);
    let (operations, result) = statements(&body, errors)?;
    if result.is_none() && errors.is_empty() {
        errors.push(Error::new(
            ident.span(),
            "missing result: end the workflow with a value such as `package.manifest`",
        ));
    }
    let docs = crate::fields::docs(&attributes);
    let mut roots: HashMap<String, Root> =
        inputs.iter().map(|i: &Input| (i.ident.to_string(), Root::Input)).collect();
    roots.extend(operations.iter().enumerate().map(|(i, o)| (o.ident.to_string(), Root::Operation(i))));
    let doc_attributes = attributes.into_iter().filter(|a| a.path().is_ident("doc")).collect();
    Ok(Workflow {
        docs,
        doc_attributes,
        name,
        version,
        visibility,
        ident,
        inputs,
        output,
        run,
        operations,
        result,
        roots,
    })
}

fn inputs(input: ParseStream<'_>, errors: &mut Vec<Error>) -> syn::Result<Vec<Input>> {
    let list;
    parenthesized!(list in input);
    let mut inputs = Vec::new();
    while !list.is_empty() {
        let read = list.parse().and_then(|one| {
            inputs.push(one);
            if list.is_empty() { Ok(()) } else { list.parse::<Token![,]>().map(drop) }
        });
        if let Err(error) = read {
            errors.push(error);
            while !list.is_empty() && list.parse::<Option<Token![,]>>()?.is_none() {
                list.parse::<proc_macro2::TokenTree>()?;
            }
        }
    }
    Ok(inputs)
}

type Statements = (Vec<Operation>, Option<Value>);

fn statements(body: ParseStream<'_>, errors: &mut Vec<Error>) -> syn::Result<Statements> {
    let mut operations = Vec::new();
    let mut result = None;
    while !body.is_empty() {
        if body.peek(Token![let]) || body.peek(Token![#]) {
            match operation(body, errors) {
                Ok(operation) => {
                    if operation.broken {
                        skip_statement(body)?;
                    }
                    operations.push(operation);
                }
                Err(error) => {
                    errors.push(error);
                    skip_statement(body)?;
                }
            }
            continue;
        }
        match body.parse() {
            Ok(value) => result = Some(value),
            Err(error) => {
                errors.push(error);
                skip_statement(body)?;
                continue;
            }
        }
        if !body.is_empty() {
            errors.push(
                body.error("the result is the last thing in a workflow; put `let` statements before it"),
            );
            skip_statement(body)?;
        }
    }
    Ok((operations, result))
}

/// Goes on behind the next semicolon.
fn skip_statement(body: ParseStream<'_>) -> syn::Result<()> {
    while !body.is_empty() {
        if body.peek(Token![;]) {
            body.parse::<Token![;]>()?;
            return Ok(());
        }
        body.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let docs = crate::fields::docs(&input.call(Attribute::parse_outer)?);
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        let default = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self { docs, ident, ty, default })
    }
}

/// One `let`. What follows its name may have a fault: then what was read before comes back as broken.
fn operation(input: ParseStream<'_>, errors: &mut Vec<Error>) -> syn::Result<Operation> {
    let attributes = input.call(Attribute::parse_outer)?;
    let mut name = None;
    for attribute in attributes.iter().filter(|a| !a.path().is_ident("doc")) {
        let value = attribute.meta.require_name_value();
        let read = value.and_then(|pair| {
            let tokens = quote::ToTokens::to_token_stream(&pair.value);
            if pair.path.is_ident("name") {
                syn::parse2::<LitStr>(tokens)
            } else {
                Err(Error::new_spanned(pair, ""))
            }
        });
        match read {
            Ok(text) => name = Some(text),
            Err(_) => errors.push(Error::new_spanned(
                attribute,
                "an operation has doc comments and `#[name = \"…\"]`, no other attributes",
            )),
        }
    }
    input.parse::<Token![let]>()?;
    let ident: Ident = input.parse()?;
    let mut made = Operation {
        docs: crate::fields::docs(&attributes),
        name,
        ident,
        each: None,
        kind: None,
        fields: Vec::new(),
        rest: None,
        settings: Vec::new(),
        when: None,
        after: Vec::new(),
        broken: false,
    };
    if let Err(error) = definition(input, &mut made) {
        errors.push(error);
        made.broken = true;
    }
    Ok(made)
}

fn definition(input: ParseStream<'_>, made: &mut Operation) -> syn::Result<()> {
    input.parse::<Token![=]>()?;
    if input.peek(Token![for]) {
        input.parse::<Token![for]>()?;
        made.each = Some(each(input)?);
        let body;
        braced!(body in input);
        inside(&body, |body| {
            call(body, made)?;
            if body.is_empty() { Ok(()) } else { Err(body.error("a `for` holds exactly one operation")) }
        })?;
    } else {
        call(input, made)?;
    }
    while !input.peek(Token![;]) {
        let word: Ident = input.parse().map_err(|e| Error::new(e.span(), BEHIND))?;
        match word.to_string().as_str() {
            "with" => made.settings = settings(input, |_, input| input.parse())?.0,
            "when" => made.when = Some((word, input.parse()?)),
            "after" => {
                let names;
                bracketed!(names in input);
                made.after = list(&names)?;
            }
            _ => return Err(Error::new(word.span(), BEHIND)),
        }
    }
    input.parse::<Token![;]>()?;
    Ok(())
}

/// `rung in ladder`, or `(i, rung) in ladder.iter().enumerate()`
fn each(input: ParseStream<'_>) -> syn::Result<Each> {
    let (item, index) = if input.peek(syn::token::Paren) {
        let pair;
        parenthesized!(pair in input);
        let index = inside(&pair, |pair| {
            let index: Ident = pair.parse()?;
            pair.parse::<Token![,]>()?;
            Ok(index)
        })?;
        let item = inside(&pair, |pair| {
            let item: Ident = pair.parse()?;
            if pair.is_empty() { Ok(item) } else { Err(pair.error("expected `(index, item)`")) }
        })?;
        (item, Some(index))
    } else {
        (input.parse()?, None)
    };
    input.parse::<Token![in]>()?;
    let list = input.parse()?;
    if is_call(input, &["iter"]) {
        method(input)?;
    }
    let enumerated = is_call(input, &["enumerate"]).then(|| method(input)).transpose()?;
    match (&index, enumerated) {
        (Some(index), None) => {
            Err(Error::new(index.span(), "write `in list.iter().enumerate()` for the index"))
        }
        (None, Some(word)) => {
            Err(Error::new(word.span(), "with `enumerate()`, write `for (index, item) in …`"))
        }
        _ => Ok(Each { item, index, list }),
    }
}

/// `.word()`
fn method(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.parse::<Token![.]>()?;
    let word: Ident = input.parse()?;
    let nothing;
    parenthesized!(nothing in input);
    if nothing.is_empty() { Ok(word) } else { Err(nothing.error(format!("`{word}` takes no arguments"))) }
}

fn call(input: ParseStream<'_>, made: &mut Operation) -> syn::Result<()> {
    let kind = input
        .call(Path::parse_mod_style)
        .map_err(|e| Error::new(e.span(), "expected an operation, such as `Probe { url: source }`"))?;
    made.kind = Some(kind);
    (made.fields, made.rest) = fields(input)?;
    Ok(())
}
