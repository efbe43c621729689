//! How fast exports and transcripts are read, and in how much memory: inputs made here, in code.
//!
//! `cargo bench --bench saved` writes a NetLog, a tshark JSON and an eve.json of `MEGABYTES` (200)
//! each and a folder of 5,000 transcripts, reads each with all processors, and prints megabytes a
//! second and the peak of resident memory, which for the exports must not follow the size of the file.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench ends at the first fault")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use whycert::analyze;
use whycert::input::Digest;

fn main() {
    let megabytes: usize = std::env::var("MEGABYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["*.execute-api.us-east-1.amazonaws.com".to_owned()];
    let der = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().to_vec();
    let bytes = megabytes << 20;
    let path = |name: &str| folder.path().join(name);
    tshark(&path("capture.json"), bytes, &der);
    measure("tshark -T json", &path("capture.json"));
    netlog(&path("netlog.json"), bytes, &der);
    measure("Chrome NetLog", &path("netlog.json"));
    eve(&path("eve.json"), bytes);
    measure("Suricata eve.json", &path("eve.json"));
    transcripts(&path("tickets"));
    measure("5,000 transcripts", &path("tickets"));
}

fn measure(what: &str, path: &Path) {
    forget_peak();
    let before = peak();
    let start = Instant::now();
    let options = analyze::Options { digest: Digest::None, ..analyze::Options::default() };
    let gathered = analyze::gather(&[path.to_owned()], &options);
    let seconds = start.elapsed().as_secs_f64();
    let bytes: u64 = gathered.evidence.sources.iter().map(|source| source.bytes).sum();
    let megabytes = f64::from(u32::try_from(bytes >> 10).unwrap()) / 1024.0;
    println!(
        "{what:<20} {megabytes:>7.1} MB in {seconds:>6.2} s  {:>6.1} MB/s  {:>7} facts  peak {} MB (before {} MB)",
        megabytes / seconds,
        gathered.evidence.observations.len(),
        peak() >> 10,
        before >> 10,
    );
}

/// The peak of resident memory in KiB, where the system tells it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// A file that grows until it has so many bytes.
fn grow(path: &Path, bytes: usize, head: &str, tail: &str, mut part: impl FnMut(usize) -> String) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    file.write_all(head.as_bytes()).unwrap();
    let mut written = 0;
    let mut number = 0;
    while written < bytes {
        let text = part(number);
        written += text.len();
        number += 1;
        file.write_all(text.as_bytes()).unwrap();
    }
    file.write_all(tail.as_bytes()).unwrap();
}

/// Frames as tshark prints them: of a hundred, one DNS response, one ClientHello, one Certificate.
fn tshark(path: &Path, bytes: usize, der: &[u8]) {
    let hexadecimal: Vec<String> = der.iter().map(|byte| format!("{byte:02x}")).collect();
    let hexadecimal = hexadecimal.join(":");
    let payload = "5a:".repeat(400) + "5a";
    grow(path, bytes, "[\n", "\n]\n", |number| {
        let stream = number / 100;
        let layers = match number % 100 {
            0 => format!(
                "\"dns\": {{\n\"dns.id\": \"0x0001\",\n\"dns.flags_tree\": {{\n\"dns.flags.response\": \"1\"\n}},\n\
                 \"dns.count.answers\": \"1\",\n\"Queries\": {{\n\"q\": {{\n\"dns.qry.name\": \"h{stream}.example.com\",\n\
                 \"dns.qry.type\": \"1\"\n}}\n}},\n\"Answers\": {{\n\"a\": {{\n\"dns.resp.name\": \"h{stream}.example.com\",\n\
                 \"dns.resp.type\": \"1\",\n\"dns.resp.ttl\": \"60\",\n\"dns.a\": \"203.0.113.10\"\n}}\n}}\n}}"
            ),
            1 => format!(
                "\"tls\": {{\n\"tls.record\": {{\n\"tls.handshake\": {{\n\"tls.handshake.type\": \"1\",\n\
                 \"tls.handshake.extensions_server_name\": \"h{stream}.example.com\"\n}}\n}}\n}}"
            ),
            2 => format!(
                "\"tls\": {{\n\"tls.record\": {{\n\"tls.handshake\": {{\n\"tls.handshake.type\": \"11\",\n\
                 \"tls.handshake.certificate\": \"{hexadecimal}\"\n}}\n}}\n}}"
            ),
            _ => format!("\"data\": {{\n\"data.data\": \"{payload}\"\n}}"),
        };
        let comma = if number == 0 { "" } else { ",\n" };
        let (from, to) = if number % 100 == 2 { (443, 40_000) } else { (40_000, 443) };
        format!(
            "{comma}{{\n\"_index\": \"packets-2026-11-22\",\n\"_type\": \"doc\",\n\"_source\": {{\n\"layers\": {{\n\
             \"frame\": {{\n\"frame.time_epoch\": \"1795331088.{number:09}\",\n\"frame.number\": \"{number}\"\n}},\n\
             \"ip\": {{\n\"ip.src\": \"198.51.100.7\",\n\"ip.dst\": \"203.0.113.10\"\n}},\n\"tcp\": {{\n\
             \"tcp.srcport\": \"{from}\",\n\"tcp.dstport\": \"{to}\",\n\"tcp.stream\": \"{stream}\"\n}},\n{layers}\n}}\n}}\n}}"
        )
    });
}

