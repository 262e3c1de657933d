//! The compiler's commands: `popc`, and the same under `pop`. This module and the binary are the only places of the
//! crate that read and write files.

mod build;
mod check;
mod client;
mod diff;
mod explain;
mod files;
mod fix;
mod fmt;
mod graph;
mod import;
mod schema;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::diagnostic::Diagnostic;
use crate::render::text::{self, Colour};
use crate::source::Sources;

pub use files::{catalog_file, compile_file};

/// Exit code when nothing was found.
pub const CLEAN: u8 = 0;
/// Exit code when there are errors in the files.
pub const FINDINGS: u8 = 1;
/// Exit code when the command line is wrong, or a file can't be read or written.
pub const USAGE: u8 = 2;

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the faults of workflows, agendas and templates
    ///
    /// popc searches directories for *.pop.toml and *.pop.json; `-` is standard input. Exit codes: 0 clean, 1 findings, 2
    /// usage or I/O. An unreadable file does not stop the check of the others.
    #[command(
        after_help = "Examples:\n  popc check flows/                  every workflow below flows/\n  popc check x.agenda.json           an agenda, as the server accepts it\n  popc check --fix flows/            apply all certain fixes, then check\n  popc check --deny warnings         in CI: warnings fail, too\n  popc check --format github         in GitHub Actions: annotations beside the lines\n  popc check --format sarif > x.sarif  for code scanning"
    )]
    Check(Check),
    /// Compile workflows to Agenda or AgendaTemplate JSON
    ///
    /// A workflow with inputs becomes NAME.template.json, one without becomes NAME.agenda.json. popc writes no file for a
    /// workflow with errors. The same workflow always gives the same bytes. The digest of its content is in
    /// `pop.workflow`. Exit codes: 0 built, 1 findings or files that differ, 2 usage or I/O.
    #[command(
        after_help = "Examples:\n  popc build flow.pop.toml               to standard output\n  popc build flows/ -o agendas           one file for each workflow\n  popc build flows/ -o agendas --check   in CI: are the files up to date?\n  popc build flow.pop.toml --input i.json the agenda of a submission of i.json\n  popc build flows/ -o agendas --source-map  and the source position of each operation"
    )]
    Build(Build),
    /// Write typed clients of workflows
    ///
    /// Each source, template or agenda becomes a module with the types of its inputs and outputs, and with submit, watch,
    /// wait, cancel and rerun. The same workflows always give the same bytes. Exit codes: 0 written, 1 findings or files
    /// that differ, 2 usage or I/O.
    #[command(
        after_help = "Examples:\n  popc client flows/ --lang rust -o src/flows          needs pop-sdk\n  popc client flows/ --lang typescript -o src/flows    needs only fetch\n  popc client flows/ --lang python -o app/flows        needs httpx\n  popc client flows/ --lang python -o app/flows --check  in CI: are the files up to date?\n\nThe source positions of X.template.json come from X.map.json (`popc build --source-map`)."
    )]
    Client(Client),
    /// Draw the operations of a workflow and their dependencies
    #[command(
        after_help = "Examples:\n  popc graph flow.pop.toml\n  popc graph flow.pop.toml --format svg > flow.svg\n  popc graph flow.pop.toml --format mermaid   for Markdown pages\n\nDashed edges are order only (`after`)."
    )]
    Graph(Graph),
    /// Compare two versions of a workflow, and give the consequence for clients
    ///
    /// Compares workflows, templates or agendas by their meaning, and lists each change with its place. The worst change
    /// gives the verdict and the exit code.
    #[command(
        after_help = "Exit codes:\n   0  identical, or compatible: descriptions, settings, order, optional inputs, new outputs\n  10  regenerate the clients: another name, wider inputs, narrower outputs\n  11  recompute the results: other operations, types, payloads, defaults or programs\n  12  breaking: removed, narrower or newly required inputs, removed outputs, outputs of another type\n   1  a file has errors\n   2  usage or I/O\n\nExamples:\n  popc diff old.pop.toml new.pop.toml\n  popc diff agendas/flow.template.json flow.pop.toml   a built template against its source\n  popc diff old.pop.toml new.pop.toml --format json    for programs"
    )]
    Diff(Diff),
    /// Write files in their canonical form
    ///
    /// Spaces, indentation and blank lines become canonical. Comments, the order of keys and the line breaks inside lists
    /// and tables stay. The meaning of a file never changes. Exit codes: 0 done, 1 invalid TOML or JSON (such a file stays
    /// as it is) or, with --check, a file that would change, 2 usage or I/O.
    #[command(
        after_help = "Examples:\n  popc fmt flows/           *.pop.toml and *.pop.json below flows/\n  popc fmt ops/media.toml   a catalog\n  popc fmt --check .        in CI"
    )]
    Fmt(Fmt),
    /// Import a file of another system as a workflow
    #[command(subcommand)]
    Import(Import),
    /// Print the JSON Schema of the language, for editors
    ///
    /// With the schema an editor completes keys, explains them, and underlines unknown keys.
    #[command(
        after_help = "Examples:\n  popc schema > pop.schema.json\n  popc schema catalog > pop-catalog.schema.json\n\nThen, as the first line of a *.pop.toml:  #:schema ./pop.schema.json\nAnd in a *.pop.json:  \"$schema\": \"./pop.schema.json\""
    )]
    Schema(Schema),
    /// Explain a rule: its findings, the reason and the fix
    #[command(after_help = "Example:\n  popc explain cycle\n  popc explain          lists all rules")]
    Explain(Explain),
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Files and directories
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Format of the findings
    #[arg(long, value_enum, default_value_t)]
    pub format: ReportFormat,
    /// Apply all certain fixes to the files, until no certain fix is left
    ///
    /// A fix changes only the text that it replaces. popc fixes the given files, and the files that they name below the
    /// current directory or beside them. Standard error lists the fixes. Findings and the exit code are those of the
    /// fixed files. For standard input, the fixed text goes to standard output.
    #[arg(long)]
    pub fix: bool,
    /// Fail on findings that do not stop a build
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<Deny>,
}

