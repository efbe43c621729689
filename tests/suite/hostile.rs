//! Names that try to steer whoever reads them, in DNS, in certificates, in the server name, in the names of
//! files and on the command line: every output writes them escaped, and the longest cut with the count.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use whycert::report::RENDERERS;

use crate::support::capture_builder::{Pcap, TCP, UDP, ip, tcp, udp};
use crate::support::{said, whycert, whycert_in};

/// What steers a terminal, a reading direction or a spreadsheet's guess of the encoding.
fn steers(c: char) -> bool {
    (c.is_control() && !"\n\r".contains(c)) || "\u{202e}\u{2066}\u{200b}\u{feff}".contains(c)
}

/// That an output holds nothing that acts on its reader.
fn is_harmless(what: &str, format: &str, text: &str) {
    let at = text.char_indices().find(|(_, c)| steers(*c));
    assert!(at.is_none(), "{what} as {format} lets {at:?} through");
    match format {
        "html" => {
            let has_markup = ["<script", "<b>.", "<b>bold"].iter().any(|it| text.contains(it));
            assert!(!has_markup, "{what} as {format}: markup");
        }
        "csv" => {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
            let is_formula = |cell: &str| cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%']);
            for row in reader.records() {
                assert!(!row.unwrap().iter().any(is_formula), "{what} as {format}: a formula in\n{text}");
            }
        }
        "json" | "sarif" => assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{what} as {format}"),
        "ndjson" => {
            assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{what}");
        }
        _ => {}
    }
}

/// Writes a case in every way there is, and shows each to `check` with the name of the way.
fn in_every_way(folder: &Path, paths: &[PathBuf], mut check: impl FnMut(&str, &str)) {
    let mut run = |command: &str, format: &str| {
        let arguments = [command, "--format", format].map(std::ffi::OsString::from);
        let output = whycert_in(folder, arguments.into_iter().chain(paths.iter().map(|path| path.clone().into())));
        assert_ne!(output.status.code(), Some(2), "{}", said(&output));
        is_harmless("standard error", "text", &said(&output));
        let text = String::from_utf8(output.stdout).expect("standard output is UTF-8");
        check(if command == "facts" && format == "csv" { "facts csv" } else { format }, &text);
    };
    for renderer in RENDERERS {
        run("diagnose", renderer.id);
    }
    run("facts", "ndjson");
    run("facts", "csv");
}

const ADDRESSES: [&str; 3] = ["192.0.2.10", "192.0.2.53", "198.51.100.7"];

fn address(nth: usize) -> IpAddr {
    ADDRESSES[nth].parse().unwrap()
}

/// A name as DNS writes it; a label can hold any byte.
fn labels(all: &[&[u8]]) -> Vec<u8> {
    let mut name = Vec::new();
    for label in all {
        name.push(u8::try_from(label.len()).unwrap());
        name.extend_from_slice(label);
    }
    name.push(0);
    name
}

/// An answer: the name is an alias of another, which has an address.
fn answer(asked: &[u8], target: &[u8]) -> Vec<u8> {
    let length = u16::try_from(target.len()).unwrap().to_be_bytes();
    let record = |owner: &[u8], kind: u8, data: &[u8]| [owner, &[0, kind, 0, 1, 0, 0, 1, 44], data].concat();
    [
        &[0, 7, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0][..],
        asked,
        &[0, 1, 0, 1],
        &record(asked, 5, &[&length, target].concat()),
        &record(target, 1, &[0, 4, 198, 51, 100, 7]),
    ]
    .concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

/// A message in as many records as it needs.
fn records(message: &[u8]) -> Vec<u8> {
    let record = |piece: &[u8]| {
        let length = u16::try_from(piece.len()).unwrap().to_be_bytes();
        [&[22, 3, 3][..], &length, piece].concat()
    };
    message.chunks(16_000).flat_map(record).collect()
}

fn client_hello(server_name: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let list = [&length(server_name.len() + 3)[..], &[0], &length(server_name.len()), server_name].concat();
    let extensions = [&[0, 0][..], &length(list.len()), &list].concat();
    let head = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]].concat();
    message(1, &[&head, &length(extensions.len())[..], &extensions].concat())
}

