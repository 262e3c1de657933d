//! Typed clients: the time for a hundred workflows, from templates and from their texts.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use pop_compiler::client::{Input, Language, generate};
use pop_compiler::source::Source;
use pop_compiler::{Format, Options, compile};

const COUNT: usize = 100;
const TEXT: &str = include_str!("../../tests/clients/flows/ladder.pop.toml");

/// The ladder under another name.
fn text(number: usize) -> String {
    TEXT.replace("\"media-ladder\"", &format!("\"ladder-{number}\""))
}

fn input(text: &str) -> Input {
    let compiled = compile(Source::new("ladder.pop.toml", text), Format::Toml, &Options::default());
    Input::new("ladder.pop.toml".to_owned(), &compiled).expect("the ladder has no errors")
}

fn clients(criterion: &mut Criterion) {
    let texts: Vec<String> = (0..COUNT).map(text).collect();
    let inputs: Vec<Input> = texts.iter().map(|text| input(text)).collect();
    let mut group = criterion.benchmark_group("clients");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    for (name, language) in
        [("rust", Language::Rust), ("typescript", Language::Typescript), ("python", Language::Python)]
    {
        group.bench_function(format!("{name}/{COUNT} templates"), |bencher| {
            bencher.iter(|| black_box(generate(language, &inputs).expect("each has a name").len()));
        });
    }
    group.bench_function(format!("typescript/{COUNT} texts"), |bencher| {
        bencher.iter(|| {
            let inputs: Vec<Input> = texts.iter().map(|text| input(text)).collect();
            black_box(generate(Language::Typescript, &inputs).expect("each has a name").len())
        });
    });
    group.finish();
}

criterion_group!(benches, clients);
criterion_main!(benches);