/// Findings that fail a check on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Warnings give exit code 1
    Warnings,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Files and directories
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Directory for the results; without a directory, standard output
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write no file: list the files in DIR that are missing or differ, and fail if there are any
    #[arg(long, requires = "output")]
    pub check: bool,
    /// Inputs (JSON or TOML) of the workflow or template: the result is a complete agenda
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Write NAME.map.json beside each result, with file, line and column of every operation and reference
    #[arg(long, requires = "output")]
    pub source_map: bool,
}

/// Arguments of `client`.
#[derive(Debug, Args)]
pub struct Client {
    /// Files and directories
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Language of the clients
    #[arg(long, value_enum)]
    pub lang: Lang,
    /// Directory for the clients
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write no file: list the files in DIR that are missing or differ, and fail if there are any
    #[arg(long)]
    pub check: bool,
}

/// Languages of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Modules on top of pop-sdk
    Rust,
    /// Modules without dependencies
    Typescript,
    /// A package on top of httpx
    Python,
}

/// Arguments of `graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// A workflow, an agenda or a template
    pub file: PathBuf,
    /// Format of the picture
    #[arg(long, value_enum, default_value_t)]
    pub format: Picture,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// Old version, in use
    pub old: PathBuf,
    /// New version
    pub new: PathBuf,
    /// Format of the changes
    #[arg(long, value_enum, default_value_t)]
    pub format: Report,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// For people
    #[default]
    Text,
    /// For programs: {version, verdict, changes}
    Json,
}

/// Arguments of `fmt`.
#[derive(Debug, Args)]
pub struct Fmt {
    /// Files and directories
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Write no file: list the files that would change, and fail if there are any
    #[arg(long)]
    pub check: bool,
}

