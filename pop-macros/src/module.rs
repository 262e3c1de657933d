//! What the module of every workflow has, wherever the workflow is from.

use proc_macro2::TokenStream;
use quote::quote;

use crate::fields::Required;

/// The parts in which workflows differ.
pub(crate) struct Module {
    /// How far the types reach: as far as the module, so that a private workflow may be about private types.
    pub(crate) reach: TokenStream,
    /// The type `Inputs`, with what it needs.
    pub(crate) inputs: TokenStream,
    /// The type `Outputs`, with what it needs.
    pub(crate) outputs: TokenStream,
    pub(crate) required: Vec<Required>,
    /// An expression: the `Definition`.
    pub(crate) definition: TokenStream,
}

impl Module {
    /// The items of the module.
    pub(crate) fn items(&self) -> TokenStream {
        let Self { reach, inputs, outputs, required, definition } = self;
        let required = required.iter().map(Required::entry);
        quote! {
            #inputs
            #outputs

            /// The workflow as a type.
            #[derive(Debug)]
            #reach enum Flow {}

            impl ::pop_sdk::Compiled for Flow {
                type Inputs = Inputs;
                type Outputs = Outputs;

                fn definition() -> ::pop_sdk::__private::Definition {
                    #definition
                }
            }

            impl ::pop_sdk::__private::Callee for Inputs {
                type Output = Outputs;
                const REQUIRED: &'static [(&'static str, &'static str)] = &[#(#required),*];

                fn callable() -> ::pop_sdk::__private::Callable {
                    ::pop_sdk::__private::Callable::workflow::<Flow>(<Flow as ::pop_sdk::Compiled>::definition)
                }
            }

            ::pop_sdk::__client!(Flow);

            /// The compiled workflow.
            ///
            /// # Errors
            /// What only the types' JSON Schemas show; everything else was found while cargo built.
            pub fn try_compile() -> ::core::result::Result<::pop_sdk::Workflow<Inputs, Outputs>, ::pop_sdk::Findings> {
                <Flow as ::pop_sdk::Compiled>::try_compile()
            }

            /// The compiled workflow.
            ///
            /// # Panics
            /// With the compiler's findings, where [`try_compile`] gives an error.
            pub fn compile() -> ::pop_sdk::Workflow<Inputs, Outputs> {
                <Flow as ::pop_sdk::Compiled>::compile()
            }
        }
    }
}
