//! The tokens of `workflow!` as a tree.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    Attribute, Error, Ident, Lit, LitInt, LitStr, Path, Token, Type, Visibility, braced, bracketed,
    parenthesized, token,
};

/// A workflow.
pub(super) struct Workflow {
    pub(super) docs: Option<String>,
    pub(super) doc_attributes: Vec<Attribute>,
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) visibility: Visibility,
    pub(super) ident: Ident,
    pub(super) inputs: Vec<Input>,
    pub(super) output: Type,
    pub(super) operations: Vec<Operation>,
    pub(super) result: Option<Value>,
}

/// One input.
pub(super) struct Input {
    pub(super) docs: Option<String>,
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) default: Option<Value>,
}

/// `let name = …;`
pub(super) struct Operation {
    pub(super) ident: Ident,
    pub(super) each: Option<(Ident, Value)>,
    pub(super) kind: Path,
    pub(super) fields: Vec<Field>,
    pub(super) settings: Vec<(Ident, Setting)>,
    pub(super) when: Option<Value>,
    pub(super) after: Vec<Ident>,
}

/// `name: value`
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) value: Value,
}

/// The value of a setting such as `retry`.
pub(super) enum Setting {
    Lit(Lit),
    List(Vec<Setting>, Span),
    Record(Vec<(Ident, Setting)>, Span),
}

/// A value.
pub(super) enum Value {
    /// A number or a boolean, and whether it is negative.
    Lit(Lit, bool),
    Text(LitStr, Vec<Part>),
    List(Vec<Value>, Span),
    Record(Path, Vec<Field>),
    Some(Span, Box<Value>),
    None(Ident),
    Reference(Reference),
}

/// A piece of a text.
pub(super) enum Part {
    Text(String),
    Reference(Reference),
}

/// `probe.duration`, `encode[*].file`, `split.lines[0]`
pub(super) struct Reference {
    pub(super) root: Ident,
    pub(super) path: Vec<Segment>,
}

/// One step of a reference.
pub(super) enum Segment {
    Field(Ident),
    Index(LitInt),
    All(Span),
}

/// Reads the whole macro. Faults inside the body are added to `errors`, and reading goes on behind them.
pub(super) fn workflow(tokens: TokenStream, errors: &mut Vec<Error>) -> syn::Result<Workflow> {
    let parser = |input: ParseStream<'_>| head(input, errors);
    parser.parse2(tokens)
}

fn head(input: ParseStream<'_>, errors: &mut Vec<Error>) -> syn::Result<Workflow> {
    let attributes = input.call(Attribute::parse_outer)?;
    let (mut name, mut version) = (None, None);
    for attribute in attributes.iter().filter(|a| a.path().is_ident("workflow")) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("version") {
                version = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("there are `name` and `version`"));
            }
            Ok(())
        });
        errors.extend(read.err());
    }
    let visibility = input.parse()?;
    let ident: Ident = input.parse()?;
    let list;
    parenthesized!(list in input);
    let mut inputs = Vec::new();
    while !list.is_empty() {
        inputs.push(list.parse()?);
        if list.is_empty() {
            break;
        }
        list.parse::<Token![,]>()?;
    }
    input.parse::<Token![->]>()?;
    let output = input.parse()?;
    let body;
    braced!(body in input);
    let mut operations = Vec::new();
    let mut result = None;
    while !body.is_empty() {
        if body.peek(Token![let]) {
            match body.call(operation) {
                Ok(operation) => operations.push(operation),
                Err(error) => {
                    errors.push(error);
                    skip_statement(&body)?;
                }
            }
        } else {
            match body.parse() {
                Ok(value) => result = Some(value),
                Err(error) => {
                    errors.push(error);
                    skip_statement(&body)?;
                    continue;
                }
            }
            if !body.is_empty() {
                errors.push(
                    body.error("the result is the last thing in a workflow; put `let` statements before it"),
                );
                skip_statement(&body)?;
            }
        }
    }
    if result.is_none() && errors.is_empty() {
        errors.push(Error::new(ident.span(), "a workflow ends with its result, such as `package.manifest`"));
    }
    let docs = crate::operation::docs(&attributes);
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
        operations,
        result,
    })
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
        let docs = crate::operation::docs(&input.call(Attribute::parse_outer)?);
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

fn operation(input: ParseStream<'_>) -> syn::Result<Operation> {
    input.parse::<Token![let]>()?;
    let ident: Ident = input.parse()?;
    input.parse::<Token![=]>()?;
    let mut made = if input.peek(Token![for]) {
        input.parse::<Token![for]>()?;
        let item: Ident = input.parse()?;
        input.parse::<Token![in]>()?;
        let list = input.parse()?;
        let body;
        braced!(body in input);
        let mut made = call(ident, &body)?;
        if !body.is_empty() {
            return Err(body.error("a `for` holds exactly one operation"));
        }
        made.each = Some((item, list));
        made
    } else {
        call(ident, input)?
    };
    while !input.peek(Token![;]) {
        let word: Ident = input
            .parse()
            .map_err(|e| Error::new(e.span(), "expected `;`, `with { … }`, `when …` or `after [ … ]`"))?;
        match word.to_string().as_str() {
            "with" => made.settings = settings(input)?.0,
            "when" => made.when = Some(input.parse()?),
            "after" => {
                let list;
                bracketed!(list in input);
                made.after = list.parse_terminated(Ident::parse, Token![,])?.into_iter().collect();
            }
            _ => {
                return Err(Error::new(word.span(), "expected `;`, `with { … }`, `when …` or `after [ … ]`"));
            }
        }
    }
    input.parse::<Token![;]>()?;
    Ok(made)
}

