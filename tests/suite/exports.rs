//! Exports of other tools: the same judgement as the capture they came from, whatever the tool; cut and
//! damaged ones keep what is whole.

use std::path::Path;

use whycert::analyze;
use whycert::evidence::{Evidence, Fact};
use whycert::input::Digest;

use crate::support::{files_below, printed, root, whycert_in};

fn evidence_of(name: &str, bytes: &[u8]) -> std::sync::Arc<Evidence> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let options = analyze::Options { digest: Digest::None, ..analyze::Options::default() };
    analyze::gather(&[path], &options).evidence
}

fn samples_of(folder: &str) -> Vec<std::path::PathBuf> {
    files_below(folder).into_iter().filter(|path| path.to_str().unwrap().contains("customer")).collect()
}

/// What was asked, where aliases lead, what was asked for in TLS and what was presented.
fn gist(evidence: &Evidence) -> Vec<String> {
    let mut gist: Vec<String> = Vec::new();
    for observation in &evidence.observations {
        match &*observation.fact {
            Fact::DnsAnswer(it) => {
                let aliases =
                    it.records.iter().filter_map(|record| Some(format!("{} → {}", record.owner, record.target()?)));
                gist.extend(aliases);
            }
            Fact::TlsHandshake(it) => gist.push(format!("sni {:?} certificates {}", it.sni, it.chain.len())),
            Fact::Certificate(it) => gist.extend(it.san.iter().map(|san| format!("presents {:?}", san.dns))),
            _ => {}
        }
    }
    gist.sort();
    gist.dedup();
    gist
}

#[test]
fn exports_say_what_their_capture_says() {
    let capture = std::fs::read(root().join("samples/stage_url_capture/customer.pcapng")).unwrap();
    let expected = gist(&evidence_of("customer.pcapng", &capture));
    assert!(expected.iter().any(|line| line.contains("execute-api")), "{expected:?}");
    let exports = samples_of("samples/stage_url_exports");
    assert!(exports.len() >= 7, "{exports:?}");
    for path in exports {
        let found = gist(&evidence_of("customer", &std::fs::read(root().join(&path)).unwrap()));
        for line in &expected {
            // a cut certificate shows its leaf's names, and intermediates have none
            let is_there = found.contains(line) || line == "presents []";
            assert!(is_there, "{}: {line} is not in {found:?}", path.display());
        }
    }
}

#[test]
fn exports_within_a_transcript_are_read_alike() {
    for (name, command) in
        [("tshark_json/customer.json", "tshark -r x.pcap -T json"), ("tcpdump_x/customer.txt", "tcpdump -r x.pcap -X")]
    {
        let bytes = std::fs::read(root().join("samples/stage_url_exports").join(name)).unwrap();
        let alone = gist(&evidence_of("customer", &bytes));
        let prompted = [b"user@host:~$ ".as_slice(), command.as_bytes(), b"\n", &bytes].concat();
        assert_eq!(gist(&evidence_of("ticket.txt", &prompted)), alone, "{name} behind a prompt");
        let wide: Vec<u8> = String::from_utf8(bytes).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = [[0xff, 0xfe].as_slice(), &wide].concat();
        assert_eq!(gist(&evidence_of("customer", &wide)), alone, "{name} in UTF-16");
    }
}

#[test]
fn cut_and_damaged_exports_keep_what_is_whole() {
    for path in samples_of("samples/stage_url_exports") {
        let bytes = std::fs::read(root().join(&path)).unwrap();
        for part in 1..8 {
            let cut = bytes.get(..bytes.len() * part / 8).unwrap();
            let found = evidence_of("customer", cut);
            assert!(!found.observations.is_empty() || !found.gaps.is_empty(), "{} cut at {part}/8", path.display());
            let mut damaged = bytes.clone();
            let at = bytes.len() * part / 8;
            for byte in damaged.iter_mut().skip(at).take(3) {
                *byte ^= 0x15;
            }
            evidence_of("customer", &damaged);
        }
    }
}

#[test]
fn secrets_of_exports_are_never_shown() {
    let har = r#"{"log":{"version":"1.2","creator":{"name":"x"},"entries":[{"startedDateTime":"2026-11-22T07:04:48.444Z",
        "request":{"method":"GET","url":"https://www.example.com/a?X-Amz-Signature=SECRET1","headers":[
        {"name":"Cookie","value":"SECRET2"},{"name":"Authorization","value":"SECRET3"}]},
        "response":{"status":403,"headers":[{"name":"Set-Cookie","value":"SECRET4"},{"name":"Server","value":"x"}]}}]}}"#;
    let trace = "$ curl -v -H 'Authorization: Bearer SECRET5' -b 'a=SECRET6' 'https://u:SECRET7@www.example.com/?token=SECRET8'\n\
                 *   Trying 203.0.113.10:443...\n> Cookie: SECRET9\n< HTTP/1.1 403 Forbidden\n< set-cookie: SECRET0\n\
                 curl: (60) SSL: no alternative certificate subject name matches target host name 'www.example.com'\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.har"), har).unwrap();
    std::fs::write(folder.path().join("b.txt"), trace).unwrap();
    for arguments in [
        ["facts", "a.har", "b.txt"].as_slice(),
        &["diagnose", "a.har", "b.txt"],
        &["diagnose", "--format", "json", "a.har", "b.txt"],
    ] {
        let output = printed(&whycert_in(folder.path(), arguments.iter().copied()));
        assert!(output.contains("www.example.com"), "{arguments:?}");
        assert!(!output.contains("SECRET"), "{arguments:?}: {output}");
    }
}

