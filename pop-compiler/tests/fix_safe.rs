//! A fix is made where it is certain, and does no harm: by value, in every form a text may have, and for whatever goes
//! wrong in a workflow that was fine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pop_compiler::diagnostic::Severity;
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, compile, fix};
use proptest::prelude::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

struct Fixed {
    before: Compiled,
    after: Compiled,
    text: String,
}

/// What `--fix` makes of a text that stands in `directory`; the files it names are never changed.
fn fixed(name: &str, text: &str, directory: &Path) -> Fixed {
    let mut before = None;
    let mut run = |changed: &fix::Changed| -> Result<Compiled, ()> {
        let loader = |name: &str| {
            let text = fs::read_to_string(directory.join(name)).map_err(|error| error.to_string())?;
            Ok(Source::new(name, text))
        };
        let text = changed.get(name).map_or(text, String::as_str);
        let options = Options { loader: &loader, ..Options::default() };
        let format = Format::from_path(name).unwrap();
        if before.is_none() {
            before = Some(compile(Source::new(name, text), format, &options));
        }
        Ok(compile(Source::new(name, text), format, &options))
    };
    let key = |file: &str| (file == name).then(|| file.to_owned());
    let files = &mut fix::Files { compile: &mut run, key: &key, told: &mut |_, _| {} };
    let (after, mut changed) = fix::all(files).unwrap();
    let text = changed.remove(name).unwrap_or_else(|| text.to_owned());
    Fixed { before: before.unwrap(), after, text }
}

/// The text after `--fix`, below `[workflow]`.
fn toml(text: &str) -> String {
    let header = "[workflow]\nname = \"x\"\n";
    let fixed = fixed("x.pop.toml", &format!("{header}{text}"), Path::new("/nowhere"));
    fixed.text.strip_prefix(header).unwrap().to_owned()
}

fn json(text: &str) -> String {
    fixed("x.pop.json", text, Path::new("/nowhere")).text
}

/// Operations that the texts refer to.
const PROBE: &str = "[operations.probe]\nuses = \"pop.transform\"\nwith = { value = { n = 1 } }\n";
const ENCODE: &str =
    "[catalog.\"m.e\"]\ninput = { height = \"int\" }\ncommand = [\"x\"]\n[operations.e]\nuses = \"m.e\"\n";
const SLEEP: &str = "[operations.a]\nuses = \"pop.sleep\"\n";