/// Events as Chrome logs them: of fifty, one ClientHello of a new socket.
fn netlog(path: &Path, bytes: usize, der: &[u8]) {
    let head = "{\"constants\":{\"logEventTypes\":{\"SSL_HANDSHAKE_MESSAGE_SENT\":1,\"SOCKET_ALIVE\":2,\"NOISE\":3,\
                \"SSL_CERTIFICATES_RECEIVED\":4},\"netError\":{},\"timeTickOffset\":1795329550983},\n\"events\": [\n";
    let noise = STANDARD.encode(der).repeat(2);
    grow(path, bytes, head, "]}\n", |number| {
        let source = number / 50;
        let event = match number % 50 {
            0 => format!("\"params\":{{\"bytes\":\"{}\"}},\"phase\":0,\"type\":1", STANDARD.encode(hello(source))),
            49 => "\"phase\":2,\"type\":2".to_owned(),
            _ => format!("\"params\":{{\"line\":\"{noise}\"}},\"phase\":0,\"type\":3"),
        };
        let comma = if number == 0 { "" } else { ",\n" };
        format!("{comma}{{{event},\"source\":{{\"id\":{source},\"type\":10}},\"time\":\"{number}\"}}")
    });
}

/// A ClientHello with a server name and nothing else.
fn hello(number: usize) -> Vec<u8> {
    let name = format!("h{number}.example.com");
    let sized = |bytes: &[u8]| [u16::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), bytes].concat();
    let list = sized(&[&[0], sized(name.as_bytes()).as_slice()].concat());
    let extensions = sized(&[&[0, 0], sized(&list).as_slice()].concat());
    let body = [&[3, 3], [7; 32].as_slice(), &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[1], length.get(1..).unwrap(), &body].concat()
}

/// Events as Suricata logs them, one of ten of a TLS connection.
fn eve(path: &Path, bytes: usize) {
    grow(path, bytes, "", "", |number| {
        let head = format!("{{\"timestamp\":\"2026-11-22T07:04:48.342191+0000\",\"flow_id\":{number},");
        let ends = "\"src_ip\":\"10.20.4.17\",\"src_port\":44174,\"dest_ip\":\"203.0.113.11\",\"dest_port\":443,\"proto\":\"TCP\"";
        let event = match number % 10 {
            0 => format!(
                "\"event_type\":\"tls\",{ends},\"tls\":{{\"sni\":\"h{number}.example.com\",\"version\":\"TLS 1.3\"}}"
            ),
            _ => format!(
                "\"event_type\":\"flow\",{ends},\"flow\":{{\"pkts_toserver\":7,\"state\":\"{}\"}}",
                "closed".repeat(40)
            ),
        };
        format!("{head}{event}}}\n")
    });
}

/// Tickets with a dig and a curl each.
fn transcripts(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for number in 0..5000 {
        let host = format!("h{number}.example.com");
        let text = format!(
            "$ dig {host}\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: {number}\n;; ANSWER SECTION:\n\
             {host}. 300 IN CNAME abc{number}.execute-api.us-east-1.amazonaws.com.\n\
             abc{number}.execute-api.us-east-1.amazonaws.com. 60 IN A 203.0.113.10\n\n$ curl -v https://{host}/\n\
             *   Trying 203.0.113.10:443...\n* Connected to {host} (203.0.113.10) port 443\n\
             * ALPN: curl offers h2,http/1.1\n* TLSv1.3 (OUT), TLS handshake, Client hello (1):\n\
             * Server certificate:\n*  subject: CN=*.execute-api.us-east-1.amazonaws.com\n\
             *  subjectAltName does not match {host}\ncurl: (60) SSL: no alternative certificate subject name matches \
             target host name '{host}'\n"
        );
        std::fs::write(folder.join(PathBuf::from(format!("ticket-{number:04}.txt"))), text).unwrap();
    }
}
