//! `openssl x509` in all its forms: `-subject`, `-issuer`, `-dates`, `-serial`, `-fingerprint`, `-ext`, `-text`,
//! `-checkhost`, and of `openssl pkcs7 -print_certs`, `pkcs12 -nodes`, `storeutl -certs`; NSS' `certutil -L -n`
//! prints much the same.

use std::net::{IpAddr, SocketAddr};

use super::connection::{Connection, described, observe_certificate, whole};
use super::grammar::{address, dn, time};
use super::{Line, RunText, SavedFormat, Sink, certutil, command};
use crate::evidence::{ClientVerdict, Fact, Says, ServerName};
use crate::name::Name;
use crate::provenance::{GapReason, Place};
use crate::x509::{self, Certificate, San};

/// `openssl x509`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "openssl_x509",
    made_by: "openssl x509 -noout -subject -issuer -dates -ext subjectAltName, openssl x509 -text, openssl pkcs7, pkcs12, storeutl, certutil -L -n",
    is_command,
    opens,
    repeats: false,
    read,
};

fn is_command(words: &[String]) -> bool {
    match words {
        [tool, sub, ..] if tool == "openssl" => {
            matches!(sub.as_str(), "x509" | "pkcs7" | "crl2pkcs7" | "pkcs12" | "storeutl")
        }
        words => certutil::is_nss(words),
    }
}

fn opens(line: &str) -> bool {
    let text = line.trim();
    line == "Certificate:"
        || line == "Bag Attributes"
        || line.starts_with("subject=")
        || line.starts_with("issuer=")
        || line.starts_with("notBefore=")
        || line.starts_with("notAfter=")
        || is_fingerprint(text)
        || text == "X509v3 Subject Alternative Name:"
        || no_certificate(text)
        || checked(text).is_some()
        || (line.starts_with(' ')
            && ["Subject: ", "Issuer: "].iter().any(|it| text.starts_with(it))
            && text.contains("CN"))
}

fn is_fingerprint(text: &str) -> bool {
    text.split_once(" Fingerprint=").is_some_and(|(hash, _)| hash.to_ascii_lowercase().starts_with("sha"))
}

/// What x509 says when nothing came through the pipe.
fn no_certificate(text: &str) -> bool {
    text.eq_ignore_ascii_case("unable to load certificate") || text.starts_with("Could not read certificate from ")
}

/// `Hostname www.example.com does NOT match certificate`.
fn checked(text: &str) -> Option<(&str, Says)> {
    let rest = text.strip_prefix("Hostname ")?;
    let (host, says) = if let Some(host) = rest.strip_suffix(" does NOT match certificate") {
        (host, Says::NameMismatch)
    } else {
        (rest.strip_suffix(" does match certificate")?, Says::NameMatches)
    };
    Some((host, says))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let piped = Piped::of(run);
    let host = piped.as_ref().and_then(Piped::host).filter(|host| host.ip().is_none());
    let server_name = piped.as_ref().map_or(ServerName::Unknown, |it| it.server_name.clone());
    let tool = if certutil::is_nss(&run.command) { "certutil" } else { "openssl x509" };
    sink.observe(run.fact(tool, run.version.clone(), host, server_name), [run.first_line()]);
    let before = sink.observations.len();
    let mut blocks = x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str())));
    let mut open = Open::new(run, sink);
    for line in run.lines {
        let text = line.text.trim();
        if open.is_done(text) {
            std::mem::replace(&mut open, Open::new(run, sink)).close(&mut blocks, run, sink);
        }
        if open.take(line) {
            open.lines.push(line.number);
        }
        if let Some((host, says)) = checked(text) {
            let it = ClientVerdict {
                client: "openssl".to_owned(),
                says,
                host: address::host(host),
                presented: Vec::new(),
                code: None,
                words: text.to_owned(),
                above: None,
                run: Some(run.number),
            };
            sink.observe(Fact::ClientVerdict(it), [line.number]);
        }
        if no_certificate(text) {
            let why = "nothing came through the pipe; ask for the output of openssl s_client alone".to_owned();
            sink.gap(line.number, GapReason::Undecoded { what: "certificate".to_owned(), why });
        }
    }
    open.close(&mut blocks, run, sink);
    if let Some(piped) = piped {
        piped.observe(before, run, sink);
    }
}

/// The handshake that the certificate came from: an `openssl s_client` in the same pipeline.
struct Piped {
    dialed: Option<String>,
    port: u16,
    server_name: ServerName,
    starttls: Option<String>,
}

