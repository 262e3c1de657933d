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
    /// Find every fault of workflows, agendas and templates
    ///
    /// Directories are searched for *.pop.toml and *.pop.json; `-` is standard input. Exit codes: 0 clean, 1 findings, 2
    /// usage or I/O; what can be read is checked all the same.
    #[command(
        after_help = "Examples:\n  popc check flows/                  every workflow below flows/\n  popc check x.agenda.json           an agenda as the server takes it\n  popc check --fix flows/            make the fixes that are certain, then check\n  popc check --deny warnings         in CI: warnings fail too\n  popc check --format github         in GitHub Actions: annotations beside the lines\n  popc check --format sarif > x.sarif  for code scanning"
    )]
    Check(Check),
    /// Compile workflows to Agenda or AgendaTemplate JSON
    ///
    /// A workflow with inputs becomes NAME.template.json, one without becomes NAME.agenda.json. Nothing is written for a
    /// workflow with errors. The same workflow always gives the same bytes; the digest of its content is in
    /// `pop.workflow`. Exit codes: 0 built, 1 findings or files that differ, 2 usage or I/O.
    #[command(
        after_help = "Examples:\n  popc build flow.pop.toml               to standard output\n  popc build flows/ -o agendas           one file for each workflow\n  popc build flows/ -o agendas --check   in CI: are the files up to date?\n  popc build flow.pop.toml --input i.json the agenda that a submission of i.json makes\n  popc build flows/ -o agendas --source-map  where each operation was written, too"
    )]
    Build(Build),
    /// Write typed clients of workflows
    ///
    /// Sources, templates and agendas become modules with the types of their inputs and outputs, and with submit, watch,
    /// wait, cancel and rerun. The same workflows always give the same bytes. Exit codes: 0 written, 1 findings or files
    /// that differ, 2 usage or I/O.
    #[command(
        after_help = "Examples:\n  popc client flows/ --lang rust -o src/flows          needs pop-sdk\n  popc client flows/ --lang typescript -o src/flows    needs nothing but fetch\n  popc client flows/ --lang python -o app/flows        needs httpx\n  popc client flows/ --lang python -o app/flows --check  in CI: are the files up to date?\n\nFor a template X.template.json, X.map.json (of `popc build --source-map`) says where its operations are written."
    )]
    Client(Client),
    /// Draw the operations of a workflow and what each waits for
    #[command(
        after_help = "Examples:\n  popc graph flow.pop.toml\n  popc graph flow.pop.toml --format svg > flow.svg\n  popc graph flow.pop.toml --format mermaid   for Markdown pages\n\nDashed edges are order only (`after`)."
    )]
    Graph(Graph),
    /// Say what a new version of a workflow means for those who use the old one
    ///
    /// Compares workflows, templates or agendas by what they mean, and lists each change with its place. The verdict, and
    /// the exit code, is that of the worst change.
    #[command(
        after_help = "Exit codes:\n   0  identical, or compatible: words for people, settings, order, optional inputs, new outputs\n  10  clients must be generated again: another name, inputs that take more, outputs that can be less\n  11  results will be computed again: operations, their types, payloads, defaults or programs differ\n  12  breaking: inputs gone, narrower or newly required, outputs gone or of another type\n   1  a file has errors\n   2  usage or I/O\n\nExamples:\n  popc diff old.pop.toml new.pop.toml\n  popc diff agendas/flow.template.json flow.pop.toml   what was built against what is written\n  popc diff old.pop.toml new.pop.toml --format json    for programs"
    )]
    Diff(Diff),
    /// Write files in their canonical form
    ///
    /// Spaces, indentation and blank lines become canonical; comments, the order of keys and the line breaks inside lists
    /// and tables stay. What a file means never changes. Exit codes: 0 done, 1 files that can't be read as TOML or JSON
    /// (they are left alone) or, with --check, that would change, 2 usage or I/O.
    #[command(
        after_help = "Examples:\n  popc fmt flows/           *.pop.toml and *.pop.json below flows/\n  popc fmt ops/media.toml   a catalog\n  popc fmt --check .        in CI"
    )]
    Fmt(Fmt),
    /// Make a workflow of a file of another system
    #[command(subcommand)]
    Import(Import),
    /// Print the JSON Schema of the language, for editors
    ///
    /// With it an editor completes keys, explains them, and underlines those that do not exist.
    #[command(
        after_help = "Examples:\n  popc schema > pop.schema.json\n  popc schema catalog > pop-catalog.schema.json\n\nThen, as the first line of a *.pop.toml:  #:schema ./pop.schema.json\nAnd in a *.pop.json:  \"$schema\": \"./pop.schema.json\""
    )]
    Schema(Schema),
    /// Say what a rule finds, why, and how to mend it
    #[command(after_help = "Example:\n  popc explain cycle\n  popc explain          lists all rules")]
    Explain(Explain),
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Files and directories
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// How findings are written
    #[arg(long, value_enum, default_value_t)]
    pub format: ReportFormat,
    /// Make the fixes that are certain, in the files themselves, until there are none left
    ///
    /// Only the text that a fix replaces changes, in the files given and in those that they name below the current
    /// directory or beside them. What was fixed is written to standard error; findings and the exit code are those of
    /// the fixed files. What comes through standard input is fixed onto standard output.
    #[arg(long)]
    pub fix: bool,
    /// Fail on findings that don't stop a build
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<Deny>,
}

