//! Values, and the references in them.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Error, Ident, Lit, LitStr, Path, Token, braced, bracketed, parenthesized, token};

use super::tree::{Fallback, Field, Part, Reference, RunSetting, Segment, Setting, Value};

/// Reads the inside of some brackets. After a fault the rest is thrown away: it would only be reported once more.
pub(super) fn inside<T>(
    body: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let made = read(body);
    if made.is_err() {
        body.parse::<TokenStream>()?;
    }
    made
}

/// Things with commas between them.
pub(super) fn list<T: Parse>(body: ParseStream<'_>) -> syn::Result<Vec<T>> {
    inside(body, |body| Ok(body.parse_terminated(T::parse, Token![,])?.into_iter().collect()))
}

/// The fields of a struct literal, and the `..` behind them.
pub(super) fn fields(input: ParseStream<'_>) -> syn::Result<(Vec<Field>, Option<Span>)> {
    let body;
    braced!(body in input);
    inside(&body, |body| {
        let mut fields = Vec::new();
        while !body.is_empty() {
            if body.peek(Token![..]) {
                let rest = body.parse::<Token![..]>()?.spans[0];
                return if body.is_empty() {
                    Ok((fields, Some(rest)))
                } else {
                    Err(body.error("`..` is the last thing in the braces: the other fields are left out"))
                };
            }
            let ident: Ident = body.parse()?;
            let value = if body.peek(Token![:]) {
                body.parse::<Token![:]>()?;
                body.parse()?
            } else {
                Value::Reference(Reference { root: ident.clone(), path: Vec::new(), fallback: None })
            };
            fields.push(Field { ident, value });
            if body.is_empty() {
                break;
            }
            body.parse::<Token![,]>()?;
        }
        Ok((fields, None))
    })
}

type Settings<T> = (Vec<(Ident, T)>, Span);

/// `{ key: value, … }`; a key decides how its value is read.
pub(super) fn settings<T>(
    input: ParseStream<'_>,
    read: impl Fn(&Ident, ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Settings<T>> {
    let body;
    let brace = braced!(body in input);
    let settings = inside(&body, |body| {
        let mut settings = Vec::new();
        while !body.is_empty() {
            let key: Ident = body.parse()?;
            body.parse::<Token![:]>()?;
            let value = read(&key, body)?;
            settings.push((key, value));
            if !body.is_empty() {
                body.parse::<Token![,]>()?;
            }
        }
        Ok(settings)
    })?;
    Ok((settings, brace.span.join()))
}

/// The value of a setting of the run: a link may hold references.
pub(super) fn run_setting(key: &Ident, input: ParseStream<'_>) -> syn::Result<RunSetting> {
    if key == "link" { input.parse().map(RunSetting::Value) } else { input.parse().map(RunSetting::Plain) }
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(token::Brace) {
            let (settings, span) = settings(input, |_, input| input.parse())?;
            return Ok(Self::Record(settings, span));
        }
        if input.peek(token::Bracket) {
            let body;
            let bracket = bracketed!(body in input);
            return Ok(Self::List(list(&body)?, bracket.span.join()));
        }
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        Ok(Self::Lit(input.parse()?, negative))
    }
}

/// A literal of any kind, when there is one.
fn literal(input: ParseStream<'_>) -> syn::Result<Option<Value>> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        let parts = parts(&text)?;
        return Ok(Some(Value::Text(text, parts)));
    }
    if input.peek(Token![-]) {
        input.parse::<Token![-]>()?;
        return Ok(Some(Value::Lit(input.parse()?, true)));
    }
    if input.peek(Lit) {
        return Ok(Some(Value::Lit(input.parse()?, false)));
    }
    Ok(None)
}

impl Parse for Value {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if let Some(literal) = literal(input)? {
            return Ok(literal);
        }
        if input.peek(token::Bracket) {
            let body;
            let bracket = bracketed!(body in input);
            return Ok(Self::List(list(&body)?, bracket.span.join()));
        }
        if [input.peek(Token![super]), input.peek(Token![crate]), input.peek(Token![self])].contains(&true) {
            return at_path(input);
        }
        if input.peek(Ident) {
            let braces = input.peek2(token::Brace) && starts_upper(input);
            if input.peek2(Token![::]) || braces {
                return at_path(input);
            }
            let root: Ident = input.parse()?;
            if root == "None" {
                return Ok(Self::None(root));
            }
            if root == "Some" && input.peek(token::Paren) {
                let inner;
                parenthesized!(inner in input);
                return Ok(Self::Some(root.span(), Box::new(inside(&inner, Self::parse)?)));
            }
            if input.peek(Token![!]) {
                return json(root, input);
            }
            return reference(root, input).map(Self::Reference);
        }
        Err(input.error("expected a value: a literal, `[ … ]`, an input, or an operation's output such as `probe.duration`"))
    }
}

