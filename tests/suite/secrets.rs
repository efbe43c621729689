//! No secret of an input is printed: the forms below in which people paste one, through every output.
//!
//! Each secret holds a marker that nothing else holds; the outputs are searched for the markers.

use std::path::Path;

use crate::support::{printed, said, whycert_in};

/// In words: what the inputs below hold in each place where a secret stands.
const WORD: &str = "hUnTeR2x";
/// In hexadecimal, as keys and tickets are printed, with every separator that tools use.
const HEXADECIMAL: [&str; 4] = ["5ec7e75ec7e7", "5e c7 e7 5e", "5e:c7:e7:5e", "5ec7e7-5ec7e7"];
/// The start of a private key in base64.
const BASE64: &str = "MC4CAQAwBQYDK2VwBCIEI";

fn transcript() -> String {
    TRANSCRIPT.replace("{word}", WORD).replace("{key}", &HEXADECIMAL[0].repeat(6)).replace("{pem}", BASE64)
}

const TRANSCRIPT: &str = include_str!("secrets.txt");

fn har() -> serde_json::Value {
    let url = format!("https://joe:{WORD}@www.example.com/x?token={WORD}");
    serde_json::json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{
        "startedDateTime": "2026-11-22T07:01:23.000Z", "time": 1, "serverIPAddress": "203.0.113.14", "connection": "443",
        "request": {
            "method": "POST", "url": url, "httpVersion": "HTTP/2",
            "headers": [{"name": "Authorization", "value": WORD}, {"name": "Cookie", "value": WORD}],
            "cookies": [{"name": "sid", "value": WORD}], "queryString": [{"name": "token", "value": WORD}],
            "postData": {"mimeType": "text/plain", "text": WORD}, "headersSize": 1, "bodySize": 1
        },
        "response": {
            "status": 403, "statusText": "Forbidden", "httpVersion": "HTTP/2",
            "headers": [
                {"name": "Set-Cookie", "value": WORD}, {"name": "x-amzn-errortype", "value": "ForbiddenException"}
            ],
            "cookies": [{"name": "a", "value": WORD}], "content": {"size": 1, "mimeType": "text/plain", "text": WORD},
            "redirectURL": url, "headersSize": 1, "bodySize": 1
        },
        "cache": {}, "timings": {"send": 0, "wait": 0, "receive": 0}
    }]}})
}

/// Every input on its own, every output of it.
#[test]
fn no_output_prints_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let transcript = transcript();
    let quoted: Vec<String> = transcript.lines().map(|line| format!("> {line}")).collect();
    let numbered: Vec<String> = (1..).zip(transcript.lines()).map(|(at, line)| format!("{at:>6}\t{line}")).collect();
    let har = har();
    let key = HEXADECIMAL[0].repeat(6);
    let eve = format!(
        "{{\"timestamp\":\"2026-11-22T07:01:23.000000+0000\",\"event_type\":\"http\",\"src_ip\":\"192.0.2.9\",\
         \"src_port\":4000,\"dest_ip\":\"203.0.113.14\",\"dest_port\":80,\"http\":{{\"hostname\":\"www.example.com\",\
         \"url\":\"/x?token={WORD}\",\"status\":403}}}}\n\
         {{\"timestamp\":\"2026-11-22T07:01:24.000000+0000\",\"event_type\":\"tls\",\"src_ip\":\"192.0.2.9\",\
         \"src_port\":4001,\"dest_ip\":\"203.0.113.14\",\"dest_port\":443,\
         \"tls\":{{\"sni\":\"www.example.com\",\"version\":\"TLS 1.2\"}}}}\n"
    );
    for (name, text) in [
        ("plain.txt", transcript.clone()),
        ("quoted.txt", quoted.join("\n")),
        ("numbered.txt", numbered.join("\n")),
        ("one_line.har", har.to_string()),
        ("pretty.har", serde_json::to_string_pretty(&har).unwrap()),
        ("eve.json", eve),
        ("sslkeylog.txt", format!("CLIENT_RANDOM {0} {0}\n", key.get(..64).unwrap())),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let is_log = name == "sslkeylog.txt";
        if !is_log {
            let facts = printed(&whycert_in(folder.path(), ["facts", name]));
            assert!(facts.contains("www.example.com"), "{name} is read: {facts}");
        }
        check(folder.path(), name);
    }
    check(folder.path(), ".");
}

fn check(folder: &Path, path: &str) {
    let formats = whycert::report::RENDERERS.iter().map(|renderer| renderer.id);
    let diagnoses = formats.map(|format| vec!["diagnose", "--format", format, path]);
    for arguments in diagnoses.chain([vec!["facts", path]]) {
        let output = whycert_in(folder, &arguments);
        let told = format!("{}\n{}", printed(&output), said(&output));
        for marker in HEXADECIMAL.iter().copied().chain([WORD, BASE64]) {
            let line = told.lines().find(|line| line.to_lowercase().contains(&marker.to_lowercase()));
            // A marker that a page breaks within a long word is one all the same.
            assert_eq!(line, None, "{arguments:?} prints {marker}");
        }
        let unbroken = told.replace("<wbr>", "");
        assert!(!unbroken.contains(WORD) && !unbroken.contains(BASE64), "{arguments:?}");
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let text = transcript();
    for marker in [WORD, BASE64, HEXADECIMAL[0], HEXADECIMAL[1]] {
        assert!(text.contains(marker), "{marker}");
    }
}
