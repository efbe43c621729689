//! Every sample folder is a customer case: its inputs give exactly its `expected.*` files.
//! `UPDATE=1` writes them anew; read the difference before it is committed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use whycert::case::Cases;
use whycert::provider::Knowledge;
use whycert::rules::Verdict;
use whycert::{analyze, rules};

use crate::support::{files_below, printed, root, whycert_in};

/// One sample: its folder from the root of the repository, and the names of its inputs.
pub struct Sample {
    pub folder: PathBuf,
    pub inputs: Vec<String>,
}

/// All samples, by folder.
pub fn samples() -> Vec<Sample> {
    let mut by_folder: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for path in files_below("samples") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_input = name != "README.md" && !name.starts_with("expected.") && !path.starts_with("samples/make");
        if is_input {
            by_folder.entry(path.parent().unwrap().to_owned()).or_default().push(name);
        }
    }
    assert!(!by_folder.is_empty(), "there are samples");
    by_folder.into_iter().map(|(folder, inputs)| Sample { folder, inputs }).collect()
}

impl Sample {
    /// What the program prints for its inputs.
    pub fn run(&self, arguments: &[&str]) -> String {
        let all = arguments.iter().copied().chain(self.inputs.iter().map(String::as_str));
        printed(&whycert_in(&root().join(&self.folder), all))
    }

    /// What every rule says of every host, one line each; rules that do not apply are left out.
    fn verdicts(&self) -> String {
        let paths: Vec<PathBuf> = self.inputs.iter().map(|name| root().join(&self.folder).join(name)).collect();
        let options = analyze::Options::default();
        let evidence = analyze::gather(&paths, &options).evidence;
        let mut lines = Vec::new();
        for case in Cases::of(&evidence, &[], Knowledge::embedded()).all() {
            let host = case.host.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            for (rule, verdict) in rules::judge(&case).verdicts {
                if verdict != Verdict::NotApplicable {
                    lines.push(format!("{host} {} {}\n", rule.id, verdict.name()));
                }
            }
        }
        lines.concat()
    }

    fn expect(&self, name: &str, found: &str) -> Option<String> {
        let path = root().join(&self.folder).join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, found).unwrap();
            return None;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        (expected != found).then(|| format!("{}: found\n{found}", self.folder.join(name).display()))
    }
}

#[test]
fn samples_give_what_they_promise() {
    let mut wrong = Vec::new();
    for sample in samples() {
        wrong.extend(sample.expect("expected.txt", &sample.run(&["diagnose", "--color", "never"])));
        wrong.extend(sample.expect("expected.json", &sample.run(&["diagnose", "--format", "json"])));
        wrong.extend(sample.expect("expected.verdicts", &sample.verdicts()));
        for (id, name) in OTHER_OUTPUTS {
            if root().join(&sample.folder).join(name).is_file() {
                wrong.extend(sample.expect(name, &sample.run(&["diagnose", "--format", id])));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Outputs that some samples hold as well, where one is worth reading.
const OTHER_OUTPUTS: &[(&str, &str)] =
    &[("markdown", "expected.md"), ("csv", "expected.csv"), ("sarif", "expected.sarif"), ("html", "expected.html")];

#[test]
fn each_sample_has_a_readme() {
    for sample in samples() {
        let own = root().join(&sample.folder).join("README.md");
        let parent = root().join(sample.folder.parent().unwrap()).join("README.md");
        let is_form = sample.folder.components().count() > 2 && parent.is_file();
        assert!(own.is_file() || is_form, "{} has no README.md", sample.folder.display());
    }
}

#[test]
fn diagnose_of_facts_is_diagnose_of_their_inputs() {
    let folder = tempfile::tempdir().unwrap();
    for sample in samples() {
        let direct = sample.run(&["diagnose", "--format", "json"]);
        let facts = folder.path().join("facts.ndjson");
        std::fs::write(&facts, sample.run(&["facts", "--digest", "sha256"])).unwrap();
        let read_back = printed(&whycert_in(folder.path(), ["diagnose", "--format", "json", "facts.ndjson"]));
        assert_eq!(read_back, direct, "{}", sample.folder.display());
    }
}

#[test]
fn outputs_fit_their_schemas() {
    let schema = |of: &str| -> serde_json::Value {
        serde_json::from_str(&printed(&whycert_in(root(), ["schema", of]))).unwrap()
    };
    let report = jsonschema::validator_for(&schema("report")).unwrap();
    let facts = jsonschema::validator_for(&schema("facts")).unwrap();
    for sample in samples() {
        let it: serde_json::Value = serde_json::from_str(&sample.run(&["diagnose", "--format", "json"])).unwrap();
        let errors: Vec<String> = report.iter_errors(&it).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", sample.folder.display());
        for line in sample.run(&["facts"]).lines() {
            let it: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(facts.is_valid(&it), "{}: {line}", sample.folder.display());
        }
    }
    let wrong = serde_json::json!({"schema": "whycert.report/1"});
    assert!(!report.is_valid(&wrong) && !facts.is_valid(&wrong), "the schemas refuse what is not theirs");
}

#[test]
fn each_finding_cites_places_that_exist() {
    for sample in samples() {
        let it: serde_json::Value = serde_json::from_str(&sample.run(&["diagnose", "--format", "json"])).unwrap();
        let observations = it["observations"].as_array().unwrap();
        for case in it["cases"].as_array().unwrap() {
            for finding in case["findings"].as_array().unwrap() {
                let reasons = finding["reasons"].as_array().unwrap();
                assert!(!reasons.is_empty(), "{}", sample.folder.display());
                for reason in reasons {
                    let cites = reason["cites"].as_array().unwrap();
                    assert!(!cites.is_empty(), "{}: {reason}", sample.folder.display());
                    for cite in cites {
                        let observation = &observations[cite.as_u64().unwrap() as usize];
                        assert_eq!(&observation["id"], cite);
                        check_places(&sample, &it, observation);
                    }
                }
            }
        }
    }
}

/// The frames of a place lie within the capture, the lines within the text.
fn check_places(sample: &Sample, report: &serde_json::Value, observation: &serde_json::Value) {
    let places = observation["at"].as_array().unwrap();
    assert!(!places.is_empty());
    for place in places {
        let source = &report["sources"][place["source"].as_u64().unwrap() as usize];
        if let Some(frames) = place["frames"].as_array() {
            let last = frames.last().unwrap().as_u64().unwrap();
            assert!(last <= source["frames"].as_u64().unwrap(), "{}: {place}", sample.folder.display());
        } else {
            let last = place["lines"][1].as_u64().unwrap();
            assert!(last <= source["lines"].as_u64().unwrap(), "{}: {place}", sample.folder.display());
        }
    }
}

/// The folders of the samples that hold a capture, for other tests.
pub fn captures() -> Vec<PathBuf> {
    let files = samples().into_iter().flat_map(|sample| {
        let folder = sample.folder;
        sample.inputs.into_iter().map(move |name| folder.join(name))
    });
    files.filter(|path| path.extension().is_some_and(|it| it == "pcap" || it == "pcapng")).collect()
}
