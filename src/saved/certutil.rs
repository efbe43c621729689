//! Windows' `certutil -dump`: a certificate as text. Its dates are those of the machine's own zone and
//! language, and are left out where their order is not certain.

use super::connection::{described, observe_certificate};
use super::grammar::dn;
use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;
use crate::x509::{Certificate, San};

/// `certutil`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "certutil",
    made_by: "certutil -dump, certutil -verify",
    is_command: |words| words.first().is_some_and(|word| word == "certutil") && !is_nss(words),
    opens: |line| line.trim_end() == "X509 Certificate:",
    repeats: true,
    read,
};

/// NSS has a tool of the same name; of its outputs only a single certificate is read, by `openssl_x509`.
pub fn is_nss(words: &[String]) -> bool {
    matches!(words, [tool, options @ ..] if tool == "certutil" && options.iter().any(|word| word == "-L"))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    sink.observe(run.fact("certutil", None, None, ServerName::Unknown), [run.first_line()]);
    let mut certificate = described(run, run.first_line(), sink);
    let mut lines = Vec::new();
    let mut part = Part::Other;
    let mut name: Vec<&str> = Vec::new();
    for line in run.lines {
        let text = line.text.trim();
        if let Some(next) = heading(&line.text) {
            keep(&mut certificate, part, &name);
            (part, name) = (next, Vec::new());
        }
        let is_name =
            matches!(part, Part::Issuer | Part::Subject) && line.text.starts_with("    ") && text.contains('=');
        if is_name {
            name.push(text);
        }
        if is_name || field(&mut certificate, text, part) {
            lines.push(line.number);
        }
    }
    keep(&mut certificate, part, &name);
    if certificate.sha256.is_some() {
        certificate.local_id = None;
    }
    observe_certificate(certificate, lines, sink);
}

/// The part of the dump that a line stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Issuer,
    Subject,
    Other,
}

/// A heading stands at the left and ends with a colon.
fn heading(line: &str) -> Option<Part> {
    if line.starts_with(' ') || line.trim().is_empty() {
        return None;
    }
    Some(match line.trim_end() {
        "Issuer:" => Part::Issuer,
        "Subject:" => Part::Subject,
        _ => Part::Other,
    })
}

/// The parts of a name stand one under the other, the most specific first.
fn keep(certificate: &mut Certificate, part: Part, name: &[&str]) {
    if name.is_empty() {
        return;
    }
    let whole = Some(dn::normal(&name.join(", ")));
    match part {
        Part::Issuer => certificate.issuer = whole,
        Part::Subject => certificate.subject = whole,
        Part::Other => {}
    }
}

fn field(certificate: &mut Certificate, text: &str, part: Part) -> bool {
    if let Some(name) = text.strip_prefix("DNS Name=").filter(|_| part == Part::Other) {
        certificate.san.get_or_insert_with(San::default).dns.push(name.to_owned());
    } else if let Some(address) = text.strip_prefix("IP Address=").filter(|_| part == Part::Other) {
        certificate.san.get_or_insert_with(San::default).ip.push(address.to_owned());
    } else if let Some(serial) = text.strip_prefix("Serial Number: ") {
        certificate.serial = Some(serial.replace(' ', "").to_lowercase());
    } else if let Some(digest) = text.strip_prefix("Cert Hash(sha256): ") {
        certificate.sha256 = Some(digest.replace(' ', "").to_lowercase()).filter(|digits| digits.len() == 64);
    } else {
        return false;
    }
    true
}
