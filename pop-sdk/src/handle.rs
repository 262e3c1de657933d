//! Traits that tell `workflow!` how a type appears in JSON: implement [`List`] for a list, [`Text`] for a text.
//!
//! The hidden items stand for operations, inputs and items while rustc type-checks a workflow. Code that uses them is
//! compiled and never run: rustc checks names and types at the user's own tokens.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::BuildHasher;
use std::marker::PhantomData;

use serde_json::Value;

use crate::definition::Callee;
use crate::operation::Operation;
use crate::secret::Secret;

/// The outputs of all operations of a fan-out.
#[doc(hidden)]
pub struct Many<T>(PhantomData<fn() -> T>);

impl<T> fmt::Debug for Many<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Many")
    }
}

fn never<T>() -> T {
    unreachable!("this code is only type-checked")
}

/// A value that nothing is known of but its type.
#[doc(hidden)]
pub fn any<T>() -> T {
    never()
}

/// The output of an operation with this input.
#[doc(hidden)]
pub fn call<C: Callee>(_: C) -> C::Output {
    never()
}

/// The output of an operation with this input and with settings of its own.
#[doc(hidden)]
pub fn call_with<C: Callee + Settable>(_: C) -> C::Output {
    never()
}

/// The output of an operation whose input has been found to be wrong.
#[doc(hidden)]
pub fn output<C: Callee>() -> C::Output {
    never()
}

/// What may have a retry, a timeout and resources.
#[diagnostic::on_unimplemented(
    message = "a workflow inside another has no settings of its own",
    label = "the inputs of a workflow",
    note = "give the operations inside it their retry, timeout and resources"
)]
#[doc(hidden)]
pub trait Settable {}

impl<O: Operation> Settable for O {}

/// Fails the build when a required field of `C` is not among those given.
///
/// # Panics
/// With the message for the first field that is missing.
#[doc(hidden)]
pub const fn required<C: Callee>(given: &[&str]) {
    let mut i = 0;
    while i < C::REQUIRED.len() {
        let (name, missing) = C::REQUIRED[i];
        let (mut there, mut j) = (false, 0);
        while j < given.len() {
            there = there || same(name.as_bytes(), given[j].as_bytes());
            j += 1;
        }
        assert!(there, "{}", missing);
        i += 1;
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut same = a.len() == b.len();
    let mut i = 0;
    while same && i < a.len() {
        same = a[i] == b[i];
        i += 1;
    }
    same
}

/// All operations of a fan-out, made from one of them.
#[doc(hidden)]
pub fn many<T>(_: T) -> Many<T> {
    never()
}

impl<T> Many<T> {
    /// Any of the outputs.
    pub fn one(&self) -> T {
        never()
    }

    /// One of the outputs.
    pub fn at(&self, _: usize) -> T {
        never()
    }
}

/// What each operation of a fan-out gives, as a list.
#[doc(hidden)]
pub fn all<T>(_: T) -> Vec<T> {
    never()
}

/// What an operation can be fanned out over.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list",
    label = "not a list",
    note = "implement `pop_sdk::handle::List` for types that are lists in JSON"
)]
pub trait List {
    /// One of its items.
    type Item;
}

impl<T> List for Vec<T> {
    type Item = T;
}
impl<T> List for Box<[T]> {
    type Item = T;
}
impl<T, const N: usize> List for [T; N] {
    type Item = T;
}
impl<T> List for VecDeque<T> {
    type Item = T;
}
impl<T> List for BTreeSet<T> {
    type Item = T;
}
impl<T, S> List for HashSet<T, S> {
    type Item = T;
}
impl List for Value {
    type Item = Self;
}

/// The item that an operation of a fan-out is made for.
#[doc(hidden)]
pub fn item<L: List>(_: L) -> L::Item {
    never()
}

/// A written list, as whichever kind of list it is used for: in JSON they are the same.
#[doc(hidden)]
pub fn sequence<L: List, const N: usize>(_: [L::Item; N]) -> L {
    never()
}

/// A written list.
#[doc(hidden)]
pub fn list<T, const N: usize>(_: [T; N]) -> Vec<T> {
    never()
}

/// A written map.
#[doc(hidden)]
pub fn map<Written, M: Mapping, const N: usize>(_: PhantomData<Written>, _: [(String, M::Value); N]) -> M {
    never()
}

