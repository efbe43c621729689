//! Every way to write a report: what each promises its readers, over all samples and over names that
//! try to steer whoever reads them.

use std::path::Path;

use whycert::report::RENDERERS;

use crate::samples::samples;
use crate::support::{printed, root, text_of, whycert, whycert_fed};

/// All samples at once: a report on many hosts.
fn all_captures(format: &str) -> String {
    let captures = crate::samples::captures();
    let paths = captures.iter().map(|path| path.to_str().unwrap().to_owned());
    printed(&whycert(["diagnose".to_owned(), "--format".to_owned(), format.to_owned()].into_iter().chain(paths)))
}

#[test]
fn sarif_fits_its_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(&text_of(Path::new("tests/schemas/sarif-2.1.0.json"))).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let check = |name: &str, text: &str| {
        let log: serde_json::Value = serde_json::from_str(text).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&log).map(|error| format!("{} at {}", error, error.instance_path)).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        log
    };
    for sample in samples() {
        let name = sample.folder.display().to_string();
        let log = check(&name, &sample.run(&["diagnose", "--format", "sarif"]));
        let json: serde_json::Value = serde_json::from_str(&sample.run(&["diagnose", "--format", "json"])).unwrap();
        let wanted: usize =
            json["cases"].as_array().unwrap().iter().map(|it| it["findings"].as_array().unwrap().len().max(1)).sum();
        assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), wanted, "{name}");
    }
    check("all", &all_captures("sarif"));
    assert!(!schema.is_valid(&serde_json::json!({"version": "2.1.0"})), "the schema refuses what is none");
}

