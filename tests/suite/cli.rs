//! The command line as a person meets it: exit status, messages, the README's commands.

use std::path::Path;

use crate::support::{printed, root, said, text_of, whycert, whycert_fed, whycert_in};

#[test]
fn exit_status_follows_the_contract() {
    let sample = |name: &str| root().join("samples").join(name).to_str().unwrap().to_owned();
    for (input, expected) in [
        ("stage_url_capture/customer.pcapng", 1),
        ("stage_url_transcript/ticket.txt", 1),
        ("d_name_ok_capture/customer.pcap", 0),
        ("d_name_ok_transcript/ticket.txt", 0),
        ("d_name_not_configured_capture/customer.pcap", 1),
        ("no_sni_capture/customer.pcap", 1),
        ("no_sni_transcript/ticket.txt", 1),
        ("tls13_no_keys_capture/customer.pcap", 3),
        ("dig_only_transcript/dig.txt", 0),
        ("curl_error_only_transcript/error.txt", 1),
        ("browser_message/message.txt", 1),
    ] {
        let output = whycert(["diagnose".to_owned(), sample(input)]);
        assert_eq!(output.status.code(), Some(expected), "{input}:\n{}", printed(&output));
        let facts = whycert(["facts".to_owned(), sample(input)]);
        assert_eq!(facts.status.code(), Some(0), "facts of {input}: {}", said(&facts));
    }
}

