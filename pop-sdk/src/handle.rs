//! Typed handles: what an operation, an input or an item stands for while `workflow!` is type-checked. The code that uses
//! them is compiled and never run: its only purpose is that rustc checks names and types at the user's own tokens.

use std::fmt;
use std::marker::PhantomData;

/// A value of type `T` that will exist when the workflow runs: an operation's output, an input, an item of a fan-out.
pub struct Out<T>(PhantomData<fn() -> T>);

/// The outputs of all operations of a fan-out.
pub struct Many<T>(PhantomData<fn() -> T>);

impl<T> fmt::Debug for Out<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Out")
    }
}

impl<T> fmt::Debug for Many<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Many")
    }
}

impl<T> Out<T> {
    /// A value that nothing is known of but its type.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }

    /// The value, as far as types go.
    pub fn get(&self) -> T {
        unreachable!("this code is only type-checked")
    }
}

impl<T> Default for Out<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Out<T> {
    /// The output of an operation with this input.
    pub fn of<O: crate::Operation<Output = T>>(_: &O) -> Self {
        Self::new()
    }
}

impl<T> Many<T> {
    /// One operation for each item.
    pub fn each<I: IntoIterator>(_: I, _: impl FnOnce(Out<I::Item>) -> Out<T>) -> Self {
        Self(PhantomData)
    }

    /// A value of each output.
    pub fn map<U>(&self, _: impl FnOnce(T) -> U) -> Vec<U> {
        unreachable!("this code is only type-checked")
    }

    /// One of the outputs.
    pub fn at(&self, _: usize) -> T {
        unreachable!("this code is only type-checked")
    }
}

/// An item of a list.
pub fn nth<I: IntoIterator>(_: I, _: usize) -> I::Item {
    unreachable!("this code is only type-checked")
}

/// A written text, as whatever it is used for.
pub fn text<T: Text>(_: &str) -> T {
    unreachable!("this code is only type-checked")
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
impl Text for serde_json::Value {}
impl<T: Text> Text for Option<T> {}