#[test]
fn csv_has_as_many_cells_in_each_row() {
    let text = all_captures("csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().len();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert!(rows.len() > 20 && rows.iter().all(|row| row.len() == columns));
    let holds = |row: &csv::StringRecord, words: &str| row.iter().any(|cell| cell == words);
    let is_stage = |row: &&csv::StringRecord| holds(row, "apigw.cname_to_stage_url") && holds(row, "seen");
    let stage = rows.iter().find(is_stage).unwrap();
    assert!(holds(stage, "*.execute-api.us-east-1.amazonaws.com"), "{stage:?}");
}

#[test]
fn counts_in_the_last_line_add_up() {
    let text = all_captures("text");
    let (_, tail) = text.rsplit_once("hosts judged: ").unwrap();
    let (head, _) = text.split_once(" hosts in ").unwrap();
    let total: u64 = head.rsplit('\n').next().unwrap().parse().unwrap();
    let tail = tail.split("whycert explain").next().unwrap().replace('\n', " ");
    let sum: u64 = tail.split(',').map(|part| part.split_whitespace().next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(sum, total, "{tail}");
    let title = |line: &str| {
        let (title, rest) = line.split_once(" (")?;
        let count = rest.split(')').next()?.replace(',', "").parse::<u64>().ok()?;
        whycert::report::words::GROUPS.iter().any(|group| group.title == title).then_some(count)
    };
    let rows: u64 = text.lines().filter_map(title).sum();
    assert_eq!(rows, total, "the headings of the groups\n{text}");
}

/// What inputs try: terminal escapes, a bidirectional override, markup, a formula, a very long name.
fn hostile_transcript() -> String {
    let long = format!("{}.example.com", vec!["a".repeat(60); 20_000].join("."));
    format!(
        "$ curl -v https://www.example.com/\n\
         *  subject: CN=\u{1b}]0;owned\u{7}<script>alert(1)</script>\u{202e}moc.elpmaxe\n\
         *  issuer: CN==HYPERLINK(\"http://x\")|`rm`\n\
         curl: (60) SSL: no alternative certificate subject name matches target host name 'www.example.com'\n\
         $ curl -v https://{long}/\n\
         curl: (60) SSL: no alternative certificate subject name matches target host name '{long}'\n\
         $ curl https://b\u{1b}[2J\u{202e}<b>.example.com/\n\
         curl: (60) SSL: certificate subject name '=cmd|x' does not match target host name 'q.example.com'\n"
    )
}

#[test]
fn nothing_from_an_input_steers_its_reader() {
    let transcript = hostile_transcript();
    for renderer in RENDERERS {
        let output = whycert_fed(&["diagnose", "--format", renderer.id, "-"], transcript.as_bytes());
        let text = printed(&output);
        let id = renderer.id;
        assert!(!text.is_empty(), "{id}");
        let steers = |c: char| (c.is_control() && !"\n\r".contains(c)) || "\u{202e}\u{200b}\u{feff}".contains(c);
        assert!(!text.chars().any(steers), "{id} lets a control character through");
        match id {
            "html" => assert!(!text.contains("<script") && !text.contains("<b>."), "{id}"),
            "csv" => assert!(!text.contains(",=") && !text.contains("\"="), "{id}"),
            "text" => assert!(text.len() < 400_000, "{id}: {} bytes", text.len()),
            _ => {}
        }
    }
}

#[test]
fn every_output_is_listed_in_the_readme() {
    let readme = text_of(Path::new("README.md"));
    for renderer in RENDERERS {
        assert!(readme.contains(&format!("`{}`", renderer.id)), "README.md lacks --format {}", renderer.id);
    }
    assert!(root().join("README.md").is_file());
}

/// The table of text formats is the registry's; UPDATE=1 writes it.
#[test]
fn the_readme_lists_every_format() {
    let readme = text_of(Path::new("README.md"));
    let exports = whycert::saved::export::EXPORTS.iter().map(|it| (it.id, it.made_by));
    // Some exports are read among other output as well.
    let is_export = |id: &str| exports.clone().any(|(known, _)| known == id);
    let texts = whycert::saved::FORMATS.iter().map(|it| (it.id, it.made_by)).filter(|(id, _)| !is_export(id));
    let rows = texts.chain(exports.clone()).map(|(id, made_by)| format!("| `{id}` | {made_by} |\n"));
    let rows = rows.collect::<Vec<_>>().concat();
    let head = "| format | made by |\n|---|---|\n";
    let (before, table) = readme.split_once(head).expect("README.md has the table of formats");
    let found: String = table.split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
    if found != rows && std::env::var_os("UPDATE").is_some() {
        let after = table.strip_prefix(found.as_str()).unwrap();
        std::fs::write(root().join("README.md"), format!("{before}{head}{rows}{after}")).unwrap();
        return;
    }
    assert!(found == rows, "README.md has another table than the formats give; UPDATE=1 writes\n{rows}");
}

/// Wireshark takes every display filter that a report prints, and finds as many frames as it names.
#[test]
#[expect(clippy::disallowed_methods, reason = "the tests start tshark; the program starts nothing")]
fn wireshark_takes_every_filter() {
    let tshark = |arguments: &[&str]| std::process::Command::new("tshark").args(arguments).current_dir(root()).output();
    if tshark(&["--version"]).is_err() {
        println!("SKIPPED: tshark is not installed, no display filter was tried");
        assert!(std::env::var_os("CI").is_none(), ".ci/run installs tshark");
        return;
    }
    let mut tried = 0;
    for path in crate::samples::captures() {
        let path = path.to_str().unwrap();
        let text = printed(&whycert(["diagnose", "--format", "markdown", path]));
        for filter in text.split('`').filter(|part| part.starts_with("frame.number in {")) {
            let output = tshark(&["-r", path, "-Y", filter, "-T", "fields", "-e", "frame.number"]).unwrap();
            assert!(output.status.success(), "{path}: {filter}: {}", String::from_utf8_lossy(&output.stderr));
            let shown = String::from_utf8(output.stdout).unwrap().lines().count();
            assert_eq!(shown, filter.matches(',').count() + 1, "{path}: {filter}");
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried} filters");
}

/// A capture in which no packet can be decoded: the frames are counted, and the first of them named.
#[test]
fn a_gap_of_many_frames_is_folded() {
    let mut file = crate::support::capture_builder::Pcap::plain(1);
    for _ in 0..12_345 {
        file.packet(0, 0, b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x00\x4f\x00\x00");
    }
    let shown = |arguments: &[&str]| printed(&whycert_fed(arguments, &file.bytes));
    let json: serde_json::Value = serde_json::from_str(&shown(&["diagnose", "--format", "json", "-"])).unwrap();
    let place =
        json["gaps"].as_array().unwrap().iter().find_map(|gap| gap["at"][0].get("frames").map(|_| &gap["at"][0]));
    let place = place.unwrap_or_else(|| panic!("{}", json["gaps"]));
    assert_eq!((place["frames"].as_array().unwrap().len(), place["more"].as_u64()), (20, Some(9_980)), "{place}");
    assert!(json["gaps"].to_string().contains("12345 frames not decoded"), "{}", json["gaps"]);
    for renderer in RENDERERS {
        let text = shown(&["diagnose", "--format", renderer.id, "-"]);
        assert!(text.len() < 300_000, "{}: {} bytes", renderer.id, text.len());
        let is_told = text.contains("frames 1, 2 and 9,998 more") || matches!(renderer.id, "json" | "csv");
        assert!(is_told, "{}: {text}", renderer.id);
    }
    // Facts name as many as are kept, so that reading them back gives the same.
    let facts = shown(&["facts", "-"]);
    let again = printed(&whycert_fed(&["diagnose", "--format", "json", "-"], facts.as_bytes()));
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["gaps"], json["gaps"]);
}

#[test]
fn facts_and_their_rows_are_harmless_too() {
    let transcript = hostile_transcript();
    for format in ["ndjson", "csv"] {
        let text = printed(&whycert_fed(&["facts", "--format", format, "-"], transcript.as_bytes()));
        let steers = |c: char| (c.is_control() && !"\n\r".contains(c)) || "\u{202e}\u{200b}\u{feff}".contains(c);
        assert!(text.contains("HYPERLINK") && !text.chars().any(steers), "{format}");
        if format == "csv" {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            assert!(rows.len() > 4);
            let is_formula = |cell: &str| cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%']);
            assert!(!rows.iter().flatten().any(is_formula), "{text}");
        }
    }
}

/// A claim about a certificate in a capture leads to the connection that presented it, not to the first
/// presentation in the file.
#[test]
fn a_cited_certificate_comes_with_its_handshake() {
    let mut seen = 0;
    for path in crate::samples::captures() {
        let path = path.to_str().unwrap();
        let it: serde_json::Value =
            serde_json::from_str(&printed(&whycert(["diagnose", "--format", "json", path]))).unwrap();
        let observation = |id: &serde_json::Value| &it["observations"][id.as_u64().unwrap() as usize];
        for case in it["cases"].as_array().unwrap() {
            let handshakes: Vec<_> = case["connections"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|it| it["cites"].as_array().unwrap())
                .map(observation)
                .filter(|it| it["kind"] == "tls.handshake")
                .collect();
            let findings = case["findings"].as_array().unwrap().iter();
            for reason in findings.flat_map(|finding| finding["reasons"].as_array().unwrap()) {
                let cited: Vec<_> = reason["cites"].as_array().unwrap().iter().map(observation).collect();
                for certificate in cited.iter().filter(|it| it["kind"] == "certificate") {
                    let digest = &certificate["fact"]["sha256"];
                    let presents = |it: &serde_json::Value| it["fact"]["chain"].as_array().unwrap().contains(digest);
                    let own = certificate["at"][0]["frames"][0].as_u64().unwrap();
                    let is_of_case = |it: &serde_json::Value| {
                        it["at"][0]["frames"].as_array().unwrap().iter().any(|frame| frame.as_u64() == Some(own))
                    };
                    let first_here = handshakes.iter().any(|it| presents(it) && is_of_case(it));
                    let is_led = cited.iter().any(|it| it["kind"] == "tls.handshake" && presents(it));
                    assert!(first_here || is_led, "{path}: {reason}");
                    seen += usize::from(!first_here);
                }
            }
        }
    }
    assert!(seen > 5, "{seen} certificates that were first presented to others");
}
