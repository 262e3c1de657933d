//! Text to agenda: time against the number of operations, for a chain and for a wide workflow, TOML and JSON, beside the
//! floor of the same run (only parsing the same JSON text).

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pop_compiler::source::Source;
use pop_compiler::{Door, Options, compile};

const SIZES: [usize; 4] = [10, 100, 1_000, 5_000];

/// Whom operation `i` reads.
fn upstream(shape: &str, i: usize) -> Option<usize> {
    match shape {
        "chain" => i.checked_sub(1),
        _ => (i > 0).then_some(0),
    }
}

fn toml(shape: &str, n: usize) -> String {
    let mut text = String::from("[workflow]\nname = \"bench\"\n");
    for i in 0..n {
        let value = upstream(shape, i).map_or("source".to_owned(), |up| format!("${{step{up}.value}}-{i}"));
        let _ = write!(
            text,
            "\n[operations.step{i}]\nuses = \"pop.transform\"\nwith = {{ value = {{ value = \"{value}\", height = {i} }} }}\ntimeout = \"2h\"\n"
        );
    }
    text
}

fn json(shape: &str, n: usize) -> String {
    let mut text = String::from("{\"workflow\": {\"name\": \"bench\"}, \"operations\": {");
    for i in 0..n {
        let value = upstream(shape, i).map_or("source".to_owned(), |up| format!("${{step{up}.value}}-{i}"));
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n\"step{i}\": {{\"uses\": \"pop.transform\", \"with\": {{\"value\": {{\"value\": \"{value}\", \"height\": {i}}}}}, \"timeout\": \"2h\"}}"
        );
    }
    text + "}}"
}

fn run(text: &str, door: Door) -> usize {
    let compiled = compile(Source::new("bench", text), door, &Options::default());
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics.first());
    compiled.agenda.map_or(0, |a| a.operations.len())
}

fn compiling(criterion: &mut Criterion) {
    for shape in ["chain", "wide"] {
        let mut group = criterion.benchmark_group(shape);
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500));
        for n in SIZES {
            group.throughput(Throughput::Elements(n as u64));
            let (toml, json) = (toml(shape, n), json(shape, n));
            assert_eq!((run(&toml, Door::Toml), run(&json, Door::Json)), (n, n));
            group.bench_with_input(BenchmarkId::new("toml", n), &toml, |b, text| {
                b.iter(|| black_box(run(text, Door::Toml)));
            });
            group.bench_with_input(BenchmarkId::new("json", n), &json, |b, text| {
                b.iter(|| black_box(run(text, Door::Json)));
            });
            group.bench_with_input(BenchmarkId::new("floor-parse-json", n), &json, |b, text| {
                b.iter(|| black_box(serde_json::from_str::<serde_json::Value>(text).is_ok()));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, compiling);
criterion_main!(benches);
