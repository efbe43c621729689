//! What a reviewer would say twice.

use std::path::{Path, PathBuf};

use crate::support::{files_below, text_of};

fn rust_files() -> Vec<PathBuf> {
    let all = files_below("src").into_iter().chain(files_below("tests"));
    all.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

fn offences(check: impl Fn(&Path, &str) -> Vec<String>) {
    let found: Vec<String> = rust_files().iter().flat_map(|path| check(path, &text_of(path))).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_file_says_what_comes_out_of_it() {
    offences(|path, text| {
        let fits = text.starts_with("//! ");
        if fits { Vec::new() } else { vec![format!("{}: begins without //!", path.display())] }
    });
}

#[test]
fn no_line_is_too_long() {
    offences(|path, text| {
        let long = (1..).zip(text.lines()).filter(|(_, line)| line.chars().count() > LINE_CHARS_MAX);
        long.filter(|(_, line)| !line.contains('"') && !line.contains("0x") && !line.contains("literal"))
            .map(|(number, _)| format!("{}:{number}: over {LINE_CHARS_MAX} characters", path.display()))
            .collect()
    });
}

#[test]
fn nothing_is_left_for_later() {
    let words = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "XX".to_owned() + "X"];
    offences(|path, text| {
        let lines = (1..).zip(text.lines());
        lines
            .filter(|(_, line)| words.iter().any(|word| line.contains(word.as_str())))
            .map(|(number, _)| format!("{}:{number}: left for later", path.display()))
            .collect()
    });
}

#[test]
fn no_file_is_a_house_of_its_own() {
    offences(|path, text| {
        let lines = text.split("#[cfg(test)]\nmod tests").next().unwrap().lines().count();
        if lines > FILE_LINES_MAX {
            vec![format!("{}: {lines} lines without tests", path.display())]
        } else {
            Vec::new()
        }
    });
}

#[test]
fn rules_never_hedge() {
    let words = [" may be ", "possibly", "perhaps", " seems "];
    let mut found = Vec::new();
    for path in files_below("src/rules") {
        for (number, line) in (1..).zip(text_of(&path).lines()) {
            let is_wording = line.contains('"') && !line.trim_start().starts_with("//");
            if is_wording && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: the verdict carries the doubt, not the words", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_program_never_asks_the_clock_or_the_network() {
    let banned =
        ["SystemTime::now", "Utc::now", "Timestamp::now", "Zoned::now", "TcpStream", "UdpSocket", "ToSocketAddrs"];
    let mut found = Vec::new();
    for path in files_below("src") {
        for (number, line) in (1..).zip(text_of(&path).lines()) {
            if banned.iter().any(|word| line.split("//").next().unwrap().contains(word)) {
                found.push(format!("{}:{number}: offline is a property of the program", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What only one system knows stands in one file, beside its twin for the other.
#[test]
fn what_only_one_system_knows_stands_in_one_place() {
    let words = ["std::os::", "libc::", "nix::", "cfg(unix", "cfg(windows", "cfg(not(unix", "cfg(target_os", "cfg!("];
    let mut found = Vec::new();
    for path in files_below("src") {
        let text = text_of(&path);
        let program = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let uses = (1..).zip(program.lines()).filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        found.extend(uses.map(|(number, line)| (path.clone(), number, line.trim().to_owned())));
    }
    let elsewhere: Vec<_> = found.iter().filter(|(path, ..)| path != Path::new("src/input/source.rs")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    let has = |word: &str| found.iter().any(|(.., line)| line.contains(word));
    assert!(has("cfg(unix)") && has("cfg(windows)"), "each system has its twin: {found:?}");
}

const LINE_CHARS_MAX: usize = 120;
const FILE_LINES_MAX: usize = 700;

/// What stands at the top level. Files that git ignores are not looked for.
const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "docs",
    "samples",
    "src",
    "target",
    "tests",
];

#[test]
fn nothing_else_stands_at_the_top() {
    let entries = std::fs::read_dir(crate::support::root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let others: Vec<String> =
        names.filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
}