/// The transcripts of others, where they are at hand: every one of these tools gives its fact.
#[test]
fn every_example_gives_its_facts() {
    let examples = root().join("../shared/formats/examples");
    if !examples.is_dir() {
        println!("examples: SKIPPED, ../shared/formats is not here");
        return;
    }
    for (path, expected) in EXAMPLES {
        let bytes = std::fs::read(examples.join(path)).unwrap();
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let evidence = evidence_of(name, &bytes);
        let found: Vec<String> = evidence.observations.iter().map(|it| brief(&it.fact)).collect();
        for line in *expected {
            assert!(found.iter().any(|it| it == line), "{path}: {line} is not in {found:#?}");
        }
    }
}

/// A fact in few words.
fn brief(fact: &Fact) -> String {
    match fact {
        Fact::DnsAnswer(it) => {
            let asked = it.question.as_ref().map_or_else(String::new, |it| it.name.to_string());
            let records: Vec<String> = it.records.iter().map(|it| format!("{} {}", it.kind, it.data)).collect();
            format!("dns {asked}: {}", records.join(", "))
        }
        Fact::TlsHandshake(it) => format!(
            "tls {} sni {} certificates {}",
            it.server.map_or_else(|| "?".to_owned(), |server| server.to_string()),
            it.sni.clone().unwrap_or_else(|| format!("{:?}", it.sni_state).to_lowercase()),
            it.chain.len()
        ),
        Fact::ClientVerdict(it) => {
            let host = it.host.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
            format!("{} says {:?} of {host} presented {:?}", it.client, it.says, it.presented)
        }
        Fact::Override(it) => {
            let host = it.host.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
            format!("{:?} of {host} to {}", it.by, it.to.clone().unwrap_or_default())
        }
        Fact::TlsAlert(it) => format!("alert {} from {:?}", it.description.clone().unwrap_or_default(), it.from),
        Fact::Certificate(it) => format!("certificate {}", it.subject.clone().unwrap_or_default()),
        Fact::HttpExchange(it) => format!("http {:?}", it.status),
        Fact::Run(it) => format!("run {}", it.tool),
        Fact::CloudMapping(it) => format!("cloud {:?}", it.says),
    }
}

const STAGE: &str = "certificate CN=*.execute-api.us-east-1.amazonaws.com";
const CURL_SAYS: &str = "curl says NameMismatch of www.example.com presented []";