#[test]
fn usage_errors_are_2_and_name_the_place() {
    for (arguments, words) in [
        (vec!["diagnose"], "PATH"),
        (vec!["diagnose", "no-such-file.pcap"], "no-such-file.pcap: cannot be read: no such file"),
        (vec!["facts", "no-such-file.pcap"], "no-such-file.pcap: cannot be read: no such file"),
        (vec!["explain", "no.such_rule"], "no.such_rule"),
        (vec!["diagnose", "--format", "poem", "x"], "poem"),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let output = whycert(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn one_bad_input_does_not_cost_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let good = root().join("samples/stage_url_capture/customer.pcapng");
    std::fs::copy(good, folder.path().join("good.pcapng")).unwrap();
    std::fs::write(folder.path().join("empty.pcap"), b"").unwrap();
    std::fs::write(folder.path().join("prose.pcap"), b"Dear support, it does not work.\n").unwrap();
    let output = whycert_in(folder.path(), ["diagnose", "."]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    let report = printed(&output);
    assert!(report.contains("apigw.cname_to_stage_url"), "{report}");
    assert!(said(&output).contains("empty.pcap: the file is empty"), "{}", said(&output));
    assert!(said(&output).contains("prose.pcap: not recognised"), "{}", said(&output));
    let facts = whycert_in(folder.path(), ["facts", "."]);
    assert_eq!(facts.status.code(), Some(3));
}

#[test]
fn a_folder_without_evidence_is_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let empty = whycert_in(folder.path(), ["diagnose", "."]);
    assert_eq!(empty.status.code(), Some(2), "nothing could be opened: {}", said(&empty));
    assert!(said(&empty).contains("no file"), "{}", said(&empty));
    std::fs::write(folder.path().join("notes.txt"), b"nothing to see\n").unwrap();
    let prose = whycert_in(folder.path(), ["diagnose", "."]);
    assert_eq!(prose.status.code(), Some(3), "{}", printed(&prose));
}

#[test]
fn a_host_that_is_nowhere_is_inconclusive() {
    let output = whycert(["diagnose", "--host", "nowhere.example.net", "samples/stage_url_capture/customer.pcapng"]);
    assert_eq!(output.status.code(), Some(3), "{}", printed(&output));
    assert!(printed(&output).contains("nowhere.example.net"), "{}", printed(&output));
}

#[test]
fn standard_input_is_a_source() {
    let bytes = std::fs::read(root().join("samples/stage_url_transcript/ticket.txt")).unwrap();
    let output = whycert_fed(&["diagnose", "-"], &bytes);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(printed(&output).contains("apigw.cname_to_stage_url"));
}

#[test]
fn text_keeps_to_its_width_and_its_alphabet() {
    for width in ["40", "60", "80", "100"] {
        let output = whycert(["diagnose", "--ascii", "--width", width, "samples/stage_url_capture/customer.pcapng"]);
        let text = printed(&output);
        assert!(text.is_ascii(), "{text}");
        for line in text
            .lines()
            .filter(|line| !line.contains("sha256") && !line.contains("whycert explain") && !line.starts_with("    "))
        {
            assert!(line.len() <= width.parse().unwrap(), "{width}: {line}");
        }
    }
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let readme = text_of(Path::new("README.md"));
    let mut blocks = readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()).peekable();
    assert!(blocks.peek().is_some(), "README.md shows a command");
    let mut updated = readme.clone();
    for block in blocks {
        let (command, expected) = block.split_once('\n').unwrap();
        let words = command.strip_prefix("$ cargo run -q --release -- ").or_else(|| command.strip_prefix("$ whycert "));
        let Some(words) = words else { continue };
        let output = whycert(words.split_whitespace());
        if std::env::var_os("UPDATE").is_some() {
            updated = updated.replace(expected, &printed(&output));
        } else {
            assert_eq!(printed(&output), expected, "{command}");
        }
    }
    if updated != readme {
        std::fs::write(root().join("README.md"), updated).unwrap();
    }
}

#[test]
fn findings_can_be_selected_and_accepted() {
    let stage = "samples/stage_url_capture/customer.pcapng";
    let status = |arguments: &[&str]| whycert(arguments.iter().copied()).status.code();
    for (arguments, expected) in [
        (&["diagnose", stage][..], 1),
        (&["diagnose", "--exit-zero", stage], 0),
        (&["diagnose", "--select", "apigw", stage], 1),
        (&["diagnose", "--select", "cert.*", stage], 0),
        (&["diagnose", "--ignore", "apigw.cname_to_stage_url", stage], 0),
        (&["diagnose", "--ignore", "cert.expired", stage], 1),
        (&["diagnose", "--ignore", "no.rule", stage], 2),
        (&["diagnose", "--exit-zero", "nowhere.pcap"], 2),
    ] {
        assert_eq!(status(arguments), Some(expected), "{arguments:?}");
    }
    let text = printed(&whycert(["diagnose", "--ignore", "apigw", stage]));
    assert!(text.contains("ignored    apigw.cname_to_stage_url: www.example.com"), "{text}");
}

#[test]
fn what_is_accepted_reads_so_in_every_output() {
    let folder = tempfile::tempdir().unwrap();
    let stage = "samples/stage_url_capture/customer.pcapng";
    let config = folder.path().join("accepted.toml");
    let entry = "[[ignore]]\nrule = \"apigw\"\nreason = \"moved in spring\"\nuntil = 2027-05-01\n";
    std::fs::write(&config, entry).unwrap();
    for (format, expected) in [
        (
            "text",
            &[
                "accepted[apigw.cname_to_stage_url]",
                "○ 1 host judged: 1 accepted",
                "(moved in spring; until 2027-05-01)",
            ][..],
        ),
        ("html", &["Accepted", "Known and accepted.", "moved in spring; until 2027-05-01"]),
        ("markdown", &["## ○", "moved in spring; until 2027-05-01"]),
        ("json", &["\"accepted\": true", "\"outcome\": \"wrong-certificate\"", "\"until\": \"2027-05-01\""]),
        ("sarif", &["\"suppressions\"", "\"justification\": \"moved in spring; until 2027-05-01\""]),
        ("csv", &["wrong certificate,apigw.cname_to_stage_url,", ",moved in spring; until 2027-05-01\r\n"]),
    ] {
        let output = whycert(["diagnose", "--config", config.to_str().unwrap(), "--format", format, stage]);
        assert_eq!(output.status.code(), Some(0), "{format}");
        let text = printed(&output);
        let text = if format == "text" { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text };
        for words in expected {
            assert!(text.contains(words), "{format}: {words}\n{text}");
        }
        // That no identifier covers the host stays as it was seen.
        assert!(format == "html" || !text.contains('✗'), "{format}: {text}");
    }
    // Evidence without a time cannot tell whether the day has come: the report itself says so.
    let text = printed(&whycert([
        "diagnose",
        "--config",
        config.to_str().unwrap(),
        "samples/stage_url_transcript/ticket.txt",
    ]));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("(moved in spring; until 2027-05-01, which evidence without a time cannot tell)"), "{text}");
}