fn certificate_message(der: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes()[1..].to_vec();
    message(11, &[length(der.len() + 3), length(der.len()), der.to_vec()].concat())
}

/// A handshake of TLS 1.2 that asks for a name and is served a certificate.
fn handshake(to: &mut Pcap, port: u16, server_name: &[u8], der: &[u8]) {
    let mut sequence = [1_u32, 1];
    let mut send = |from: usize, payload: &[u8]| {
        for piece in payload.chunks(60_000) {
            let (ports, ends) = if from == 0 {
                ((port, 443), (address(0), address(2)))
            } else {
                ((443, port), (address(2), address(0)))
            };
            let segment = tcp(ports, sequence[from], 0x18, piece);
            sequence[from] += u32::try_from(piece.len()).unwrap();
            to.packet(1_790_000_000, 0, &ip(ends, TCP, &segment));
        }
    };
    send(0, &records(&client_hello(server_name)));
    let server_hello = message(2, &[&[3, 3][..], &[9; 32], &[0, 0xc0, 0x2f, 0]].concat());
    send(1, &records(&server_hello));
    send(1, &records(&certificate_message(der)));
    send(1, &records(&message(14, &[])));
}

const STEERING: &str = "\u{1b}]0;owned\u{7}<script>alert(1)</script>";

fn certificate(common_name: &str, names: &[String]) -> Vec<u8> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.subject_alt_names =
        names.iter().map(|name| SanType::DnsName(name.as_str().try_into().unwrap())).collect();
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2027, 12, 31);
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

/// A capture whose DNS answers, server names and certificates all hold what steers.
fn capture() -> Vec<u8> {
    let mut file = Pcap::plain(101);
    let good = labels(&[b"www", b"example", b"com"]);
    let bad = labels(&[b"\x1b[2J", b"<script>", b"\xe2\x80\xaemoc", b"=cmd|x", b"example"]);
    for (asked, target) in [(&good, &bad), (&bad, &good)] {
        let datagram = udp((53, 40_000), &answer(asked, target));
        file.packet(1_790_000_000, 0, &ip((address(1), address(0)), UDP, &datagram));
    }
    let hostile = [format!("{STEERING}.example"), "=cmd|x".to_owned(), "<b>.example.com".to_owned()];
    handshake(&mut file, 40_001, b"www.example.com", &certificate(&format!("=1+1\u{202e}{STEERING}"), &hostile));
    handshake(&mut file, 40_002, "\u{1b}[2J<b>\u{202e}.example.com".as_bytes(), &certificate("<b>", &hostile));
    let names = [long_name(), "www.example.net".to_owned()];
    handshake(&mut file, 40_004, SHELL.as_bytes(), &certificate("x", &[format!("*.{SHELL}"), "$(x)".to_owned()]));
    handshake(&mut file, 40_003, b"long.example.com", &certificate("long\u{202e}", &names));
    file.bytes
}

/// A name of a megabyte; a handshake message of over 1 MiB is a gap.
const LONG: usize = 1_000_000;

fn long_name() -> String {
    format!("{}.example.com", "a".repeat(LONG))
}

/// Whether a text says of a value how much of it is cut, with the few words that stand before it in a sentence.
fn is_counted(text: &str, value: &str) -> bool {
    let cut = value.len() - 1024;
    let counts =
        text.match_indices(" bytes more)").filter_map(|(at, _)| text[..at].rsplit('(').next()?.parse::<usize>().ok());
    counts.into_iter().any(|count| (cut..cut + 100).contains(&count))
}

/// Text without the blanks and the gutter of its rows.
fn unfolded(text: &str) -> String {
    text.split_whitespace().filter(|word| !["│", "↳"].contains(word)).collect::<Vec<_>>().join(" ")
}

/// What a shell would run, and what a program would take for an option.
const SHELL: &str = "-x;touch owned;'$(touch owned)`touch owned`.example.com";