/// Findings that can be made to fail a check.
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
    /// Directory for the results; standard output without it
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write nothing: list the files in DIR that differ from what would be written, and fail if there are any
    #[arg(long, requires = "output")]
    pub check: bool,
    /// Inputs (JSON or TOML) for a workflow or template that has some: the result is a complete agenda
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Write NAME.map.json beside each result: file, line and column of every operation and reference
    #[arg(long, requires = "output")]
    pub source_map: bool,
}

/// Arguments of `client`.
#[derive(Debug, Args)]
pub struct Client {
    /// Files and directories
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The language
    #[arg(long, value_enum)]
    pub lang: Lang,
    /// Directory for the clients
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write nothing: list the files in DIR that differ from what would be written, and fail if there are any
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
    /// The kind of picture
    #[arg(long, value_enum, default_value_t)]
    pub format: Picture,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The version that is in use
    pub old: PathBuf,
    /// The version that is to be
    pub new: PathBuf,
    /// How the changes are written
    #[arg(long, value_enum, default_value_t)]
    pub format: Report,
}

/// How something is reported.
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
    /// Write nothing: list the files that would change, and fail if there are any
    #[arg(long)]
    pub check: bool,
}

/// What `import` reads.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// A recorded execution in WfFormat 1.5 (wfcommons)
    ///
    /// Each task becomes a pop.sleep of its recorded run time that gives its recorded files; an input file that another
    /// task made becomes a reference to that task's output; other parents become `after`.
    #[command(
        after_help = "Example:\n  popc import wfcommons montage.json -o montage.pop.toml\n  pop run montage.pop.toml --time-scale 0.01"
    )]
    Wfcommons(Wfcommons),
}

/// Arguments of `import wfcommons`.
#[derive(Debug, Args)]
pub struct Wfcommons {
    /// The WfFormat file
    pub file: PathBuf,
    /// The workflow to write: *.pop.toml or *.pop.json; TOML on standard output without it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Which files it describes
    #[arg(value_enum, default_value_t)]
    pub of: Language,
}

/// The kinds of file that people write.
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
    /// A rule, such as unknown-output; all of them without it
    pub rule: Option<String>,
}

/// How findings are written.
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
    /// A picture for browsers and pages, light or dark
    Svg,
    /// Graphviz
    Dot,
    /// Mermaid, as Markdown pages draw it
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
        kind => std::io::Error::new(kind, format!("can't write to standard output: {error}")),
    }
}

/// Runs a command. What goes wrong with files, or with what it writes, is written to `output.err` and gives exit code 2.
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