/// Whatever the width, a row is as wide at most; verbatim rows (records, digests, commands) are not folded.
#[test]
fn rows_fit_the_width_in_ascii_too() {
    let samples = std::fs::read_dir(root().join("samples")).unwrap().map(|entry| entry.unwrap().path());
    let captures =
        |folder: std::path::PathBuf| std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let is_input = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|it| it == "txt" || it == "pcap" || it == "pcapng")
            && !path.ends_with("expected.txt")
    };
    let mut inputs: Vec<std::path::PathBuf> = samples.flat_map(captures).filter(is_input).collect();
    inputs.sort();
    let inputs: Vec<std::path::PathBuf> = inputs.into_iter().step_by(10).collect();
    assert!(inputs.len() > 10, "{inputs:?}");
    let stem = |row: &str| row.trim_start().to_owned();
    for input in inputs {
        for width in [40, 59, 60, 80, 100] {
            for ascii in [true, false] {
                let mut arguments = vec![
                    "diagnose".to_owned(),
                    "--width".to_owned(),
                    width.to_string(),
                    input.to_string_lossy().into_owned(),
                ];
                arguments.extend(ascii.then(|| "--ascii".to_owned()));
                let text = String::from_utf8(whycert(&arguments).stdout).unwrap();
                for row in text.lines().filter(|row| row.chars().count() > width) {
                    let row = stem(row);
                    let is_record = row.starts_with("- ") || row.starts_with("+ ");
                    let is_whole = is_record
                        || row.starts_with("sha256 ")
                        || row.trim_end_matches(" \\").split(' ').count() <= 2
                        || row.contains('\'')
                        || row.contains("frame.number");
                    assert!(is_whole, "{} at {width}, ascii {ascii}: {row}", input.display());
                }
            }
        }
    }
}

#[test]
fn settings_need_reasons_and_expire_by_the_evidences_time() {
    let folder = tempfile::tempdir().unwrap();
    let stage = root().join("samples/stage_url_capture/customer.pcapng");
    let entry = |until: &str, reason: &str, host: &str| {
        format!("width = 60\n[[ignore]]\nrule = \"apigw\"\nreason = \"{reason}\"\n{until}\n{host}\n")
    };
    for (settings, expected) in [
        (entry("", "moved in spring", ""), 0),
        (entry("until = 2027-01-01", "moved in spring", ""), 0),
        (entry("until = 2026-11-24", "it was to be moved by then", ""), 1),
        (entry("", "moved", "host = \"www.example.com\""), 0),
        (entry("", "moved", "host = \"api.example.com\""), 1),
        (entry("", " ", ""), 2),
        ("widht = 60\n".to_owned(), 2),
        ("[[ignore]]\nrule = \"no.rule\"\nreason = \"x\"\n".to_owned(), 2),
        ("exit-zero = true\nformat = \"json\"\n".to_owned(), 0),
    ] {
        std::fs::write(folder.path().join("whycert.toml"), &settings).unwrap();
        let output = whycert_in(folder.path(), ["diagnose".as_ref(), stage.as_os_str()]);
        assert_eq!(output.status.code(), Some(expected), "{settings}\n{}", said(&output));
        assert!(expected != 2 || said(&output).contains("whycert.toml"), "{}", said(&output));
    }
}

#[test]
fn completions_and_the_manual_know_every_option() {
    let help = printed(&whycert(["diagnose", "--help"]));
    let options: Vec<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--") && word.len() > 4)
        .map(|word| word.trim_end_matches(','))
        .collect();
    assert!(options.len() > 10, "{options:?}");
    let manual = printed(&whycert(["man", "diagnose"])).replace("\\-", "-");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&whycert(["completions", shell]));
        assert!(script.contains("whycert") && script.contains("WHYCERT_COMPLETE"), "{shell}");
        let offered = completed(shell, &["whycert", "di"]);
        assert!(offered.iter().any(|it| it == "diagnose"), "{shell}: {offered:?}");
    }
    let offered = completed("bash", &["whycert", "diagnose", "--"]);
    for option in options.iter().filter(|option| option.chars().skip(2).all(|c| c.is_ascii_lowercase() || c == '-')) {
        assert!(offered.iter().any(|it| it == option) && manual.contains(option), "{option}");
    }
    assert!(printed(&whycert(["man"])).starts_with(".ie"), "roff");
}