impl Piped {
    fn of(run: &RunText<'_>) -> Option<Self> {
        let is_look = |stage: &&Vec<String>| matches!(stage.as_slice(), [tool, sub, ..] if tool == "openssl" && sub == "s_client");
        let words = run.pipeline.iter().find(is_look)?;
        let connect = command::value(words, &["-connect", "--connect", "-host"]).map(address::target);
        let dialed = connect.and_then(|(host, _)| address::host(host).map(|_| host.to_owned()));
        let server_name = if words.iter().any(|word| word == "-noservername") {
            ServerName::No
        } else if let Some(name) = command::value(words, &["-servername", "--servername"]) {
            address::host(name).map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string()))
        } else if command::value(words, &["-proxy"]).is_some() {
            ServerName::Unknown
        } else {
            named_by_itself(run, dialed.as_deref())
        };
        let port = connect.and_then(|(_, port)| port).unwrap_or(443);
        let starttls = command::value(words, &["-starttls"]).map(str::to_owned);
        Some(Self { dialed, port, server_name, starttls })
    }

    fn host(&self) -> Option<Name> {
        match &self.server_name {
            ServerName::Yes(name) => address::host(name),
            ServerName::No | ServerName::Unknown => self.dialed.as_deref().and_then(address::host),
        }
    }

    /// The handshake of the first certificate that the run shows.
    fn observe(self, before: usize, run: &RunText<'_>, sink: &mut Sink) {
        let shown = sink.observations.iter().skip(before).find_map(|it| match &*it.fact {
            Fact::Certificate(certificate) => Some((certificate.clone(), lines_of(&it.at))),
            _ => None,
        });
        let Some(shown) = shown else { return };
        let address = self.dialed.as_deref().and_then(|host| host.parse().ok());
        let connection = Connection {
            server: address.map(|address| SocketAddr::new(address, self.port)),
            dialed: self.dialed,
            server_name: self.server_name,
            starttls: self.starttls,
            chain: vec![shown],
            ..Connection::default()
        };
        connection.observe(run, sink);
    }
}

/// The server name of an s_client without `-servername`: none of an address; of a name only where the
/// layout is that of a version that sends the name by itself (OpenSSL since 3.2 prints `CN=` unspaced).
fn named_by_itself(run: &RunText<'_>, dialed: Option<&str>) -> ServerName {
    let Some(host) = dialed else { return ServerName::Unknown };
    if host.parse::<IpAddr>().is_ok() || !host.contains('.') {
        return ServerName::No;
    }
    // Other versions print this layout too when they are told to.
    let is_told = run.pipeline.iter().flatten().any(|word| word == "-nameopt");
    let is_modern = |line: &Line| {
        let names = ["subject=", "issuer="].iter().find_map(|it| line.text.strip_prefix(it));
        names.is_some_and(|names| {
            let first = names.split(',').next().unwrap_or_default();
            first.contains('=') && !first.contains(" = ") && !first.starts_with([' ', '/'])
        })
    };
    match address::host(host).filter(|_| !is_told && run.lines.iter().any(is_modern)) {
        Some(name) => ServerName::Yes(name.to_string()),
        None => ServerName::Unknown,
    }
}

fn lines_of(at: &[Place]) -> Vec<u32> {
    let spans = at.iter().filter_map(|place| match place {
        Place::Lines { first, last, .. } => Some(*first..=*last),
        Place::Frames { .. } | Place::Whole { .. } => None,
    });
    spans.flatten().collect()
}

/// The certificate that is being read.
struct Open {
    certificate: Certificate,
    lines: Vec<u32>,
    /// What the next line holds.
    next: Option<Next>,
}

#[derive(Clone, Copy)]
enum Next {
    Names,
    Serial,
    /// The digest that NSS prints on a line of its own.
    Digest,
    /// Attributes, one a line (`-nameopt multiline`).
    Subject,
    Issuer,
}

impl Open {
    fn new(run: &RunText<'_>, sink: &Sink) -> Self {
        Self { certificate: described(run, run.first_line(), sink), lines: Vec::new(), next: None }
    }

    /// Whether a line begins another certificate.
    fn is_done(&self, text: &str) -> bool {
        (text == "Certificate:" && !self.lines.is_empty())
            || text.strip_prefix("subject=").is_some_and(|subject| {
                let own = self.certificate.subject.as_ref();
                own.is_some_and(|own| self.certificate.issuer.is_some() || *own != dn::normal(subject.trim()))
            })
    }

