//! A function that is compiled and never run: each operation of the workflow as an ordinary binding, so that rustc checks
//! every name and type at the user's own token.
//!
//! It begins with an endless loop. What follows is type-checked like everything else, but is no part of the program: rustc
//! neither follows moves through it nor makes code of it, which is most of what it would cost.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};

use super::json::Owner;
use super::tree::{Fallback, Field, Operation, Part, Reference, RunSetting, Segment, Start, Value, Workflow};

/// The function. Of what is `faulty` it has no more than what others need.
pub(super) fn function(workflow: &Workflow, faulty: &HashSet<Owner>) -> TokenStream {
    let scope = Scope { workflow, inside: None };
    let mut body = TokenStream::new();
    for (i, input) in workflow.inputs.iter().enumerate() {
        let (ident, ty) = (&input.ident, &input.ty);
        if let Some(default) = input.default.as_ref().filter(|_| !faulty.contains(&Owner::Input(i))) {
            let value = scope.value(default);
            body.extend(quote! { let _: #ty = #value; });
        }
        body.extend(quote! { let #ident: #ty = __pop::any(); });
    }
    for (_, setting) in &workflow.run {
        if let RunSetting::Value(value) = setting
            && !faulty.contains(&Owner::Run)
        {
            let value = scope.value(value);
            body.extend(quote! { let _: ::std::string::String = #value; });
        }
    }
    for (i, operation) in workflow.operations.iter().enumerate() {
        if faulty.contains(&Owner::Operation(i)) {
            body.extend(output_only(operation));
        } else {
            scope.operation(operation, &mut body);
        }
    }
    let result = match &workflow.result {
        Some(value) if !faulty.contains(&Owner::Result) => scope.value(value),
        _ => quote! { __pop::any() },
    };
    // After a fault something may seem unused only because of it.
    let unused = if faulty.is_empty() { unused(workflow) } else { Vec::new() };
    let unused = unused.into_iter().map(|ident| match workflow.start(ident, None) {
        Start::Operation(_) if ident.to_string().starts_with('_') => TokenStream::new(),
        Start::Operation(operation) => unread(operation),
        _ => quote! { let #ident = (); },
    });
    let output = &workflow.output;
    quote! {
        /// Never called: it is here so that rustc checks every name and type.
        #[allow(dead_code, unreachable_code, clippy::all, clippy::pedantic, reason = "only type-checked")]
        fn type_check() -> #output {
            use ::pop_sdk::handle::{self as __pop, OrPlain as _};
            #(#unused)*
            loop {}
            #body
            #result
        }
    }
}

/// What nothing uses; rustc says so at the name.
fn unused(workflow: &Workflow) -> Vec<&Ident> {
    if workflow.result.is_none() {
        return Vec::new(); // it was not read
    }
    let mut used: HashSet<&Ident> = HashSet::new();
    let mut unused = Vec::new();
    let mut references = Vec::new();
    workflow.result.iter().for_each(|value| value.references(&mut references));
    for (_, setting) in &workflow.run {
        if let RunSetting::Value(value) = setting {
            value.references(&mut references);
        }
    }
    used.extend(references.into_iter().map(|reference| &reference.root));
    for operation in &workflow.operations {
        let inner: HashSet<&Ident> = operation.references().into_iter().map(|r| &r.root).collect();
        if let Some(each) = &operation.each {
            let bound = std::iter::once(&each.item).chain(&each.index);
            unused.extend(bound.clone().filter(|ident| !inner.contains(ident)));
            used.extend(inner.into_iter().filter(|ident| !bound.clone().any(|b| b == *ident)));
        } else {
            used.extend(inner);
        }
        used.extend(operation.list_references().into_iter().map(|reference| &reference.root));
        used.extend(&operation.after);
    }
    let names = workflow.inputs.iter().map(|i| &i.ident).chain(workflow.operations.iter().map(|o| &o.ident));
    unused.extend(names.filter(|name| !used.contains(name)));
    unused
}

/// Says that nobody reads the output of an operation, unless there is nothing to read in it.
fn unread(operation: &Operation) -> TokenStream {
    let (ident, Some(kind)) = (&operation.ident, &operation.kind) else { return TokenStream::new() };
    let kind = kind.to_token_stream();
    quote_spanned! { ident.span() =>
        __pop::Output::<{ ::core::mem::size_of::<<#kind as ::pop_sdk::__private::Callee>::Output>() == 0 }>::unread();
    }
}

/// An operation of which only the output counts.
fn output_only(operation: &Operation) -> TokenStream {
    let (ident, Some(kind)) = (&operation.ident, &operation.kind) else { return TokenStream::new() };
    let output = quote! { __pop::output::<#kind>() };
    if operation.each.is_some() {
        quote! { let #ident = __pop::many(#output); }
    } else {
        quote! { let #ident = #output; }
    }
}

struct Scope<'w> {
    workflow: &'w Workflow,
    inside: Option<&'w Operation>,
}

impl<'w> Scope<'w> {
    fn operation(&self, operation: &'w Operation, body: &mut TokenStream) {
        let Some(kind) = &operation.kind else { return };
        let ident = &operation.ident;
        let inner = Self { workflow: self.workflow, inside: Some(operation) };
        let fields = inner.fields(&operation.fields, operation.rest);
        let span = kind.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
        let word = if operation.settings.is_empty() { "call" } else { "call_with" };
        let word = Ident::new(word, span);
        let made = quote_spanned! { span => __pop::#word(#kind { #fields }) };
        let when = operation.when.as_ref().map(|(word, condition)| {
            let value = inner.value(condition);
            quote_spanned! { word.span() => let _: bool = #value; }
        });
        let required = operation.rest.map(|rest| {
            let given = operation.fields.iter().map(|field| crate::fields::plain(&field.ident));
            quote_spanned! { rest => const _: () = __pop::required::<#kind>(&[#(#given),*]); }
        });
        if !operation.after.is_empty() {
            let after = &operation.after;
            body.extend(quote! { let _ = (#(&#after,)*); });
        }
        match &operation.each {
            None => body.extend(quote! { #when #required let #ident = #made; }),
            Some(each) => {
                let list = match &each.list {
                    // Nothing around it says which kind of list it is.
                    Value::List(items, span) => {
                        let items = items.iter().map(|item| self.value(item));
                        quote_spanned! { *span => __pop::list([#(#items),*]) }
                    }
                    other => self.value(other),
                };
                let item = &each.item;
                body.extend(quote! {
                    let #ident = { let #item = __pop::item(#list); #when #required __pop::many(#made) };
                });
            }
        }
    }

    fn fields(&self, fields: &[Field], rest: Option<Span>) -> TokenStream {
        let mut made = TokenStream::new();
        for Field { ident, value } in fields {
            let value = self.value(value);
            made.extend(quote! { #ident: #value, });
        }
        made.extend(rest.map(|span| quote_spanned! { span => ..__pop::any() }));
        made
    }

    fn value(&self, value: &Value) -> TokenStream {
        match value {
            Value::Lit(literal, negative) => {
                let minus = negative.then(|| quote! { - });
                quote! { #minus #literal }
            }
            // A text that is nothing but a reference is what the reference is, not a text of it.
            Value::Text(_, parts) if let [Part::Reference(reference)] = parts.as_slice() => {
                self.reference(reference)
            }
            Value::Text(literal, parts) => {
                let mut shown = TokenStream::new();
                for part in parts {
                    if let Part::Reference(reference) = part
                        && !matches!(self.start(reference), Start::Index)
                    {
                        let value = self.reference(reference);
                        let span = reference.root.span();
                        shown.extend(quote_spanned! { span => __pop::shown(&#value); });
                    }
                }
                if shown.is_empty() {
                    quote_spanned! { literal.span() => __pop::text() }
                } else {
                    quote_spanned! { literal.span() => { #shown __pop::text() } }
                }
            }
            Value::List(items, span) => {
                let items = items.iter().map(|item| self.value(item));
                quote_spanned! { *span => __pop::sequence([#(#items),*]) }
            }
            Value::Record(path, fields, rest) => {
                let fields = self.fields(fields, *rest);
                let span = path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
                quote_spanned! { span => #path { #fields } }
            }
            Value::Constant(path) => path.to_token_stream(),
            Value::Map(path, entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let value = self.value(value);
                    quote_spanned! { key.span() => (__pop::text(), #value) }
                });
                let mut ty = path.clone();
                ty.segments.pop();
                ty.segments.pop_punct();
                let span = ty.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
                match ty.segments.last() {
                    // In JSON they are the same, so each may stand for the other.
                    Some(last) if last.ident == "BTreeMap" || last.ident == "HashMap" => {
                        quote_spanned! { span =>
                            __pop::map(::core::marker::PhantomData::<#ty<::std::string::String, ()>>, [#(#entries),*])
                        }
                    }
                    _ => quote_spanned! { span => #path([#(#entries),*]) },
                }
            }
            Value::Json(word, inner) => {
                let mut references = Vec::new();
                inner.references(&mut references);
                let references = references.into_iter().map(|reference| {
                    if let Start::Index = self.start(reference) {
                        TokenStream::new()
                    } else {
                        let value = self.reference(reference);
                        quote! { let _ = #value; }
                    }
                });
                quote_spanned! { word.span() => { #(#references)* __pop::json() } }
            }
            Value::Object(..) => quote! { __pop::json() },
            Value::Some(span, inner) => {
                let inner = self.value(inner);
                quote_spanned! { *span => ::core::option::Option::Some(#inner) }
            }
            Value::None(ident) => quote_spanned! { ident.span() => ::core::option::Option::None },
            Value::Reference(reference) => self.reference(reference),
        }
    }

    fn start(&self, reference: &Reference) -> Start<'w> {
        self.workflow.start(&reference.root, self.inside)
    }

    /// `probe.duration` as it stands, and so on, each part with its own token's span.
    fn reference(&self, reference: &Reference) -> TokenStream {
        let root = &reference.root;
        let span = root.span();
        let mut path = reference.path.iter();
        let mut made = match self.start(reference) {
            Start::Operation(operation) if operation.each.is_some() => match path.next() {
                Some(Segment::All(_)) => {
                    let item = steps(quote_spanned! { span => #root.one() }, path);
                    return self
                        .or(quote_spanned! { span => __pop::all(#item) }, reference.fallback.as_ref());
                }
                Some(Segment::Index(number)) => quote_spanned! { span => #root.at(#number) },
                // Anything else on a fan-out was reported by the compiler.
                _ => quote_spanned! { span => #root.one() },
            },
            Start::Index if reference.path.is_empty() => quote_spanned! { span => __pop::index() },
            Start::Index => quote_spanned! { span => __pop::index::<usize>() },
            Start::Run => quote_spanned! { span => __pop::run() },
            Start::Item | Start::Input | Start::Operation(_) | Start::Unknown => root.to_token_stream(),
        };
        made = steps(made, path);
        self.or(made, reference.fallback.as_ref())
    }

    fn or(&self, made: TokenStream, fallback: Option<&Fallback>) -> TokenStream {
        let Some(Fallback { word, value }) = fallback else { return made };
        let value = value.as_ref().map(|value| self.value(value));
        quote_spanned! { word.span() => __pop::Or(#made).#word(#value) }
    }
}

fn steps<'s>(start: TokenStream, path: impl Iterator<Item = &'s Segment>) -> TokenStream {
    path.fold(start, |mut made, segment| match segment {
        Segment::Field(ident) => {
            made.extend(quote! { .#ident });
            made
        }
        Segment::Index(number) => quote_spanned! { number.span() => __pop::nth(#made, #number) },
        Segment::Key(key) => quote_spanned! { key.span() => __pop::key(#made, #key) },
        Segment::All(span) => quote_spanned! { *span => #made },
    })
}