fn call(ident: Ident, input: ParseStream<'_>) -> syn::Result<Operation> {
    let kind = input
        .call(Path::parse_mod_style)
        .map_err(|e| Error::new(e.span(), "expected an operation, such as `Probe { url: source }`"))?;
    let fields = fields(input)?;
    Ok(Operation { ident, each: None, kind, fields, settings: Vec::new(), when: None, after: Vec::new() })
}

fn fields(input: ParseStream<'_>) -> syn::Result<Vec<Field>> {
    let body;
    braced!(body in input);
    let mut fields = Vec::new();
    while !body.is_empty() {
        let ident: Ident = body.parse()?;
        let value = if body.peek(Token![:]) {
            body.parse::<Token![:]>()?;
            body.parse()?
        } else {
            Value::Reference(Reference { root: ident.clone(), path: Vec::new() })
        };
        fields.push(Field { ident, value });
        if body.is_empty() {
            break;
        }
        body.parse::<Token![,]>()?;
    }
    Ok(fields)
}

type Settings = (Vec<(Ident, Setting)>, Span);

fn settings(input: ParseStream<'_>) -> syn::Result<Settings> {
    let body;
    let brace = braced!(body in input);
    let mut settings = Vec::new();
    while !body.is_empty() {
        let key: Ident = body.parse()?;
        body.parse::<Token![:]>()?;
        settings.push((key, body.parse()?));
        if body.is_empty() {
            break;
        }
        body.parse::<Token![,]>()?;
    }
    Ok((settings, brace.span.join()))
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(token::Brace) {
            let (settings, span) = settings(input)?;
            return Ok(Self::Record(settings, span));
        }
        if input.peek(token::Bracket) {
            let body;
            let bracket = bracketed!(body in input);
            let items = body.parse_terminated(Self::parse, Token![,])?.into_iter().collect();
            return Ok(Self::List(items, bracket.span.join()));
        }
        input.parse().map(Self::Lit)
    }
}

impl Parse for Value {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            let parts = parts(&text)?;
            return Ok(Self::Text(text, parts));
        }
        if input.peek(Token![-]) {
            input.parse::<Token![-]>()?;
            return Ok(Self::Lit(input.parse()?, true));
        }
        if input.peek(Lit) {
            return Ok(Self::Lit(input.parse()?, false));
        }
        if input.peek(token::Bracket) {
            let body;
            let bracket = bracketed!(body in input);
            let items = body.parse_terminated(Self::parse, Token![,])?.into_iter().collect();
            return Ok(Self::List(items, bracket.span.join()));
        }
        if input.peek(Ident) {
            let is_path = input.peek2(Token![::]) || (input.peek2(token::Brace) && starts_upper(input));
            if is_path {
                let path = input.call(Path::parse_mod_style)?;
                return Ok(Self::Record(path, fields(input)?));
            }
            let root: Ident = input.parse()?;
            if root == "None" {
                return Ok(Self::None(root));
            }
            if root == "Some" && input.peek(token::Paren) {
                let inner;
                parenthesized!(inner in input);
                return Ok(Self::Some(root.span(), Box::new(inner.parse()?)));
            }
            return reference(root, input).map(Self::Reference);
        }
        Err(input.error("expected a value: a literal, `[ … ]`, an input, or an operation's output such as `probe.duration`"))
    }
}

/// Whether the next word is written like a type: a `{` behind it is a struct literal, not the body of a `for`.
fn starts_upper(input: ParseStream<'_>) -> bool {
    input.fork().parse::<Ident>().is_ok_and(|i| i.to_string().starts_with(char::is_uppercase))
}

fn reference(root: Ident, input: ParseStream<'_>) -> syn::Result<Reference> {
    let mut path = Vec::new();
    loop {
        if input.peek(Token![.]) {
            input.parse::<Token![.]>()?;
            path.push(Segment::Field(input.parse()?));
        } else if input.peek(token::Bracket) {
            let index;
            let bracket = bracketed!(index in input);
            if index.peek(Token![*]) {
                index.parse::<Token![*]>()?;
                path.push(Segment::All(bracket.span.join()));
            } else {
                path.push(Segment::Index(
                    index.parse().map_err(|e| Error::new(e.span(), "expected a number, or `*` for all"))?,
                ));
            }
        } else {
            return Ok(Reference { root, path });
        }
    }
}

/// The pieces of a text: `{probe.title}` is a reference, `{{` and `}}` are braces.
fn parts(literal: &LitStr) -> syn::Result<Vec<Part>> {
    let text = literal.value();
    let wrong = |message: &str| Error::new(literal.span(), message);
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => plain.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => plain.push('}'),
            '}' => return Err(wrong("a `}` without `{`; write `}}` for the brace itself")),
            '{' => {
                let mut inner = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => inner.push(c),
                        None => return Err(wrong("a `{` without `}`; write `{{` for the brace itself")),
                    }
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                let parser = |input: ParseStream<'_>| {
                    let root = input.parse()?;
                    reference(root, input)
                };
                let mut found = parser.parse_str(&inner).map_err(|_| {
                    wrong(&format!("`{{{inner}}}` is not a reference such as `{{probe.title}}`"))
                })?;
                found.respan(literal.span());
                parts.push(Part::Reference(found));
            }
            other => plain.push(other),
        }
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

impl Reference {
    fn respan(&mut self, span: Span) {
        self.root.set_span(span);
        for segment in &mut self.path {
            match segment {
                Segment::Field(ident) => ident.set_span(span),
                Segment::Index(number) => number.set_span(span),
                Segment::All(at) => *at = span,
            }
        }
    }
}
