//! `popc check` as a process: from its start to its end, on small workflows, beside the floor of the same run (a program
//! that does nothing).

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pop_compiler::Format;
use support::{name, workflow};

const SIZES: [usize; 2] = [10, 1_000];

fn run(command: &mut Command) {
    let ended = command.stderr(Stdio::null()).status().expect("the program starts");
    assert!(ended.success(), "{ended}");
}

fn processes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("process");
    group.sample_size(50);
    group.bench_function("floor-true", |b| b.iter(|| run(&mut Command::new("true"))));
    for n in SIZES {
        for format in [Format::Toml, Format::Json] {
            let file = format!("process-{n}.pop.{}", name(format));
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
            std::fs::write(&path, workflow("chain", n, format)).expect("the workflow is written");
            group.bench_function(BenchmarkId::new(format!("check-{}", name(format)), n), |b| {
                b.iter(|| run(Command::new(env!("CARGO_BIN_EXE_popc")).arg("check").arg(&path)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, processes);
criterion_main!(benches);
