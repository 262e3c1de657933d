//! The word count of `wordcount.pop.toml`, written in Rust: the same agenda, byte for byte.
//!
//! ```sh
//! cargo run -p wordcount                                        # prints the template
//! cargo run -p wordcount -- http://127.0.0.1:7070 README.md     # submits it, and waits for the typed result
//! ```

use std::path::PathBuf;

use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::Deserialize;

/// Cuts a text into parts of about the same size, without breaking lines.
#[operation(
    "wc.split",
    output = Lines,
    command = ["sh", "-c", r#"split -d -n "l/$1" -- "$2" part. && ls -d "$PWD"/part.*"#, "split", "${with.parts}", "${with.file}"],
    stdout = "lines"
)]
#[derive(JsonSchema)]
pub struct Split {
    file: PathBuf,
    parts: u32,
}

/// Counts the words of one part.
#[operation(
    "wc.count",
    output = Text,
    command = ["sh", "-c", r#"tr -cs 'A-Za-z' '\n' < "$1" | tr 'A-Z' 'a-z' | grep . | LC_ALL=C sort | uniq -c"#, "count", "${with.file}"],
    stdout = "text"
)]
#[derive(JsonSchema)]
pub struct Count {
    file: String,
}

/// Adds the counts of all parts up.
#[operation(
    "wc.merge",
    output = Text,
    command = ["sh", "-c", r"awk '{ n[$2] += $1 } END { for (w in n) print n[w], w }' | LC_ALL=C sort -k1,1nr -k2,2"],
    stdin = "${with.counts}",
    stdout = "text"
)]
#[derive(JsonSchema)]
pub struct Merge {
    counts: Vec<String>,
}

/// The most frequent words.
#[operation("wc.report", output = Lines, command = ["head", "-n", "${with.top}"], stdin = "${with.counts}", stdout = "lines")]
#[derive(JsonSchema)]
pub struct Report {
    counts: String,
    top: u32,
}

/// The lines that a program wrote.
#[derive(Deserialize, JsonSchema)]
pub struct Lines {
    /// One for each line.
    pub lines: Vec<String>,
}

/// The text that a program wrote.
#[derive(Deserialize, JsonSchema)]
pub struct Text {
    /// All of it.
    pub text: String,
}

/// What comes out.
#[derive(Debug, Deserialize)]
pub struct Words {
    /// The most frequent words with their counts.
    pub top: Vec<String>,
}

workflow! {
    /// Count the words of a text: split, count in parallel, merge, report the most frequent ones.
    #[workflow(version = "1.0.0")]
    pub wordcount(
        /// The text to count.
        text: PathBuf = "../../LICENSE",
        /// How many words to report.
        top: u32 = 10,
    ) -> Words {
        let split = Split { file: text, parts: 4 };
        let count = for part in [split.lines[0], split.lines[1], split.lines[2], split.lines[3]] {
            Count { file: part }
        };
        let merge = Merge { counts: count[*].text };
        let report = Report { counts: merge.text, top };
        Words { top: report.lines }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(server) = arguments.next() else {
        print!("{}", wordcount::compile().to_json());
        return Ok(());
    };
    let text = std::path::absolute(arguments.next().unwrap_or_else(|| "LICENSE".into()))?;
    let client = wordcount::Client::connect(&server)?;
    let run = client.submit(wordcount::Inputs { text: Some(text), top: Some(5) }).await?;
    println!("submitted {}", run.id());
    for word in run.wait().await?.top {
        println!("{word}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// What a file of this folder compiles to.
    fn built(file: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let compiled = pop_compiler::cli::compile_file(&path).expect("the file can be read");
        assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
        pop_compiler::canonical::pretty(&compiled.template)
    }

    #[test]
    fn rust_toml_and_json_give_the_same_bytes() {
        let rust = super::wordcount::compile().to_json();
        assert_eq!(rust, built("wordcount.pop.toml"));
        assert_eq!(rust, built("wordcount.pop.json"));
    }
}