/// `Path { … }`, `Path::from([ … ])`, `path::json!( … )`, or a constant such as `Mode::Fast`.
fn at_path(input: ParseStream<'_>) -> syn::Result<Value> {
    let path = input.call(Path::parse_mod_style)?;
    if let Some(last) = path.segments.last() {
        if input.peek(Token![!]) {
            return json(last.ident.clone(), input);
        }
        if input.peek(token::Paren) && last.ident == "from" {
            return map(path, input);
        }
        if input.peek(token::Paren) {
            let message = "calls are not allowed here: put the work into an operation. Allowed are `Path { … }`, `BTreeMap::from([ … ])` and constants such as `Mode::Fast`";
            return Err(Error::new(last.ident.span(), message));
        }
        if path.segments.len() > 1 && !input.peek(token::Brace) {
            return Ok(Value::Constant(path));
        }
    }
    let (fields, rest) = fields(input)?;
    Ok(Value::Record(path, fields, rest))
}

/// `([("key", value), …])`
fn map(path: Path, input: ParseStream<'_>) -> syn::Result<Value> {
    struct Entry(LitStr, Value);
    impl Parse for Entry {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let pair;
            parenthesized!(pair in input);
            inside(&pair, |pair| {
                let key = pair.parse()?;
                pair.parse::<Token![,]>()?;
                let value = pair.parse()?;
                pair.parse::<Option<Token![,]>>()?;
                if pair.is_empty() {
                    Ok(Self(key, value))
                } else {
                    Err(pair.error("expected `(key, value)` in the map"))
                }
            })
        }
    }
    let inner;
    parenthesized!(inner in input);
    inside(&inner, |inner| {
        let entries;
        bracketed!(entries in inner);
        let entries: Vec<Entry> = list(&entries)?;
        if !inner.is_empty() {
            return Err(inner.error("a map is written `BTreeMap::from([(\"key\", value)])`"));
        }
        Ok(Value::Map(path, entries.into_iter().map(|Entry(key, value)| (key, value)).collect()))
    })
}

/// `!( … )` behind `json`.
fn json(word: Ident, input: ParseStream<'_>) -> syn::Result<Value> {
    if word != "json" {
        let message = format!(
            "unknown macro `{word}!`: only `json!` is allowed here. Put other work into an operation"
        );
        return Err(Error::new(word.span(), message));
    }
    input.parse::<Token![!]>()?;
    let inner;
    parenthesized!(inner in input);
    let value = inside(&inner, |inner| {
        let Json(value) = inner.parse()?;
        if inner.is_empty() { Ok(value) } else { Err(inner.error("`json!` takes one value")) }
    })?;
    Ok(Value::Json(word, Box::new(value)))
}

/// A value inside `json!`.
struct Json(Value);

impl Parse for Json {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(token::Brace) {
            let body;
            let brace = braced!(body in input);
            let entries = inside(&body, |body| {
                let mut entries = Vec::new();
                while !body.is_empty() {
                    let key: LitStr = body.parse()?;
                    body.parse::<Token![:]>()?;
                    let Self(value) = body.parse()?;
                    entries.push((key, value));
                    if !body.is_empty() {
                        body.parse::<Token![,]>()?;
                    }
                }
                Ok(entries)
            })?;
            return Ok(Self(Value::Object(entries, brace.span.join())));
        }
        if input.peek(token::Bracket) {
            let body;
            let bracket = bracketed!(body in input);
            let items: Vec<Self> = list(&body)?;
            return Ok(Self(Value::List(items.into_iter().map(|i| i.0).collect(), bracket.span.join())));
        }
        if input.peek(Ident) && input.fork().parse::<Ident>()? == "null" {
            return Ok(Self(Value::None(input.parse()?)));
        }
        input.parse().map(Self)
    }
}

/// Whether the next word is written like a type: a `{` behind it is a struct literal, not the body of a `for`.
fn starts_upper(input: ParseStream<'_>) -> bool {
    input.fork().parse::<Ident>().is_ok_and(|i| i.to_string().starts_with(char::is_uppercase))
}

/// Whether `.word()` or `.word(…)` comes next.
pub(super) fn is_call(input: ParseStream<'_>, words: &[&str]) -> bool {
    let ahead = input.fork();
    ahead.parse::<Token![.]>().is_ok()
        && ahead.parse::<Ident>().is_ok_and(|word| words.iter().any(|w| word == w))
        && ahead.peek(token::Paren)
}