#[test]
fn what_may_mean_something_else_is_left_alone() {
    for text in [
        // two keys that would both become `after`; a key that is there already, in any form
        &format!("{SLEEP}afterr = []\nafer = [\"b\"]\n[operations.b]\nuses = \"pop.sleep\"\n"),
        &format!("{SLEEP}timeout = \"1s\"\n\"timeuot\" = \"2s\"\n"),
        &format!("{SLEEP}with = {{ output = 1 }}\n[operations.a.wiht]\nduration = \"1s\"\n"),
        &format!("{ENCODE}with = {{ height = 1, hieght = 2 }}\n"),
        // two names as near, short names, names that only begin otherwise
        "[operations.probe]\nuses = \"pop.sleep\"\n[operations.prove]\nuses = \"pop.sleep\"\n[operations.b]\nuses = \"pop.sleep\"\nafter = [\"proe\"]\n",
        "[operations.ab]\nuses = \"pop.sleep\"\n[operations.b]\nuses = \"pop.sleep\"\nafter = [\"ac\"]\n",
        "[operations.encode]\nuses = \"pop.sleep\"\n[operations.b]\nuses = \"pop.sleep\"\nafter = [\"decode\"]\n",
        // several places agree on what is not defined
        &format!(
            "[operations.prbe]\nuses = \"pop.sleep\"\n{SLEEP}after = [\"probe\"]\n[operations.b]\nuses = \"pop.sleep\"\nafter = [\"probe\"]\n"
        ),
        "[catalog.\"m.e\"]\ninput = { keepp = \"int\" }\ncommand = [\"x\", \"${with.keep}\"]\n[operations.e]\nuses = \"m.e\"\nwith = { keep = 1 }\n",
        // a comment that a blank line took from what it allows
        &format!("{SLEEP}# pop: allow(constant-when) by hand\n\nwhen = true\n"),
        // other tools' words with values of another shape
        &format!("{SLEEP}[operations.b]\nuses = \"pop.sleep\"\ndepends_on = \"a.Succeeded && a\"\n"),
        &format!("{SLEEP}[operations.b]\nuses = \"pop.sleep\"\nneeds = {{ a = 1 }}\n"),
        &format!("{SLEEP}if = \"success()\"\n"),
        &format!("{SLEEP}parameters = [{{ name = \"duration\", value = \"1s\" }}]\n"),
        // amounts without a unit, or with one that may be two
        &format!("{SLEEP}timeout = 90\n"),
        &format!("{SLEEP}timeout = \"90\"\n"),
        &format!("{SLEEP}timeout = -5\n"),
        &format!("{SLEEP}timeout = \"5 mseconds\"\n"),
        &format!("{SLEEP}resources = {{ memory = \"8Gb\" }}\n"),
        &format!("{SLEEP}with = {{ duration = \"2\" }}\n"),
        // an input too many that something may be missing for, or that refers to something
        &format!("{ENCODE}with = {{ height = 1, colour = \"${{run.id}}\" }}\n"),
        "[catalog.\"m.e\"]\ninput = { height = \"int\", title = \"string?\" }\ncommand = [\"x\"]\n[operations.e]\nuses = \"m.e\"\nwith = { height = 1, name = \"x\" }\n",
        // several commands, a list of which of two, digits or a number, a type that may be several
        "[catalog.\"m.e\"]\ncommand = \"\"\"\ncd x\nmake\n\"\"\"\n[operations.e]\nuses = \"m.e\"\n",
        &format!("[inputs]\nx = \"int | string[]\"\n{SLEEP}with = {{ output = \"${{inputs.x}}\" }}\n"),
        "[catalog.\"m.e\"]\ncommand = \"cd /tmp\"\n[operations.e]\nuses = \"m.e\"\n",
        &format!("{SLEEP}description = 0x10\n"),
        "[catalog.\"m.e\"]\ninput = { f = \"list<string>\" }\ncommand = [\"x\"]\n[operations.e]\nuses = \"m.e\"\nwith = { f = \"a, b\" }\n",
        "[catalog.\"m.e\"]\ninput = { f = \"string\" }\ncommand = [\"x\"]\n[operations.e]\nuses = \"m.e\"\nwith = { f = 1_000 }\n",
        &format!("[inputs]\nx = {{ default = \"/data\" }}\n{SLEEP}with = {{ output = \"${{inputs.x}}\" }}\n"),
        // all items where one is wanted
        "[catalog.\"m.e\"]\ninput = { f = \"string\" }\noutput = { f = \"string\" }\ncommand = [\"x\"]\n[operations.e]\nuses = \"m.e\"\neach = [\"a\", \"b\"]\nwith = { f = \"${each}\" }\n[operations.b]\nuses = \"m.e\"\nwith = { f = \"${e.f}\" }\n",
        // an operation that is called as a misspelt input
        "[inputs]\npublsh = \"bool\"\n[operations.publish]\nuses = \"pop.sleep\"\nwhen = \"${inputs.publish}\"\n",
        // what is needless only while something else is wrong
        &format!("# pop: allow(constant-wen) by hand, for now\n{SLEEP}when = true\nuse = 1\n")
            .replace("constant-wen", "constant"),
        // comments inside what would go
        &format!(
            "{PROBE}[operations.b]\nuses = \"pop.log\"\nwith = {{ message = \"${{probe.n}}\" }}\nafter = [\n  \"probe\", # why\n]\n"
        ),
        // an escape in the name, a truth or a text, a comma behind the wrong quote
        &format!("{SLEEP}\"tim\\u006fut\" = \"5s\"\n"),
        &format!(
            "[inputs]\nx = {{ type = \"any\", default = ture }}\n{SLEEP}with = {{ output = \"${{inputs.x}}\" }}\n"
        ),
        &format!("{SLEEP}with = {{ output = {{ a = \"b,\" c = 1 }} }}\n"),
    ] {
        let text = text.to_owned();
        assert_eq!(toml(&text), text);
    }
    for text in [
        r#"{"workflow": {"name": "x"}, "operations": {"a": {"uses": "pop.sleep", "timo\u0075t": "5s"}}}"#,
        r#"{"workflow": {"name": "x"}, "operations": {"a": {"uses": "pop.sleep", "when": tre}}}"#,
        r#"{"workflow": {"name": "x"}, "operations": {"a:" {"uses": "pop.sleep"}}}"#,
        "{\"workflow\": {\"name\": \"x\"}, \"operations\": {\n/* pop: allow(unused-input) r */ \"a\": {\"uses\": \"pop.sleep\"}}}",
    ] {
        assert_eq!(json(text), text);
    }
}

