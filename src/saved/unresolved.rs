//! Names that could not be resolved, in the words of Go, Node.js, Python, Java, Ruby, PHP, .NET, Rust, git and ssh.
//!
//! It is a statement about DNS, or about the hosts file and the other sources that a system asks, and never about
//! a certificate. Where the words say that there is no such name or no address of it, that is an answer without
//! records, whose code they do not tell; where they speak of a failure, or do not say which of the two it was, no
//! answer is known.

use std::net::SocketAddr;

use super::grammar::address;
use super::{RunText, SavedFormat, Sink, language};
use crate::dns::Question;
use crate::evidence::{Fact, ServerName};
use crate::name::Name;
use crate::provenance::GapReason;

/// Errors of name resolution.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "unresolved",
    made_by: "name resolution errors of Go, Node.js, Python, Java, Ruby, PHP, .NET, Rust, git, ssh",
    is_command: |_| false,
    opens: |line| row(line).is_some(),
    repeats: false,
    read,
};

/// What the words say of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// There is no such name, or no address of it.
    Absent,
    /// No answer came, or one that tells a failure.
    Failed,
    /// Either of the two.
    Unsaid,
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut hosts: Vec<Name> = Vec::new();
    for line in run.lines {
        let Some((tool, host)) = row(&line.text) else { continue };
        let host = host.or_else(|| language::host_near(run, line.number));
        let Some(host) = host.filter(|host| host.ip().is_none() && !hosts.contains(host)) else { continue };
        if hosts.is_empty() {
            let at = run.command_line.map_or(line.number, |line| line.number);
            sink.observe(run.fact(tool, None, Some(host.clone()), ServerName::Unknown), [at, line.number]);
        }
        observe(&line.text, host.clone(), line.number, run, sink);
        hosts.push(host);
    }
}

/// Adds what a line says of the resolution of a host.
pub fn observe(text: &str, host: Name, line: u32, run: &RunText<'_>, sink: &mut Sink) {
    if kind(text) == Kind::Absent {
        let mut answer = run.answer();
        answer.server = asked_server(text);
        answer.question = Some(Question { name: host, kind: "A".into() });
        sink.observe(Fact::DnsAnswer(answer), [line]);
    } else {
        let words = words(text);
        let why = format!("{words}; whether there is no such name or no answer came is not said; ask for dig {host}");
        sink.gap(line, GapReason::Undecoded { what: "DNS answer".to_owned(), why });
    }
}

/// The tool whose error a line is, and the host that it names.
fn row(line: &str) -> Option<(&'static str, Option<Name>)> {
    // curl and wget tell it within their own output.
    if line.starts_with("curl: (") || line.starts_with("* ") || line.starts_with("wget: ") {
        return None;
    }
    ROWS.iter().find_map(|(before, after, tool)| {
        let (_, rest) = line.split_once(before)?;
        if after.is_empty() {
            return Some((*tool, None));
        }
        let end = rest.find(|c: char| after.contains(c) || c.is_whitespace()).unwrap_or(rest.len());
        let host = rest.get(..end)?.trim_end_matches(['.', ':', ',', ';']);
        let is_reason = *tool != "go" || GO_REASONS.iter().any(|reason| rest.contains(reason));
        let host = address::host(host).filter(|host| host.as_str().contains('.') && is_reason)?;
        Some((*tool, Some(host)))
    })
}

fn kind(text: &str) -> Kind {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match () {
        () if has(FAILED) => Kind::Failed,
        () if has(ABSENT) => Kind::Absent,
        () => Kind::Unsaid,
    }
}

/// `lookup www.example.com on 10.0.0.2:53: no such host`.
fn asked_server(text: &str) -> Option<SocketAddr> {
    let (_, rest) = text.split_once("lookup ")?.1.split_once(" on ")?;
    rest.split(": ").next()?.parse().ok()
}

fn words(text: &str) -> String {
    text.trim().chars().take(WORDS_CHARS_MAX).collect()
}