fn reference(root: Ident, input: ParseStream<'_>) -> syn::Result<Reference> {
    let mut path = Vec::new();
    loop {
        if is_call(input, &["unwrap_or", "ok"]) {
            let fallback = Some(fallback(input)?);
            return Ok(Reference { root, path, fallback });
        }
        if is_call(input, &["iter", "enumerate"]) {
            break; // of a `for`
        }
        if input.peek(Token![.]) {
            input.parse::<Token![.]>()?;
            let field: Ident = input.parse()?;
            if input.peek(token::Paren) {
                let message = format!(
                    "unknown method `{field}`: use `.unwrap_or(…)` or `.ok()`. Put other work into an operation"
                );
                return Err(Error::new(field.span(), message));
            }
            path.push(Segment::Field(field));
        } else if input.peek(token::Bracket) {
            let index;
            let bracket = bracketed!(index in input);
            path.push(inside(&index, |index| {
                if index.parse::<Option<Token![*]>>()?.is_some() {
                    return Ok(Segment::All(bracket.span.join()));
                }
                if index.peek(LitStr) {
                    return index.parse().map(Segment::Key);
                }
                let number = index.parse();
                number.map(Segment::Index).map_err(|e| {
                    Error::new(e.span(), "expected a number, `*` for all, or a key such as `\"name\"`")
                })
            })?);
        } else {
            break;
        }
    }
    Ok(Reference { root, path, fallback: None })
}

/// `.unwrap_or(literal)` or `.ok()`
fn fallback(input: ParseStream<'_>) -> syn::Result<Fallback> {
    input.parse::<Token![.]>()?;
    let word: Ident = input.parse()?;
    let inner;
    parenthesized!(inner in input);
    let value = inside(&inner, |inner| {
        if word == "ok" {
            return if inner.is_empty() { Ok(None) } else { Err(inner.error("`ok` takes no arguments")) };
        }
        let wrong = "invalid default: use a text, a number, `true` or `false`";
        let value = literal(inner)?.ok_or_else(|| inner.error(wrong))?;
        if let Value::Text(text, parts) = &value
            && parts.iter().any(|part| matches!(part, Part::Reference(_)))
        {
            return Err(Error::new(text.span(), "invalid default: a default cannot contain references"));
        }
        if inner.is_empty() { Ok(Some(Box::new(value))) } else { Err(inner.error(wrong)) }
    })?;
    if input.peek(Token![.]) || input.peek(token::Bracket) {
        return Err(input.error(format!("`.{word}(…)` must be the last part of a reference")));
    }
    Ok(Fallback { word, value })
}

/// The pieces of a text: `{probe.title}` is a reference, `{{` and `}}` are braces.
fn parts(literal: &LitStr) -> syn::Result<Vec<Part>> {
    let text = literal.value();
    if !text.contains(['{', '}']) {
        return Ok(vec![Part::Text(text)]);
    }
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
                let mut quoted = false;
                loop {
                    match chars.next() {
                        Some('}') if !quoted => break,
                        Some('\\') if quoted => {
                            inner.push('\\');
                            inner.extend(chars.next());
                        }
                        Some(c) => {
                            quoted ^= c == '"';
                            inner.push(c);
                        }
                        None => return Err(wrong("a `{` without `}`; write `{{` for the brace itself")),
                    }
                }
                if plain.ends_with('$') {
                    return Err(wrong(&format!(
                        "a reference in a text has no `$`: write `{{{inner}}}`, or `${{{{{inner}}}}}` for the text itself"
                    )));
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                let parser = |input: ParseStream<'_>| {
                    let root = input.parse()?;
                    reference(root, input)
                };
                let mut found = parser.parse_str(&inner).map_err(|_| {
                    wrong(&format!(
                        "invalid reference `{{{inner}}}`: write a reference such as `{{probe.title}}`"
                    ))
                })?;
                // At the text, but not as its own token: what rustc would put in its place is no replacement for it.
                found.respan(Span::call_site().located_at(literal.span()));
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
                Segment::Key(key) => key.set_span(span),
                Segment::All(at) => *at = span,
            }
        }
        if let Some(Fallback { word, value }) = &mut self.fallback {
            word.set_span(span);
            match value.as_deref_mut() {
                Some(Value::Lit(literal, _)) => literal.set_span(span),
                Some(Value::Text(text, _)) => text.set_span(span),
                _ => {}
            }
        }
    }
}