/// Types that a written map can become.
#[diagnostic::on_unimplemented(
    message = "a map can't be used as `{Self}`",
    label = "this is a map",
    note = "use `BTreeMap<String, _>` or `HashMap<String, _>`; write an `Option` of them as `Some(BTreeMap::from([…]))`"
)]
#[doc(hidden)]
pub trait Mapping {
    /// What a key leads to.
    type Value;
}

impl<T> Mapping for BTreeMap<String, T> {
    type Value = T;
}
impl<T, S> Mapping for HashMap<String, T, S> {
    type Value = T;
}

/// Where an operation's output would be read; whether there is nothing in it.
#[derive(Debug)]
#[doc(hidden)]
pub struct Output<const EMPTY: bool>;

impl Output<true> {
    /// Nothing is missed.
    pub fn unread() {}
}

impl Output<false> {
    /// Makes rustc say so, at the operation's name.
    #[deprecated(
        note = "unused output of this operation [unused-operation]: refer to the output, wait for the operation with `after`, or remove the operation; declare `output = ()` for an operation without an output"
    )]
    pub fn unread() {}
}

/// An item of a list.
#[doc(hidden)]
pub fn nth<L: List>(_: L, _: usize) -> L::Item {
    never()
}

/// What has values under keys.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no keys",
    label = "neither a map nor a `Value`",
    note = "the fields of a struct are taken with `.field`"
)]
#[doc(hidden)]
pub trait Keyed {
    /// What a key leads to.
    type Value;
}

// Whether a map has a key is only known when it is there.
impl<T> Keyed for BTreeMap<String, T> {
    type Value = Option<T>;
}
impl<T, S: BuildHasher> Keyed for HashMap<String, T, S> {
    type Value = Option<T>;
}
impl Keyed for Value {
    type Value = Self;
}

/// The value under a key.
#[doc(hidden)]
pub fn key<K: Keyed>(_: K, _: &str) -> K::Value {
    never()
}

/// A written text, as whatever it is used for.
#[doc(hidden)]
pub fn text<T: Text>() -> T {
    never()
}

/// Types that a written text can become.
#[diagnostic::on_unimplemented(
    message = "a text can't be used as `{Self}`",
    label = "this is a text",
    note = "implement `pop_sdk::handle::Text` for types that are texts in JSON"
)]
pub trait Text {}

impl Text for String {}
impl Text for Box<str> {}
impl Text for std::path::PathBuf {}
impl Text for Value {}
impl<T: Text> Text for Option<T> {}
impl<T: Text> Text for Secret<T> {}

/// A value that is shown in a text.
#[doc(hidden)]
pub fn shown<T: fmt::Display + ?Sized>(_: &T) {
    never::<()>();
}

/// The value of `json!(…)`.
#[doc(hidden)]
pub fn json() -> Value {
    never()
}

/// The index of an item.
#[doc(hidden)]
pub fn index<T: Index>() -> T {
    never()
}

/// Types that the index of an item can become.
#[diagnostic::on_unimplemented(message = "an index can't be used as `{Self}`", label = "this is a number")]
#[doc(hidden)]
pub trait Index {}

macro_rules! index {
    ($($number:ty)*) => { $(impl Index for $number {})* };
}
index! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64 }

/// What a workflow knows of the run it is part of.
#[derive(Debug)]
#[doc(hidden)]
pub struct Run {
    /// The agenda's id.
    pub id: String,
    /// The customer that owns it; its absence is null.
    pub customer: Option<String>,
}

/// What is known of the run.
#[doc(hidden)]
pub fn run() -> Run {
    never()
}

/// A value that may be absent, before what stands in for it is known.
#[derive(Debug)]
#[doc(hidden)]
pub struct Or<T>(pub T);

impl<T> Or<Option<T>> {
    /// The value, or this.
    #[must_use]
    pub fn unwrap_or(self, _: T) -> T {
        never()
    }

    /// The value, or nothing.
    #[must_use]
    pub fn ok(self) -> Option<T> {
        never()
    }
}

/// The same for values that are only absent when an operation was skipped.
#[doc(hidden)]
pub trait OrPlain<T> {
    /// The value, or this.
    fn unwrap_or(self, other: T) -> T;
    /// The value, or nothing.
    fn ok(self) -> Option<T>;
}

impl<T> OrPlain<T> for Or<T> {
    fn unwrap_or(self, _: T) -> T {
        never()
    }

    fn ok(self) -> Option<T> {
        never()
    }
}
