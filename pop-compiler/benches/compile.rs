//! Text to agenda: time against the number of operations, for a chain and for a wide workflow, TOML and JSON, beside the
//! floor of the same run (only parsing the same JSON text). After the benchmarks: how the time grows, and what the
//! largest workflows take in memory. With `--test` everything runs once, small.

mod support;

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use pop_compiler::source::Source;
use pop_compiler::{Format, Options, compile};
use support::{name, workflow};

// that of the programs
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SHAPES: [&str; 2] = ["chain", "wide"];
const SIZES: [usize; 5] = [10, 100, 1_000, 5_000, 50_000];

/// Between these sizes time is to grow at most [`MOST_GROWTH`] times.
const GROWTH: (usize, usize) = (5_000, 50_000);
const MOST_GROWTH: f64 = 12.0;

/// What [`GROWTH`]`.0` operations may take on an idle core.
const MOST_MILLISECONDS: f64 = 25.0;

/// A chain of this many operations is to take at most [`MOST_GIBIBYTES`]; one of [`LONGEST`] still has to compile.
const LARGE: usize = 500_000;
const LONGEST: usize = 1_000_000;
const MOST_GIBIBYTES: f64 = 2.0;

fn main() {
    // cargo adds `--bench`
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--one", n] => return one(n.parse().expect("a number of operations")),
        ["--time", shape, "toml", n] => return time(shape, Format::Toml, n),
        ["--time", shape, "json", n] => return time(shape, Format::Json, n),
        _ => {}
    }
    let small = arguments.iter().any(|argument| argument == "--test");
    let mut criterion = Criterion::default().configure_from_args();
    compiling(&mut criterion, if small { &SIZES[..2] } else { &SIZES });
    criterion.final_summary();
    // not for a list or a single benchmark by name
    if arguments.is_empty() || small {
        growth(if small { (10, 100) } else { GROWTH });
        for n in if small { [1_000, 2_000] } else { [LARGE, LONGEST] } {
            memory(n);
        }
    }
}

/// `--time SHAPE DOOR N`: the best of some runs in milliseconds, for a comparison with other programs.
fn time(shape: &str, format: Format, n: &str) {
    let text = workflow(shape, n.parse().expect("a number of operations"), format);
    println!("{:.3}", best(10, || operations(&text, format)));
}

/// Text to agenda: how many operations it has.
fn operations(text: &str, format: Format) -> usize {
    let compiled = compile(Source::new("bench", text), format, &Options::default());
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics.first());
    compiled.agenda.map_or(0, |a| a.operations.len())
}

fn compiling(criterion: &mut Criterion, sizes: &[usize]) {
    for shape in SHAPES {
        let mut group = criterion.benchmark_group(shape);
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500));
        for &n in sizes {
            group.throughput(Throughput::Elements(n as u64));
            for format in [Format::Toml, Format::Json] {
                let text = workflow(shape, n, format);
                assert_eq!(operations(&text, format), n);
                group.bench_with_input(BenchmarkId::new(name(format), n), &text, |b, text| {
                    b.iter(|| black_box(operations(text, format)));
                });
                if format == Format::Json {
                    group.bench_with_input(BenchmarkId::new("floor-parse-json", n), &text, |b, text| {
                        b.iter(|| black_box(serde_json::from_str::<serde_json::Value>(text).is_ok()));
                    });
                }
            }
        }
        group.finish();
    }
}

/// Milliseconds, the best of some runs: other programs only ever add to a run.
fn best<T>(runs: u32, mut run: impl FnMut() -> T) -> f64 {
    let run = |_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..runs).map(run).fold(f64::INFINITY, f64::min)
}

/// How the time grows, beside that of only parsing JSON: what a large program takes more for the same work is mostly the
/// machine's caches, and that is the same for both.
fn growth(sizes: (usize, usize)) {
    for shape in SHAPES {
        for format in [Format::Toml, Format::Json] {
            let what = format!("{shape} {}", name(format));
            grows(&what, sizes, |n| {
                let text = workflow(shape, n, format);
                move || operations(&text, format)
            });
        }
    }
    grows("chain floor-parse-json", sizes, |n| {
        let text = workflow("chain", n, Format::Json);
        move || usize::from(serde_json::from_str::<serde_json::Value>(&text).is_ok())
    });
}

fn grows<R: FnMut() -> usize>(what: &str, (few, many): (usize, usize), prepare: impl Fn(usize) -> R) {
    let (small, large) = (best(20, prepare(few)), best(5, prepare(many)));
    println!(
        "{what}: {few} operations {small:.2} ms (goal at {}: {MOST_MILLISECONDS}), {many}: {large:.1} ms, {:.1} times as \
         long (goal: {MOST_GROWTH})",
        GROWTH.0,
        large / small,
    );
}

/// Compiles a chain in a process of its own, which says what it took.
fn memory(n: usize) {
    let this = std::env::current_exe().expect("a running program has a path");
    let ended = Command::new(this).args(["--one", &n.to_string()]).status().expect("this program starts");
    assert!(ended.success(), "a chain of {n} operations: {ended}");
}

fn one(n: usize) {
    let text = workflow("chain", n, Format::Toml);
    let start = Instant::now();
    assert_eq!(operations(&text, Format::Toml), n);
    let seconds = start.elapsed().as_secs_f64();
    let peak = match peak() {
        Some(kibibytes) => format!("{:.2} GiB", kibibytes / 1024.0 / 1024.0),
        None => "an unknown amount of memory".to_owned(),
    };
    println!("chain toml: {n} operations {seconds:.2} s, {peak} (goal at {LARGE}: {MOST_GIBIBYTES} GiB)");
}

/// The most memory that this process has had, in KiB; Linux tells.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