#[test]
fn what_is_certain_changes_and_nothing_beside_it() {
    for (text, old, new) in [
        // keys with quotes and dots, texts of several lines, letters of several bytes before the place
        (format!("{SLEEP}'timout' = \"5s\"\n"), "timout", "timeout"),
        (format!("{SLEEP}wiht.duration = \"1s\"\nwith.output = 1\n"), "wiht", "with"),
        (
            format!("{PROBE}[operations.b]\nuses = \"pop.log\"\nwith.message = '''\n  é 日本 😀 ${{prbe.n}}'''\n"),
            "prbe",
            "probe",
        ),
        (
            format!("{PROBE}[operations.b]\nuses = \"pop.log\"\nwith.message = \"\"\"\n 日本 \\\n  é ${{prbe.n}}\n\"\"\"\n"),
            "prbe",
            "probe",
        ),
        // the same amount
        (format!("{SLEEP}resources = {{ memory = \"1.5 GB\" }}\n"), "1.5 GB", "1.5G"),
        (format!("{SLEEP}timeout = \"1 hour, 30 min\"\n"), "1 hour, 30 min", "1h30m"),
        // a tag is what it is
        (
            "[catalog.\"m.e\"]\nimage = \"Reg.io/Enc:V7-RC\"\n[operations.e]\nuses = \"m.e\"\n".to_owned(),
            "Reg.io/Enc",
            "reg.io/enc",
        ),
        // comments beside what goes stay, and so does what they speak of
        (
            format!("{PROBE}{SLEEP}[operations.b]\nuses = \"pop.log\"\nwith = {{ message = \"${{probe.n}}\" }}\nafter = [\n  \"probe\", # why\n  \"a\", # too\n]\n"),
            "\"probe\", # why",
            "# why",
        ),
        (format!("{ENCODE}with = {{ # c\n  height = 1, # h\n  colour = \"x\", # col\n}}\n"), "colour = \"x\", ", ""),
        (
            "[catalog.\"x.y\"]\ninput = { url = \"url\" }\ncommand = [\"curl\", \"${with.urll}\"] # ${with.urll}\ndescription = \"${with.urll}\"\n[operations.a]\nuses = \"x.y\"\nwith = { url = \"https://e.com\" }\n".to_owned(),
            "\"curl\", \"${with.urll}\"",
            "\"curl\", \"${with.url}\"",
        ),
        // a name in an allow first, so that what it allows stays
        (format!("{SLEEP}# pop: allow(constant-wehn) by hand\nwhen = true\n"), "wehn", "when"),
        (format!("{SLEEP}[operations.b]\nuses = \"pop.sleep\"\ndepends_on = [\"a\"]\n"), "depends_on", "after"),
        (format!("{SLEEP}use = 1\n").replace("uses", "type").replace("use = 1\n", ""), "type", "uses"),
    ] {
        assert_eq!(toml(&text), text.replacen(old, new, 1));
    }
    for (text, old, new) in [
        (
            r#"{"workflow": {"name": "x"}, "operations": {"p": {"uses": "pop.sleep"}, "b": {"uses": "pop.log", "with": {"mesage": "\u0041é 日本"}}}}"#,
            "mesage",
            "message",
        ),
        (
            "\u{feff}{\"workflow\": {\"name\": \"x\",},\r\n\"operations\": {\"a\": {\"uses\": \"pop.slep\",},},}",
            "slep",
            "sleep",
        ),
    ] {
        assert_eq!(json(text), text.replacen(old, new, 1));
    }
}