/// Commands are there to be pasted: none holds what an input would have run.
#[test]
fn no_command_of_a_report_runs_what_a_name_says() {
    let bytes = capture();
    let alone = |host: &[u8]| {
        let mut file = Pcap::plain(101);
        handshake(&mut file, 40_001, host, &certificate("x", &["$(touch owned).example.net".to_owned()]));
        let asked = labels(&[host]);
        let to = labels(&[b"abc123def4", b"execute-api", b"us-east-1", b"amazonaws", b"com"]);
        file.packet(1_790_000_000, 0, &ip((address(1), address(0)), UDP, &udp((53, 9), &answer(&asked, &to))));
        file.bytes
    };
    let mut told = 0;
    for bytes in [bytes, alone(b"a;touch owned"), alone(b"$(touch owned)"), alone(b"`touch owned`")] {
        let output = crate::support::whycert_fed(&["diagnose", "--format", "json", "-"], &bytes);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut commands: Vec<String> = Vec::new();
        for case in report["cases"].as_array().unwrap() {
            let texts = |it: &serde_json::Value| it.as_str().map(ToOwned::to_owned);
            for it in case["ask_for"].as_array().into_iter().flatten() {
                commands.extend(texts(&it["command"]));
                commands.extend(it["or"].as_array().into_iter().flatten().filter_map(texts));
            }
            commands.extend(case["undecided"].as_array().unwrap().iter().filter_map(|it| texts(&it["ask"])));
            for it in case["findings"].as_array().unwrap() {
                commands.extend(["verify", "remedy"].into_iter().filter_map(|name| texts(&it[name])));
                commands.extend(["unknown", "batch"].into_iter().filter_map(|name| texts(&it["change"][name])));
            }
        }
        told += commands.len();
        for command in commands {
            assert!(!command.contains("owned") && !command.contains("$("), "{command}\n{report:#}");
        }
    }
    assert!(told > 10, "{told} commands");
}

#[test]
fn names_of_a_capture_steer_nobody() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.pcap"), capture()).unwrap();
    // The longest subject of a self-signed certificate, which holds it twice.
    let subject = format!("{}.example.com", "a".repeat(LONG / 2));
    let alone = |file: &str, host: &[u8], der: &[u8]| {
        let mut capture = Pcap::plain(101);
        handshake(&mut capture, 40_003, host, der);
        std::fs::write(folder.path().join(file), capture.bytes).unwrap();
    };
    alone("name.pcap", b"long.example.com", &certificate("long\u{202e}", &[long_name()]));
    alone("subject.pcap", b"www.example.com", &certificate(&subject, &["www.example.com".to_owned()]));
    let mut shown = std::collections::BTreeSet::new();
    for (file, value) in [("c.pcap", &long_name()), ("name.pcap", &long_name()), ("subject.pcap", &subject)] {
        in_every_way(folder.path(), &[PathBuf::from(file)], |format, text| {
            is_harmless(file, format.trim_start_matches("facts "), text);
            if text.contains(&"a".repeat(30)) {
                is_cut_for_people(format, text, value);
                shown.insert(format.to_owned());
            }
        });
    }
    assert_eq!(shown.len(), RENDERERS.len() + 2, "{shown:?}");
}

/// That people get the beginning of a long value with the count of what is cut, and programs the whole of it.
fn is_cut_for_people(format: &str, text: &str, value: &str) {
    let is_for_programs = ["json", "ndjson", "facts csv"].contains(&format);
    if is_for_programs {
        assert!(text.contains(value), "{format} cuts a name of {} bytes", value.len());
        return;
    }
    assert!(!text.contains(&"a".repeat(5_000)), "{format}: a name of {} bytes is not cut", value.len());
    assert!(is_counted(&unfolded(text), value), "{format} does not say how much is cut:\n{text}");
}

