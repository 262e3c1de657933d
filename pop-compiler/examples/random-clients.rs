//! Clients of workflows that nobody wrote, in each language, for the checkers of those languages:
//! `random-clients FOLDER NUMBER SEED` writes `FOLDER/rust/chance` and so on. The same seed gives the same files.
//!
//! `FOLDER/cases.json` has outputs to read with them, a line each: those that a server lets through, and others. A client
//! looks at what kind of value something is, not at the form of a text, and leaves aside fields that it does not know.

#[path = "random-clients/cases.rs"]
mod cases;
#[path = "../../tests/formats/dice.rs"]
#[expect(unreachable_pub, reason = "shared with tests")]
#[allow(dead_code, reason = "shared with tests")]
mod dice;
#[path = "../tests/typed/make.rs"]
#[allow(dead_code, reason = "shared with tests")]
mod make;

use std::path::PathBuf;
use std::{env, fs, io};

use make::{Made, workflow};
use pop_compiler::client::{Input, Language, generate};
use pop_compiler::source::Source;
use pop_compiler::{Format, Options, compile};
use serde_json::{Value as Json, json};

const LANGUAGES: [(Language, &str); 3] =
    [(Language::Rust, "rust"), (Language::Typescript, "typescript"), (Language::Python, "python")];

/// A workflow that has clients in every language, if chance made one, and what its client may have to read.
fn input(seed: u64) -> Option<(Input, Vec<Json>)> {
    let mut made = Made::new(seed);
    let mut document = workflow(&mut made);
    let name = made.names(0).remove(0);
    document["workflow"] = json!({ "name": format!("{name} {seed}"), "description": made.text() });
    let text = document.to_string();
    let compiled = compile(Source::new("flow.pop.json", text), Format::Json, &Options::default());
    compiled.template.as_ref()?;
    let input = Input::new(format!("{seed}"), &compiled)?;
    let all = LANGUAGES.iter().all(|(language, _)| generate(*language, std::slice::from_ref(&input)).is_ok());
    let cases = cases::of(&mut made, &document, &input.template);
    all.then_some((input, cases))
}

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let mut next = || args.next().unwrap_or_default();
    let folder = PathBuf::from(next());
    let (Ok(number), Ok(seed)) = (next().parse::<usize>(), next().parse::<u64>()) else {
        eprintln!("random-clients FOLDER NUMBER SEED");
        std::process::exit(2);
    };
    let (inputs, cases): (Vec<Input>, Vec<Vec<Json>>) = (seed..).filter_map(input).take(number).unzip();
    for (language, name) in LANGUAGES {
        let folder = folder.join(name).join("chance");
        fs::create_dir_all(&folder)?;
        for file in generate(language, &inputs).map_err(io::Error::other)? {
            fs::write(folder.join(file.path), file.text)?;
        }
    }
    let mut lines = String::new();
    for (input, cases) in inputs.iter().zip(&cases) {
        let module = LANGUAGES.map(|(language, name)| (name.to_owned(), Json::from(module(language, input))));
        let module: serde_json::Map<String, Json> = module.into_iter().collect();
        for case in cases {
            lines += &json!({ "module": module, "case": case }).to_string();
            lines.push('\n');
        }
    }
    fs::write(folder.join("cases.json"), lines)
}

/// The name of the module of a workflow.
fn module(language: Language, input: &Input) -> String {
    let shared = generate(language, &[]).unwrap_or_default();
    let files = generate(language, std::slice::from_ref(input)).unwrap_or_default();
    let own = files.into_iter().find(|file| shared.iter().all(|known| known.path != file.path));
    own.map(|file| file.path.rsplit_once('.').map_or("", |(name, _)| name).to_owned()).unwrap_or_default()
}