/// A change of how a text is written.
type Form = (&'static str, fn(&str, Format) -> String);

/// Ends of lines, a byte order mark and letters of several bytes change nothing about what is fixed.
#[test]
fn a_file_keeps_its_form() {
    let forms: [Form; 3] = [
        ("CRLF", |text, _| text.replace('\n', "\r\n")),
        ("BOM", |text, _| format!("\u{feff}{text}")),
        ("letters", |text, format| {
            format!("{} 日本語 😀 é\n{text}", if format == Format::Toml { "#" } else { "//" })
        }),
    ];
    let mut changed = 0;
    for entry in fs::read_dir(folder("faults")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(format) = Format::from_path(&name).filter(|_| entry.path().is_file()) else { continue };
        let text = fs::read_to_string(entry.path()).unwrap();
        let plain = fixed(&name, &text, &folder("faults")).text;
        changed += usize::from(plain != text);
        for (form, written) in forms {
            let other = fixed(&name, &written(&text, format), &folder("faults")).text;
            assert_eq!(other, written(&plain, format), "{name} with {form}");
        }
    }
    assert!(changed > 200, "{changed}");
}

/// One thing that goes wrong while somebody writes.
fn slip(text: &str, kind: usize, at: usize, new: char) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at % chars.len();
    let rest = |from: usize| chars[from.min(chars.len())..].iter().collect::<String>();
    let start: String = chars[..at].iter().collect();
    match kind {
        0 => start + &rest(at + 1),
        1 => format!("{start}{}{}", chars[at], rest(at)),
        2 => match chars.get(at + 1) {
            Some(next) => format!("{start}{next}{}{}", chars[at], rest(at + 2)),
            None => start,
        },
        3 => format!("{start}{new}{}", rest(at)),
        4 => format!("{start}{new}{}", rest(at + 1)),
        kind => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            let line = at % lines.len();
            if kind == 5 {
                lines.remove(line);
            } else {
                lines.insert(line, lines[line]);
            }
            lines.join("\n")
        }
    }
}

fn errors(compiled: &Compiled) -> BTreeMap<(&'static str, String), usize> {
    let mut found = BTreeMap::new();
    for finding in compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        *found.entry((finding.rule, finding.message.clone())).or_default() += 1;
    }
    found
}

fn workflows() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = fs::read_dir(folder("workflows"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| Format::is_workflow_path(&path.to_string_lossy()))
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn a_slip_in_a_workflow_never_gets_worse(
        which in any::<usize>(),
        kind in 0usize..7,
        at in any::<usize>(),
        new in prop::sample::select("abx019_-.,:;='\"[]{}()$@<> \\#/é日\n".chars().collect::<Vec<_>>()),
    ) {
        let workflows = workflows();
        let (name, text) = &workflows[which % workflows.len()];
        let text = slip(text, kind, at, new);
        let fixed = fixed(name, &text, &folder("workflows"));
        let (before, after) = (errors(&fixed.before), errors(&fixed.after));
        let unread = |errors: &BTreeMap<(&str, String), usize>| errors.keys().any(|(rule, _)| *rule == "syntax");
        if unread(&before) {
            // what could not be read hid the rest; but no name is given twice for it
            prop_assert!(fixed.text == text || !unread(&after), "{text}\n{}", fixed.text);
            let twice = |errors: &BTreeMap<(&str, String), usize>| {
                errors.iter().filter(|((rule, _), _)| *rule == "duplicate-name").map(|(_, n)| n).sum::<usize>()
            };
            let least = usize::from(kind == 6);
            prop_assert!(twice(&after) <= twice(&before).max(least), "{text}\n{}\n{after:#?}", fixed.text);
        } else {
            let new: Vec<_> = after.iter().filter(|(fault, n)| before.get(fault).is_none_or(|b| b < n)).collect();
            prop_assert!(new.is_empty(), "{text}\n{}\n{new:#?}", fixed.text);
        }
        let again = self::fixed(name, &fixed.text, &folder("workflows"));
        prop_assert_eq!(&again.text, &fixed.text);
    }
}