    /// Its PEM form, where the run prints it too, says more than its text.
    fn close(mut self, blocks: &mut Vec<x509::pem::Block>, run: &RunText<'_>, sink: &mut Sink) {
        let Some(first) = self.lines.first() else { return };
        let own = blocks.iter().position(|block| {
            let der = block.der.as_ref().ok().map(|der| whole(run, der));
            der.is_some_and(|it| self.is(&it))
        });
        let own = own.map(|at| blocks.remove(at));
        if let Some(x509::pem::Block { first, last, der: Ok(der) }) = own {
            self.lines.extend(first..=last);
            observe_certificate(whole(run, &der), self.lines, sink);
            return;
        }
        self.certificate.local_id = self.certificate.sha256.is_none().then(|| sink.local_id(*first));
        observe_certificate(self.certificate, self.lines, sink);
    }

    /// Whether what was read so far is this certificate: its number, or all that is known where no number is.
    fn is(&self, whole: &Certificate) -> bool {
        let told = &self.certificate;
        if told.serial.is_some() {
            return told.serial == whole.serial;
        }
        let agrees = |told: &Option<String>, whole: &Option<String>| told.is_none() || told == whole;
        (told.subject.is_some() || told.sha256.is_some())
            && agrees(&told.sha256, &whole.sha256)
            && agrees(&told.subject, &whole.subject)
            && agrees(&told.issuer, &whole.issuer)
            && (told.not_before.is_none() || told.not_before == whole.not_before)
            && (told.not_after.is_none() || told.not_after == whole.not_after)
    }

    /// Takes one line; whether it said something.
    fn take(&mut self, line: &Line) -> bool {
        let text = line.text.trim();
        match self.next.take() {
            Some(Next::Names) => {
                self.certificate.san = Some(san(text));
                return true;
            }
            Some(Next::Serial) => {
                self.certificate.serial = serial(text);
                return self.certificate.serial.is_some();
            }
            Some(Next::Digest) => {
                self.certificate.sha256 =
                    Some(text.replace(':', "").to_lowercase()).filter(|digits| digits.len() == SHA256_DIGITS);
                return self.certificate.sha256.is_some();
            }
            Some(next @ (Next::Subject | Next::Issuer)) => {
                let name = match next {
                    Next::Subject => &mut self.certificate.subject,
                    _ => &mut self.certificate.issuer,
                };
                if let (true, Some(attribute)) = (line.text.starts_with(' '), dn::attribute(text)) {
                    let known = name.take().filter(|known| !known.is_empty());
                    *name = Some(known.into_iter().chain([attribute]).collect::<Vec<_>>().join(", "));
                    self.next = Some(next);
                    return true;
                }
            }
            None => {}
        }
        self.next = match text {
            "subject=" => Some(Next::Subject),
            "issuer=" => Some(Next::Issuer),
            _ => None,
        };
        if text.starts_with("X509v3 Subject Alternative Name:") {
            self.next = Some(Next::Names);
            return true;
        }
        if text == "Fingerprint (SHA-256):" {
            self.next = Some(Next::Digest);
            return false;
        }
        if text == "Serial Number:" {
            self.next = Some(Next::Serial);
            return false;
        }
        if self.certificate.san.is_none() && text.starts_with("DNS:") {
            self.certificate.san = Some(san(text));
            return true;
        }
        if let Some(name) = text.strip_prefix("DNS name: ") {
            let san = self.certificate.san.get_or_insert_with(San::default);
            san.dns.push(name.trim_matches('"').to_owned());
            return true;
        }
        field(&mut self.certificate, text)
    }
}

/// Takes one line of `name=value` or of `-text`; whether it said something.
fn field(certificate: &mut Certificate, text: &str) -> bool {
    let after = |names: &[&str]| names.iter().find_map(|name| text.strip_prefix(name)).map(str::trim);
    if let Some(value) = after(&["subject=", "Subject:"]) {
        certificate.subject = Some(dn::normal(value.trim_matches('"')));
    } else if let Some(value) = after(&["issuer=", "Issuer:"]) {
        certificate.issuer = Some(dn::normal(value.trim_matches('"')));
    } else if let Some(value) = after(&["notBefore=", "Not Before:"]) {
        certificate.not_before = time::certificate_date(value).or_else(|| time::when(value));
    } else if let Some(value) = after(&["notAfter=", "Not After :", "Not After:"]) {
        certificate.not_after = time::certificate_date(value).or_else(|| time::when(value));
    } else if let Some(value) = after(&["serial="]) {
        certificate.serial = Some(value.to_lowercase());
    } else if let Some(value) = after(&["Serial Number:"]) {
        certificate.serial = serial(value.split_once("(0x").map_or(value, |(_, hex)| hex.trim_end_matches(')')));
    } else if let Some(value) = after(&["sha256 Fingerprint=", "SHA256 Fingerprint="]) {
        certificate.sha256 = Some(value.replace(':', "").to_lowercase()).filter(|digits| digits.len() == SHA256_DIGITS);
    } else {
        return false;
    }
    true
}

