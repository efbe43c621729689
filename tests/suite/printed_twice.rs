//! A certificate that an output prints as text and in PEM form is one certificate; a command with its
//! output is one run, whatever opens the output.

use whycert::evidence::{Fact, Reading};
use whycert::saved;

use crate::support::root;

const SUBJECT: &str = "CN = *.execute-api.us-east-1.amazonaws.com";
const ISSUER: &str = "C = US, O = Amazon, CN = Amazon RSA 2048 M02";

/// How many runs, certificates and certificates in PEM form there are.
fn counts(reading: &Reading) -> (usize, usize, usize) {
    let facts = || reading.observations.iter().map(|it| &*it.fact);
    let certificates = || facts().filter_map(|it| if let Fact::Certificate(it) = it { Some(it) } else { None });
    let runs = facts().filter(|it| matches!(it, Fact::Run(_))).count();
    (runs, certificates().count(), certificates().filter(|it| it.der.is_some()).count())
}

#[test]
fn text_and_pem_are_one_certificate() {
    let pem = std::fs::read_to_string(root().join("samples/x509_pem/served.pem")).unwrap();
    let leaf = pem.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    for output in [
        format!("$ openssl pkcs7 -in s.p7b -print_certs\nsubject={SUBJECT}\n\nissuer={ISSUER}\n\n{leaf}"),
        format!(
            "$ openssl pkcs12 -in s.p12 -nokeys\nBag Attributes\n    localKeyID: 01\nsubject={SUBJECT}\nissuer={ISSUER}\n{leaf}"
        ),
        format!("$ openssl x509 -in s.pem -subject -issuer\nsubject={SUBJECT}\nissuer={ISSUER}\n{leaf}"),
        format!("$ openssl storeutl -certs s.pem\n0: Certificate\n{leaf}Total found: 1\n"),
        format!(
            "$ openssl s_client -connect www.example.com:443 -trace\nCONNECTED(00000003)\n    Certificate, Length=900\n        \
             {leaf}------------------\n---\nCertificate chain\n 0 s:{SUBJECT}\n   i:{ISSUER}\n---\nServer certificate\n{leaf}---\n"
        ),
    ] {
        let reading = saved::read("it.txt", output.as_bytes());
        assert_eq!(counts(&reading), (1, 1, 1), "{output}\n{:?}", reading.observations);
    }
}

#[test]
fn a_command_and_its_output_are_one_run() {
    for (output, runs) in [
        ("$ busybox wget -O- https://www.example.com/\nConnecting to www.example.com (192.0.2.10:443)\n", 1),
        ("$ wget https://www.example.com/\n--2026-11-22 07:01:23--  https://www.example.com/\n", 1),
        ("--2026-11-22 07:01:23--  https://a.example.com/\n--2026-11-22 07:01:24--  https://b.example.com/\n", 2),
        (
            "$ curl --trace-ascii - https://www.example.com/\n== Info:   Trying 192.0.2.10:443...\n== Info: Connected to \
          www.example.com (192.0.2.10) port 443 (#0)\n<= Recv data, 23 bytes (0x17)\n0000: {\"message\":\"Forbidden\"}\n",
            1,
        ),
    ] {
        let reading = saved::read("it.txt", output.as_bytes());
        assert_eq!(counts(&reading).0, runs, "{output}");
        assert_eq!(reading.source.unknown_lines, None, "{output}");
    }
}
