//! The data sets that judging uses: their dates, and what a user brings instead.

use std::path::Path;

use crate::support::{printed, root, text_of, whycert, whycert_in};

/// The version of a package in the lock file.
fn locked(package: &str) -> String {
    let lock = text_of(Path::new("Cargo.lock"));
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    let version = lines.nth(1).unwrap_or_else(|| panic!("{package} is not in Cargo.lock"));
    version.trim_start_matches("version = \"").trim_end_matches('"').to_owned()
}

#[test]
fn the_dates_of_embedded_data_are_those_of_their_crates() {
    assert_eq!(whycert::x509::roots::VERSION, locked("webpki-root-certs"));
    assert_eq!(whycert::provider::suffix::VERSION, locked("psl"));
}

#[test]
fn every_data_set_is_listed_with_its_date() {
    let table = printed(&whycert(["data"]));
    let json: serde_json::Value = serde_json::from_str(&printed(&whycert(["data", "--format", "json"]))).unwrap();
    for name in ["providers", "public-suffix-list", "roots"] {
        assert!(table.lines().any(|line| line.starts_with(name)), "{table}");
        let set = json.as_array().unwrap().iter().find(|set| set["name"] == name).unwrap();
        assert!(set["as_of"].as_str().is_some_and(|date| !date.is_empty()), "{set}");
    }
}

/// A folder as a user makes it for `--data`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ranges = r#"{"syncToken":"1","createDate":"2026-08-22-15-17-05","prefixes":[{"ip_prefix":"198.51.100.0/24",
        "region":"us-east-1","service":"EC2","network_border_group":"us-east-1"}],"ipv6_prefixes":[]}"#;
    std::fs::write(folder.path().join("ip-ranges.json"), ranges).unwrap();
    folder
}

#[test]
fn a_users_data_goes_before_and_is_named() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    assert!(printed(&whycert(["data", "--data", data])).contains("aws-ip-ranges       2026-08-22"));
    let sample = root().join("samples/stage_url_capture");
    let report = printed(&whycert_in(&sample, ["diagnose", "--format", "json", "--data", data, "customer.pcapng"]));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let sets = report["tool"]["data"].as_array().unwrap();
    assert!(sets.iter().any(|set| set["name"] == "aws-ip-ranges" && set["as_of"] == "2026-08-22"), "{sets:?}");
}

#[test]
fn a_rule_that_uses_the_ranges_names_them_and_their_date() {
    let folder = folder();
    let transcript = "$ dig +noall +answer old.shop.example\n\
        old.shop.example. 300 IN A 198.51.100.7\n\
        $ openssl s_client -connect old.shop.example:443 -servername old.shop.example | openssl x509 -noout\n\
        X509v3 Subject Alternative Name:\n    DNS:www.stranger.example\n";
    std::fs::write(folder.path().join("ticket.txt"), transcript).unwrap();
    let report = |more: &[&str]| {
        let all = ["diagnose", "--format", "json"].iter().chain(more).chain(["ticket.txt"].iter()).copied();
        printed(&whycert_in(folder.path(), all))
    };
    let words = "198.51.100.7 is of AWS's range for EC2 in us-east-1 (aws-ip-ranges 2026-08-22)";
    let with = report(&["--data", "."]);
    assert!(with.contains("\"dns.recycled_cloud_ip\"") && with.contains(words), "{with}");
    assert!(!report(&[]).contains("aws-ip-ranges"));
}

#[test]
fn data_that_cannot_be_used_is_a_usage_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let fails = |arguments: &[&str], words: &str| {
        let output = whycert(arguments.iter().copied());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    };
    fails(&["data", "--data", data], "expected providers.toml");
    std::fs::write(folder.path().join("providers.toml"), "schema = 2\nas_of = \"x\"\nprovider = []\n").unwrap();
    fails(&["data", "--data", data], "providers.toml: expected schema 1, found 2");
    fails(&["data", "--roots", "/nonexistent/roots.der"], "no such file");
    fails(&["diagnose", "--as-of", "soon", "x"], "expected a day");
}

#[test]
fn a_time_to_judge_at_replaces_the_handshakes_own() {
    let sample = root().join("samples/d_name_ok_capture");
    let headline = |arguments: &[&str]| {
        let all = ["diagnose"].iter().chain(arguments).chain(["customer.pcap"].iter()).copied();
        String::from_utf8_lossy(&whycert_in(&sample, all).stdout).lines().next().unwrap_or_default().to_owned()
    };
    assert!(headline(&[]).starts_with("ok"), "{}", headline(&[]));
    assert!(headline(&["--as-of", "2030-01-01"]).starts_with("error[cert.expired]"));
    assert!(headline(&["--as-of", "2020-01-01T00:00:00+01:00"]).starts_with("error[cert.not_yet_valid]"));
}

#[test]
fn roots_of_a_user_say_whom_clients_trust() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["root.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let file = folder.path().join("roots.der");
    std::fs::write(&file, own.der()).unwrap();
    let report = printed(&whycert_in(
        &root().join("samples/d_name_ok_capture"),
        ["diagnose", "--format", "json", "--roots", file.to_str().unwrap(), "customer.pcap"],
    ));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["cases"][0]["outcome"], "invalid-certificate");
    assert_eq!(report["cases"][0]["findings"][0]["severity"], "error");
    assert!(report["tool"]["data"].to_string().contains("roots.der"));
}