/// Formats that `import` reads.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// A recorded execution in WfFormat 1.5 (wfcommons)
    ///
    /// Each task becomes a pop.sleep of its recorded run time, with its recorded files as output. An input file from
    /// another task becomes a reference to that task's output. Other parents become `after`.
    #[command(
        after_help = "Example:\n  popc import wfcommons montage.json -o montage.pop.toml\n  pop run montage.pop.toml --time-scale 0.01"
    )]
    Wfcommons(Wfcommons),
}

/// Arguments of `import wfcommons`.
#[derive(Debug, Args)]
pub struct Wfcommons {
    /// WfFormat file
    pub file: PathBuf,
    /// Workflow file to write: *.pop.toml or *.pop.json; without a file, TOML on standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Files that the schema describes
    #[arg(value_enum, default_value_t)]
    pub of: Language,
}

/// Kinds of source files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// *.pop.toml and *.pop.json
    #[default]
    Workflow,
    /// Files with operation types
    Catalog,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Name of a rule, such as unknown-output; without a name, a list of all rules
    pub rule: Option<String>,
}

/// Formats of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// For programs: {version, diagnostics, summary}
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: one annotation a line
    Github,
}

/// Kinds of picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// For a terminal
    #[default]
    Text,
    /// For browsers and pages, light or dark
    Svg,
    /// Graphviz
    Dot,
    /// Mermaid, for Markdown pages
    Mermaid,
}

/// Where a command writes.
pub struct Output<'w> {
    /// Results.
    pub out: &'w mut dyn Write,
    /// Findings for people, and errors.
    pub err: &'w mut dyn Write,
    /// Whether `err` takes colours.
    pub colour: Colour,
}

impl Output<'_> {
    /// Writes the findings of the file at `path`; of very many the first, and how many more there are.
    fn findings(&mut self, findings: &[Diagnostic], sources: &Sources, path: &Path) -> std::io::Result<()> {
        let (text, more) = text::first_findings(findings, sources, self.colour);
        write!(self.err, "{text}")?;
        if more > 0 {
            writeln!(self.err, "… and {more} more findings in {}", path.display())?;
        }
        Ok(())
    }
}

/// Standard output, by that name where it can't be written.
struct Results<W>(W);

impl<W: Write> Write for Results<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush().map_err(named)
    }
}

fn named(error: std::io::Error) -> std::io::Error {
    match error.kind() {
        // the writer above tries again
        ErrorKind::Interrupted => error,
        kind => std::io::Error::new(kind, format!("could not write to standard output: {error}")),
    }
}

/// Runs a command. A failure to read or write a file goes to `output.err` and gives exit code 2.
pub fn run(command: &Command, output: &mut Output<'_>) -> ExitCode {
    let result = match command {
        Command::Check(args) => check::run(args, output),
        Command::Build(args) => build::run(args, output),
        Command::Client(args) => client::run(args, output),
        Command::Graph(args) => graph::run(args, output),
        Command::Diff(args) => diff::run(args, output),
        Command::Fmt(args) => fmt::run(args, output),
        Command::Import(Import::Wfcommons(args)) => import::run(args, output),
        Command::Schema(args) => schema::run(args, output),
        Command::Explain(args) => explain::run(args, output),
    };
    // what is still in a buffer may be all there is
    let result = result.and_then(|code| match output.out.flush() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(code),
    });
    match result {
        Ok(code) => ExitCode::from(code),
        // a reader that has gone away (`popc graph … | head`) is no fault
        Err(error) if is_broken_pipe(&error) => ExitCode::from(CLEAN),
        Err(error) => {
            let _ = writeln!(output.err, "error: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}

/// Runs a command on this process's standard output and standard error.
pub fn run_here(command: &Command) -> ExitCode {
    use std::io::{IsTerminal, stderr, stdout};
    let colour = match anstream::AutoStream::choice(&stderr()) {
        anstream::ColorChoice::Never => Colour::Never,
        _ if stderr().is_terminal() => Colour::Always,
        _ => Colour::Never,
    };
    let (mut out, mut err) = (Results(std::io::BufWriter::new(stdout().lock())), stderr().lock());
    run(command, &mut Output { out: &mut out, err: &mut err, colour })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