/// What the program answers the script of a shell on these words, of which the last is being typed.
#[expect(clippy::disallowed_methods, reason = "the tests start the program; the program starts nothing")]
fn completed(shell: &str, words: &[&str]) -> Vec<String> {
    let last = (words.len() - 1).to_string();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_whycert"))
        .arg("--")
        .args(words)
        .current_dir(root())
        .envs([("WHYCERT_COMPLETE", shell), ("_CLAP_COMPLETE_INDEX", &last), ("_CLAP_IFS", "\n")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{shell}: {}", said(&output));
    // A shell that shows descriptions has them behind the word.
    printed(&output).lines().map(|line| line.split(['\t', ':']).next().unwrap().to_owned()).collect()
}

#[test]
fn hosts_are_completed_from_facts() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("facts.ndjson");
    let output = whycert(["facts", "samples/stale_answer_capture/customer.pcap"]);
    std::fs::write(&facts, &output.stdout).unwrap();
    let facts = facts.to_str().unwrap();
    let offered = completed("bash", &["whycert", "diagnose", facts, "--host", "k"]);
    assert_eq!(offered, ["kept.harbour.example"]);
    assert!(completed("zsh", &["whycert", "diagnose", facts, "--host", ""]).len() > 2);
    // A capture is not read while somebody types.
    let capture = "samples/stale_answer_capture/customer.pcap";
    assert!(completed("bash", &["whycert", "diagnose", capture, "--host", "k"]).is_empty());
    assert!(completed("bash", &["whycert", "explain", "apigw.cname"]).contains(&"apigw.cname_to_stage_url".to_owned()));
    let offered = completed("bash", &["whycert", "diagnose", capture, "--select", "chai"]);
    assert!(["chain", "chain.incomplete"].iter().all(|it| offered.contains(&(*it).to_owned())), "{offered:?}");
    assert!(!offered.iter().any(|it| it.starts_with("cert")), "{offered:?}");
}

#[test]
fn every_command_has_examples_and_a_manual() {
    let help = printed(&whycert(["help"]));
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() > 7, "{names:?}");
    for name in names {
        assert!(printed(&whycert(["help", name])).contains("Examples:\n  "), "help {name}");
        assert!(name == "man" || printed(&whycert(["man", name])).contains("Examples:"), "man {name}");
    }
}

#[test]
fn the_pictures_of_the_readme_are_there_and_small() {
    let readme = text_of(Path::new("README.md"));
    let shown: Vec<&str> = readme.split("](docs/").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    for name in &shown {
        let bytes = std::fs::read(root().join("docs").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() < 200_000, "{name}: {} bytes", bytes.len());
    }
    let there = std::fs::read_dir(root().join("docs")).unwrap().count();
    assert_eq!(there, shown.len(), "docs holds what the README shows");
}

#[test]
fn a_host_that_no_input_names_is_said() {
    let arguments = ["diagnose", "samples/stage_url_capture/customer.pcapng", "--host"];
    let with = |host: &str| said(&whycert(arguments.into_iter().chain([host])));
    assert!(with("www.exmaple.com").contains("no input names www.exmaple.com; www.example.com is there"));
    assert_eq!(with("www.example.com"), "");
}

#[test]
fn a_selection_that_leaves_nothing_says_so() {
    for (format, expected) in [
        ("text", "nothing selected was found: 1 host was judged"),
        ("markdown", "## ? Nothing selected was found"),
        ("html", "Nothing selected was found"),
        ("json", "\"left_out\": 1"),
    ] {
        let arguments =
            ["diagnose", "samples/stage_url_capture/customer.pcapng", "--select", "sni", "--format", format];
        let report = printed(&whycert(arguments));
        assert!(report.contains(expected), "{format}: {report}");
    }
}

#[test]
fn a_certificate_of_a_file_is_not_said_to_be_served() {
    let text = "$ openssl x509 -in cert.pem -noout -subject -ext subjectAltName\nsubject=CN = www.bakery.example\n\
                X509v3 Subject Alternative Name: \n    DNS:www.bakery.example\n";
    for (host, words) in [
        ("www.bakery.example", "a certificate here covers www.bakery.example; that it is served is not shown"),
        (
            "shop.bakery.example",
            "a certificate here does not cover shop.bakery.example; that it is served is not shown",
        ),
    ] {
        let report = printed(&whycert_fed(&["diagnose", "--host", host, "-"], text.as_bytes()));
        let flat = report.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words) && !flat.contains("is served a certificate"), "{report}");
    }
}