/// Pairs of which each is a value that somebody may mean.
const OTHER_VALUES: &[(&str, &str)] = &[
    ("h264", "h265"),
    ("mp3", "mp4"),
    ("vp8", "vp9"),
    ("aac", "ac3"),
    ("eac3", "ac3"),
    ("yuv420p", "yuv422p"),
    ("yuv420p10le", "yuv420p12le"),
    ("yuv420p10le", "yuv420p10be"),
    ("pcm_s16le", "pcm_s24le"),
    ("pcm_s16le", "pcm_s16be"),
    ("pcm_s16le", "pcm_u16le"),
    ("prores422", "prores444"),
    ("eu-west-1", "eu-west-2"),
    ("us-east-1", "us-west-1"),
    ("us-east-1", "us-east-2"),
    ("ap-southeast-1", "ap-northeast-1"),
    ("europe-west1", "europe-west10"),
    ("eastus", "eastus2"),
    ("westeurope", "westeurope2"),
    ("m5.large", "m6.large"),
    ("m5.xlarge", "m5.2xlarge"),
    ("t3.micro", "t3a.micro"),
    ("t3.micro", "t2.micro"),
    ("1080i", "1080p"),
    ("1920x1080", "1920x1088"),
    ("stage", "staged"),
    ("dev", "dev2"),
    ("test1", "test2"),
    ("staging-1", "staging-2"),
    ("prod-eu", "prod-us"),
    ("2024-01", "2024-10"),
    ("v1.2.3", "v1.3.2"),
    ("hg19", "hg38"),
    ("grch37", "grch38"),
    ("sha256", "sha265x"),
    ("utf-8", "utf-16"),
    ("utf-16le", "utf-16be"),
    ("int8", "uint8"),
    ("int16", "int32"),
    ("float32", "float64"),
    ("left", "lift"),
    ("public", "publish"),
    ("inbound", "unbound"),
    ("include", "exclude"),
    ("enabled", "disabled"),
    ("ascending", "descending"),
    ("input", "output"),
    ("read-only", "read-once"),
];

/// A fix never puts one real value in the place of another, whichever of the two is the one that is allowed.
#[test]
fn no_real_value_becomes_another() {
    let pairs = || OTHER_VALUES.iter().flat_map(|(a, b)| [(a, b), (b, a)]);
    let mut exchanged = Vec::new();
    for (given, allowed) in pairs() {
        let literals = format!("\\\"{allowed}\\\" | \\\"something else\\\"");
        let with = format!(
            "[catalog.\"m.e\"]\ninput = {{ v = \"{literals}\" }}\ncommand = [\"x\"]\n\
             [operations.a]\nuses = \"m.e\"\nwith = {{ v = \"{given}\" }}\n"
        );
        let default = format!(
            "[inputs]\nv = {{ type = \"{literals}\", default = \"{given}\" }}\n\
             [operations.a]\nuses = \"pop.sleep\"\nwith = {{ output = \"${{inputs.v}}\" }}\n"
        );
        for text in [with, default] {
            if toml(&text) != text {
                exchanged.push((given, allowed));
            }
        }
    }
    assert!(exchanged.is_empty(), "{exchanged:?}");
}

/// A fault that no fix is for is still found after all the others are fixed, in each file of the corpus.
#[test]
fn fixes_hide_no_fault() {
    let hidden = |compiled: &Compiled| {
        compiled.diagnostics.iter().filter(|d| d.message == "unknown operation `nothing-like-this`").count()
    };
    let (mut files, mut changed) = (0, 0);
    for entry in fs::read_dir(folder("faults")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(format) = Format::from_path(&name).filter(|_| entry.path().is_file()) else { continue };
        let text = fs::read_to_string(entry.path()).unwrap();
        let text = match format {
            Format::Toml => {
                text + "\n[operations.zz-more]\nuses = \"pop.sleep\"\nafter = [\"nothing-like-this\"]\n"
            }
            Format::Json => {
                let more =
                    r#""operations": {"zz-more": {"uses": "pop.sleep", "after": ["nothing-like-this"]}, "#;
                text.replacen(r#""operations": {"#, more, 1)
            }
        };
        let fixed = fixed(&name, &text, &folder("faults"));
        // what can't be read may hide it before, but not after
        if hidden(&fixed.before) == 1 {
            files += 1;
            changed += usize::from(fixed.text != text);
            assert_eq!(hidden(&fixed.after), 1, "{name}\n{}", fixed.text);
        }
    }
    assert!(files > 550 && changed > 300, "{files} files, {changed} changed");
}