/// `3d:ed:ab:47`.
fn serial(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect::<String>().to_lowercase();
    let is_serial = !digits.is_empty() && digits.len() <= 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = digits.strip_prefix("00").filter(|rest| !rest.is_empty()).map(str::to_owned);
    is_serial.then_some(()).map(|()| short.unwrap_or(digits))
}

/// `DNS:*.example.com, DNS:example.com, IP Address:192.0.2.1`.
pub fn san(text: &str) -> San {
    let mut san = San::default();
    for entry in text.split(", ") {
        match entry.trim().split_once(':') {
            Some(("DNS", name)) => san.dns.push(name.to_owned()),
            Some(("IP Address" | "IP", address)) => san.ip.push(address.to_owned()),
            _ => san.other = san.other.saturating_add(1),
        }
    }
    san
}

const SHA256_DIGITS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: &str =
        "$ openssl s_client -connect www.example.com:443 </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer";

    /// The subject, the issuer and the server name of the one handshake that the output holds.
    fn read(options: &str, output: &str) -> (Option<String>, Option<String>, Option<String>) {
        let text = format!("{LOOK}{options}\n{output}");
        let reading = crate::saved::read("it.txt", text.as_bytes());
        let facts = || reading.observations.iter().map(|it| &*it.fact);
        let certificate = facts().find_map(|it| if let Fact::Certificate(it) = it { Some(it.clone()) } else { None });
        let handshake = facts().find_map(|it| if let Fact::TlsHandshake(it) = it { Some(it.clone()) } else { None });
        let certificate = certificate.unwrap();
        (certificate.subject, certificate.issuer, handshake.unwrap().sni)
    }

    #[test]
    fn names_on_several_lines_are_one_name() {
        let output = "subject=\n    commonName                = *.example.org\nissuer=\n    countryName               = US\n    \
                      organizationName          = Example, Inc.\n    commonName                = Example CA\n";
        let (subject, issuer, _) = read(" -nameopt multiline", output);
        assert_eq!(subject.as_deref(), Some("CN=*.example.org"));
        assert_eq!(issuer.as_deref(), Some("C=US, O=Example\\, Inc., CN=Example CA"));
        let (subject, issuer, _) = read("", "subject=\nissuer=CN=Example CA\n");
        assert_eq!(
            (subject.as_deref(), issuer.as_deref()),
            (Some(""), Some("CN=Example CA")),
            "a subject may be empty"
        );
    }

    #[test]
    fn only_the_layout_of_newer_versions_tells_that_a_name_was_sent() {
        for (options, output, expected) in [
            ("", "subject=CN=*.example.org\nissuer=CN=Example CA\n", Some("www.example.com")),
            ("", "subject=CN = *.example.org\nissuer=CN = Example CA\n", None),
            ("", "subject= /CN=*.example.org\nissuer= /CN=Example CA\n", None),
            ("", "subject= CN=*.example.org\nissuer= CN=Example CA\n", None),
            (" -nameopt RFC2253", "subject=CN=*.example.org\nissuer=CN=Example CA\n", None),
        ] {
            let (_, _, sni) = read(options, output);
            assert_eq!(sni.as_deref(), expected, "{options}: {output}");
        }
    }

    #[test]
    fn nss_prints_a_certificate_with_its_digest() {
        let text = "$ certutil -L -d sql:/etc/pki/nssdb -n web\nCertificate:\n    Data:\n        Serial Number:\n            \
                    29:cc:8c\n        Issuer: \"CN=Lab Root,O=Lab\"\n        Subject: \"CN=www.example.com\"\n    \
                    Fingerprint (SHA-256):\n        00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:\
                    66:77:88:99:AA:BB:CC:DD:EE:FF\n";
        let reading = crate::saved::read("it.txt", text.as_bytes());
        let [run, certificate] = reading.observations.as_slice() else { panic!("{reading:?}") };
        assert!(matches!(&*run.fact, Fact::Run(run) if run.tool == "certutil"));
        let Fact::Certificate(certificate) = &*certificate.fact else { panic!("{certificate:?}") };
        assert_eq!(certificate.sha256.as_deref().map(|digits| digits.starts_with("00112233")), Some(true));
        assert_eq!(certificate.subject.as_deref(), Some("CN=www.example.com"));
    }
}