/// A member of an archive can have any name.
#[test]
fn long_names_of_files_are_cut_with_the_count() {
    let folder = tempfile::tempdir().unwrap();
    let words = b"curl: (60) SSL: no alternative certificate subject name matches target host name 'www.example.com'\n";
    let name = format!("{}.txt", "a".repeat(LONG));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(words.len()).unwrap());
    header.set_mode(0o600);
    builder.append_data(&mut header, &name, &words[..]).unwrap();
    std::fs::write(folder.path().join("long.tar"), builder.into_inner().unwrap()).unwrap();
    in_every_way(folder.path(), &[PathBuf::from("long.tar")], |format, text| {
        is_harmless("a long name of a file", format.trim_start_matches("facts "), text);
        match format {
            // A row of CSV is a handshake, and there is none; a location of SARIF is the whole of a name, or it
            // would be another file.
            "csv" => assert!(!text.contains(&"a".repeat(5_000)), "{text}"),
            "sarif" => assert!(text.contains(&name)),
            _ => is_cut_for_people(format, text, &format!("long.tar!{name}")),
        }
    });
}

#[cfg(unix)]
#[test]
fn names_of_files_steer_nobody() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let names: [&[u8]; 7] = [
        b"\x1b]0;owned\x07.txt",
        b"two\nlines.txt",
        "\u{202e}txt.exe".as_bytes(),
        b"=cmd|calc.txt",
        b"<b>bold<script>.txt",
        b"\xff\xfe\x80.txt",
        b"a`b|c.txt",
    ];
    let transcript =
        "curl: (60) SSL: no alternative certificate subject name matches target host name 'www.example.com'\n";
    let mut paths = Vec::new();
    for name in names {
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        std::fs::write(folder.path().join(path), transcript).unwrap();
        paths.push(PathBuf::from(".").join(path));
    }
    in_every_way(folder.path(), &paths, |format, text| {
        is_harmless("names of files", format.trim_start_matches("facts "), text);
        // A row of CSV is a handshake; these files hold none.
        assert!(text.contains("owned") || format == "csv", "{format}: {text}");
        assert!(!text.contains("\ntwo\nlines") && !text.contains("two\nlines"), "{format}: {text}");
    });
    // Whole folders give the same names, and none of them is an option.
    in_every_way(folder.path(), &[PathBuf::from(".")], |format, text| {
        is_harmless("a folder", format.trim_start_matches("facts "), text);
    });
    for name in names {
        let gone = folder.path().join("gone").join(std::ffi::OsStr::from_bytes(name));
        for arguments in [
            vec!["diagnose".into(), gone.clone().into_os_string()],
            vec!["diagnose".into(), "--config".into(), gone.clone().into_os_string(), "README.md".into()],
            vec!["diagnose".into(), "--keylog".into(), gone.clone().into_os_string(), "README.md".into()],
            vec!["diagnose".into(), "--roots".into(), gone.clone().into_os_string(), "README.md".into()],
            vec!["diagnose".into(), "--data".into(), gone.clone().into_os_string(), "README.md".into()],
            vec!["diagnose".into(), "--output".into(), gone.clone().into_os_string(), "README.md".into()],
        ] {
            let output = whycert(&arguments);
            let words = said(&output);
            is_harmless(&format!("{arguments:?}"), "text", &words);
            assert!(!words.contains("two\nlines"), "{words}");
        }
    }
}

#[test]
fn arguments_steer_nobody() {
    let bad = "\u{1b}[2J\u{202e}<b>.example.com";
    let ticket = "samples/stage_url_transcript/ticket.txt";
    for arguments in [
        vec!["diagnose", "--host", bad, ticket],
        vec!["diagnose", "--host", "=cmd|x.example.com", "--format", "csv", ticket],
        vec!["diagnose", "--select", bad, ticket],
        vec!["diagnose", "--ignore", bad, ticket],
        vec!["diagnose", "--format", bad, ticket],
        vec!["diagnose", "--as-of", bad, ticket],
        vec!["diagnose", "--max-memory", bad, ticket],
        vec!["explain", bad],
        vec!["man", bad],
        vec![bad],
    ] {
        let output = whycert(&arguments);
        is_harmless(&format!("{arguments:?}"), "text", &said(&output));
        let format = if arguments.contains(&"csv") { "csv" } else { "text" };
        is_harmless(&format!("{arguments:?}"), format, &String::from_utf8(output.stdout).unwrap());
    }
}