/// Examples by path, and facts that each holds.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("curl-7.61.1/v.tty.txt", &[STAGE, CURL_SAYS, "tls 203.0.113.12:443 sni www.example.com certificates 1"]),
    ("curl-7.61.1/k_v.tty.txt", &[STAGE, "http Some(403)"]),
    ("curl-8.5.0/v.txt", &[STAGE, CURL_SAYS, "tls 203.0.113.12:443 sni www.example.com certificates 1"]),
    ("curl-8.18.0/v.txt", &[STAGE, CURL_SAYS, "tls 203.0.113.10:443 sni www.example.com certificates 1"]),
    ("curl-8.18.0/vvv.tty.txt", &[STAGE, CURL_SAYS]),
    (
        "curl-8.18.0/reject.txt",
        &["alert unrecognized_name from Server", "curl says HandshakeFailed of reject.example.com presented []"],
    ),
    ("curl-8.18.0/connect_to.txt", &["ConnectTo of www.example.com to api.example.com", CURL_SAYS]),
    ("curl-openssl/trace_ascii.txt", &[STAGE, CURL_SAYS]),
    ("curl-openssl/by_ip.txt", &["tls 203.0.113.10:443 sni absent certificates 1"]),
    (
        "curl-openssl/expired_rightname.txt",
        &["Resolve of www.example.com to 203.0.113.30", "curl says Expired of www.example.com presented []"],
    ),
    ("curl-openssl/write_out_json.txt", &[STAGE, "http Some(403)"]),
    (
        "curl-gnutls/v.txt",
        &["curl says NameMismatch of www.example.com presented [\"*.execute-api.us-east-1.amazonaws.com\"]"],
    ),
    ("curl-gnutls/expired.txt", &["curl says Refused of www.example.com presented []"]),
    ("curl-nss/v.txt", &[STAGE, "curl says ChainUntrusted of www.example.com presented []"]),
    ("windows/curl_schannel_v.txt", &[CURL_SAYS]),
    ("windows/curl_schannel_old_v.txt", &[CURL_SAYS, "tls 203.0.113.10:443 sni www.example.com certificates 0"]),
    ("macos/curl_sectransp_k_v.txt", &[STAGE, "tls 203.0.113.10:443 sni absent certificates 1"]),
    (
        "wget/default.txt",
        &[
            "tls 203.0.113.10:443 sni www.example.com certificates 0",
            "wget says NameMismatch of www.example.com presented []",
        ],
    ),
    (
        "wget/expired.txt",
        &[
            "wget says Expired of expired.example.com presented []",
            "wget says NameMismatch of expired.example.com presented []",
        ],
    ),
    ("wget/reject.txt", &["alert unrecognized_name from Server"]),
    ("python/requests.txt", &["python says NameMismatch of www.example.com presented []"]),
    ("python/requests_incomplete.txt", &["python says ChainUntrusted of incomplete.example.com presented []"]),
    (
        "httpie/default.txt",
        &["python says NameMismatch of www.example.com presented [\"*.execute-api.us-east-1.amazonaws.com\"]"],
    ),
    (
        "node/https.txt",
        &["node says NameMismatch of www.example.com presented [\"*.execute-api.us-east-1.amazonaws.com\"]"],
    ),
    ("java/url.txt", &["java says NameMismatch of www.example.com presented []"]),
    ("java/expired.txt", &["java says Expired of ? presented []"]),
    ("java/reject.txt", &["alert unrecognized_name from Server"]),
    ("go/www.txt", &["go says NameMismatch of www.example.com presented [\"*.execute-api.us-east-1.amazonaws.com\"]"]),
    ("go/expired.txt", &["go says Expired of expired.example.com presented []"]),
    (
        "ruby/nethttp.txt",
        &["tls 203.0.113.10:443 sni unknown certificates 0", "ruby says NameMismatch of ? presented []"],
    ),
    ("php/file_get_contents.txt", &["php says NameMismatch of www.example.com presented []"]),
    (
        "git/clone.txt",
        &["git says NameMismatch of www.example.com presented [\"*.execute-api.us-east-1.amazonaws.com\"]"],
    ),
    (
        "aws-cli/endpoint_mismatch.txt",
        &["aws says NameMismatch of www.example.com presented [\"*.execute-api.us-east-1.amazonaws.com\"]"],
    ),
    ("windows/Invoke-WebRequest_7.txt", &[".NET says NameMismatch of ? presented []"]),
    (
        "browsers/chrome_name_invalid.txt",
        &["chrome says NameMismatch of www.example.com presented [\"*.execute-api.us-east-1.amazonaws.com\"]"],
    ),
    (
        "browsers/firefox_bad_cert_domain_single.txt",
        &["firefox says NameMismatch of www.example.com presented [\"legacy.example.net\"]"],
    ),
    ("browsers/safari.txt", &["safari says Refused of www.example.com presented []"]),
    ("chromium/selfsigned_text.txt", &["chrome says ChainUntrusted of selfsigned.example.com presented []"]),
    (
        "chromium/netlog_www.json",
        &[
            "tls 203.0.113.12:443 sni www.example.com certificates 4",
            STAGE,
            "chrome says NameMismatch of www.example.com presented []",
        ],
    ),
    ("har/chrome.har", &["browser says NameMismatch of www.example.com presented []", "http Some(403)"]),
    ("tshark/json_tls.txt", &["tls 203.0.113.11:443 sni www.example.com certificates 4", STAGE]),
    ("tshark/verbose_V.txt", &["tls 203.0.113.11:443 sni www.example.com certificates 4", STAGE]),
    ("tshark/pdml.txt", &[STAGE]),
    ("tshark/fields_csv.txt", &["tls ? sni www.example.com certificates 0"]),
    ("tcpdump/tttt_dns.txt", &["dns reject.example.com: A 203.0.113.33"]),
    ("tcpdump/vv_dns.txt", &["dns reject.example.com: A 203.0.113.33"]),
    ("tcpdump/X_tls.txt", &["tls 203.0.113.11:443 sni www.example.com certificates 0"]),
    ("zeek/ssl.log", &["tls 203.0.113.11:443 sni www.example.com certificates 2"]),
    ("zeek/x509.log", &[STAGE]),
    ("zeek/ssl_legacy_v2.log", &[STAGE, "tls 203.0.113.11:443 sni www.example.com certificates 1"]),
    ("suricata/eve.json", &[STAGE, "tls 203.0.113.11:443 sni www.example.com certificates 1"]),
];