/// What stands before the host, the characters that end it (none where no host follows), and whose words they are.
const ROWS: &[(&str, &str, &str)] = &[
    ("lookup ", ": ", "go"),
    ("getaddrinfo ENOTFOUND ", " ", "node"),
    ("getaddrinfo EAI_AGAIN ", " ", "node"),
    ("queryA ENOTFOUND ", " ", "node"),
    ("Failed to resolve '", "'", "python"),
    ("gaierror: [Errno ", "", "python"),
    ("gaierror(", "", "python"),
    ("urlopen error [Errno -2]", "", "python"),
    ("urlopen error [Errno -3]", "", "python"),
    ("urlopen error [Errno -5]", "", "python"),
    ("Failed to establish a new connection: [Errno -", "", "python"),
    ("ConnectError: [Errno -", "", "python"),
    ("java.net.UnknownHostException: ", ":", "java"),
    ("Failed to open TCP connection to ", ":", "ruby"),
    ("php_network_getaddresses: getaddrinfo for ", " ", "php"),
    ("php_network_getaddresses: getaddrinfo failed", "", "php"),
    ("The remote name could not be resolved: '", "'", ".NET"),
    ("No such host is known. (", ":", ".NET"),
    ("Name or service not known (", ":", ".NET"),
    ("dns error: failed to lookup address information", "", "rust"),
    ("Could not resolve host: ", " ", "git"),
    ("Could not resolve hostname ", ":", "ssh"),
];
/// Why Go's resolver gave nothing; other programs look other things up.
const GO_REASONS: &[&str] =
    &["no such host", "server misbehaving", "i/o timeout", "Temporary failure", "connection refused"];
/// There is no such name, or no address of it (`EAI_NONAME`, `EAI_NODATA`).
const ABSENT: &[&str] = &[
    "Name or service not known",
    "Name does not resolve",
    "No address associated with hostname",
    "nodename nor servname provided",
    "No such host is known",
    "no such host",
    "ENOTFOUND",
    "[Errno -2]",
    "[Errno -5]",
    "[Errno 11001]",
];
/// No answer came, or a failure (`EAI_AGAIN`, `EAI_FAIL`).
const FAILED: &[&str] = &[
    "Temporary failure in name resolution",
    "EAI_AGAIN",
    "Try again",
    "server misbehaving",
    "i/o timeout",
    "connection refused",
    "[Errno -3]",
    "[Errno -4]",
    "[Errno 11002]",
];
/// An error in one line can hold a whole stack.
const WORDS_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_says_who_could_not_resolve_what() {
        for (line, tool, host, expected) in [
            (
                "Get \"https://nope.example.com/\": dial tcp: lookup nope.example.com on 192.0.2.53:53: no such host",
                "go",
                Some("nope.example.com"),
                Kind::Absent,
            ),
            (
                "dial tcp: lookup nope.example.com: Temporary failure in name resolution",
                "go",
                Some("nope.example.com"),
                Kind::Failed,
            ),
            ("Error: getaddrinfo ENOTFOUND nope.example.com", "node", Some("nope.example.com"), Kind::Absent),
            ("Error: getaddrinfo EAI_AGAIN nope.example.com", "node", Some("nope.example.com"), Kind::Failed),
            (
                "(Caused by NameResolutionError(\"HTTPSConnection(host='nope.example.com', port=443): Failed to resolve 'nope.example.com' ([Errno -2] Name or service not known)\"))",
                "python",
                Some("nope.example.com"),
                Kind::Absent,
            ),
            ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "python", None, Kind::Failed),
            (
                "Exception in thread \"main\" java.net.UnknownHostException: nope.example.com",
                "java",
                Some("nope.example.com"),
                Kind::Unsaid,
            ),
            (
                "java.net.UnknownHostException: nope.example.com: Name or service not known",
                "java",
                Some("nope.example.com"),
                Kind::Absent,
            ),
            (
                "fatal: unable to access 'https://nope.example.com/x/': Could not resolve host: nope.example.com",
                "git",
                Some("nope.example.com"),
                Kind::Unsaid,
            ),
            ("No such host is known. (nope.example.com:443)", ".NET", Some("nope.example.com"), Kind::Absent),
        ] {
            let (said, named) = row(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((said, named.map(|it| it.to_string()).as_deref()), (tool, host), "{line}");
            assert_eq!(kind(line), expected, "{line}");
        }
        for line in [
            "curl: (6) Could not resolve host: x.example.com",
            "lookup table: no such file",
            "we lookup x.example.com daily",
        ] {
            assert_eq!(row(line), None, "{line}");
        }
    }
}
