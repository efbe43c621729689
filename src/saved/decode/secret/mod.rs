//! What a line holds that is never printed: session keys and tickets, cookies, credentials, the secrets
//! of command lines ([`hidden`]).

mod options;

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::saved::grammar::phrases::Phrases;

/// The line as a report may show it.
pub fn hidden(line: &str) -> Cow<'_, str> {
    if is_dump(line) || is_key_log(line) {
        return Cow::Owned(REMOVED.to_owned());
    }
    // A command keeps what stands behind the secret; what a label announces ends the line.
    let has_words = line.contains("://") || line.contains(['=', '@', '?']) || options::has_any(line);
    let shown = if has_words { Cow::Owned(options::without_secrets(line)) } else { Cow::Borrowed(line) };
    match label_end(&shown) {
        Some(end) if !shown.get(end..).unwrap_or_default().trim_start().starts_with(REMOVED) => {
            Cow::Owned(format!("{} {REMOVED}", shown.get(..end).unwrap_or_default()))
        }
        _ => shown,
    }
}

/// Where the first secret that a label announces begins.
fn label_end(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let labels = LABELS_OF.in_text(&lower);
    let words = labels.iter().filter_map(|at| LABELS.get(*at)).filter_map(|label| {
        let at = lower.find(label)?;
        let is_word = !lower.get(..at)?.ends_with(|c: char| c.is_ascii_alphanumeric());
        is_word.then(|| at.saturating_add(label.len()))
    });
    let fields = lower.match_indices([':', '=']).filter_map(|(at, mark)| {
        let before = lower.get(..at)?;
        // `name=value` is one word, and a word of a command.
        if mark == "=" && !lower.get(at..)?.starts_with("= ") {
            return None;
        }
        let name = before.trim_end_matches(['"', '\'', ' ']);
        let start = name.rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).map_or(0, |at| at + 1);
        is_secret_field(name.get(start..)?).then(|| at.saturating_add(1))
    });
    words.chain(fields).min()
}

/// Whether a header, a JSON key or a variable of this name holds a secret.
fn is_secret_field(name: &str) -> bool {
    let bare: String = name.to_ascii_lowercase().chars().filter(|c| !matches!(c, '-' | '_')).collect();
    SECRET_FIELDS.iter().any(|part| bare.contains(part))
}

/// A row of a hexadecimal dump: tickets and handshake messages.
fn is_dump(line: &str) -> bool {
    let Some((offset, rest)) = line.trim_start().split_once(" - ") else {
        return false;
    };
    let mut bytes = rest.split([' ', '-']).take(4);
    offset.len() >= 4
        && offset.bytes().all(|byte| byte.is_ascii_hexdigit())
        && bytes.all(|word| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A line of a key log (`CLIENT_TRAFFIC_SECRET_0 52cb… 8f1e…`).
fn is_key_log(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_hexadecimal = |word: &str| word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    words.windows(2).any(|pair| pair.iter().all(|word| is_hexadecimal(word)))
}

/// User, password and the secret parameters of a URL are gone.
fn url_without_secrets(word: &str) -> String {
    let mut shown = word.to_owned();
    let (scheme, rest) = word.split_once("://").map_or(("", word), |(scheme, rest)| (scheme, rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if let Some((user, host)) = authority.rsplit_once('@')
        && (!scheme.is_empty() || (user.contains(':') && !user.starts_with(':')))
    {
        let behind = rest.get(authority.len()..).unwrap_or_default();
        let start = word.get(..word.len().saturating_sub(rest.len())).unwrap_or_default();
        shown = format!("{start}{REMOVED}@{host}{behind}");
    }
    let Some((start, query)) = shown.split_once('?') else {
        return shown;
    };
    let parts: Vec<String> = query
        .split('&')
        .map(|part| {
            let name = part.split('=').next().unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            let is_secret = is_secret_field(name)
                || SECRET_PARAMETERS.contains(&lower.as_str())
                || ["session", "code", "auth"].iter().any(|secret| lower.contains(secret));
            // What closes the quote around a URL stays.
            let closed = part.trim_end_matches(['"', '\'', ')', ',', ';', ':', '>']);
            let tail = part.get(closed.len()..).unwrap_or_default();
            if is_secret && !part.contains(REMOVED) && part.contains('=') {
                format!("{name}={REMOVED}{tail}")
            } else {
                part.to_owned()
            }
        })
        .collect();
    format!("{start}?{}", parts.join("&"))
}

/// What stands in place of a secret.
pub const REMOVED: &str = "(removed)";

static LABELS_OF: LazyLock<Phrases> = LazyLock::new(|| Phrases::of(LABELS.iter().copied()));

/// Words before a secret that are no name of a field.
const LABELS: &[&str] = &[
    "master secret:",
    "session-id:",
    "session-id-ctx:",
    "resumption psk:",
    "psk identity:",
    "session id:",
    "master-key:",
    "client random:",
    "client_random",
    "private key",
    "sslkeylogfile",
    "_traffic_secret",
];
/// Parts of the names of headers, JSON keys and variables, without hyphens and underscores.
const SECRET_FIELDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "cookie",
    "authorization",
    "credential",
    "apikey",
    "privatekey",
    "masterkey",
    "signature",
];
/// Whole names of URL parameters.
const SECRET_PARAMETERS: &[&str] = &["sig", "key", "jwt", "sid", "pwd", "pass", "pw", "assertion"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_quoted() {
        for (line, expected) in [
            ("    Master-Key: 3F490CF5", "    Master-Key: (removed)"),
            ("    Resumption PSK: 9D90", "    Resumption PSK: (removed)"),
            ("    0010 - cd 38 7a 78 27 7f c8 92-3d 82 e0   .8zx'...", "(removed)"),
            ("< Set-Cookie: sid=1", "< Set-Cookie: (removed)"),
            ("> Authorization: Bearer x", "> Authorization: (removed)"),
            ("> X-Auth-Token: x", "> X-Auth-Token: (removed)"),
            (
                "$ curl -E a:pw https://h.example | grep -E 'subject'",
                "$ curl -E (removed) https://h.example | grep -E 'subject'",
            ),
            ("* [HTTP/2] [1] [authorization: Bearer x]", "* [HTTP/2] [1] [authorization: (removed)"),
            ("    \"SecretAccessKey\": \"x\",", "    \"SecretAccessKey\": (removed)"),
            ("{\"Credentials\": {\"SessionToken\": \"x\"}}", "{\"Credentials\": (removed)"),
            ("CLIENT_TRAFFIC_SECRET_0 00112233445566778899aabbccddeeff 00112233445566778899aabbccddeeff", "(removed)"),
            (
                "$ curl https://joe:pw@h.example/x?a=1&X-Amz-Signature=5",
                "$ curl https://(removed)@h.example/x?a=1&X-Amz-Signature=(removed)",
            ),
            (
                "Max retries exceeded with url: /x?api_key=5 (Caused",
                "Max retries exceeded with url: /x?api_key=(removed) (Caused",
            ),
            ("Get \"https://h.example/?sig=5\": x509: y", "Get \"https://h.example/?sig=(removed)\": x509: y"),
            ("www.example.com. 60 IN CNAME x.", "www.example.com. 60 IN CNAME x."),
            ("subject=CN = x", "subject=CN = x"),
            ("jo@host:~$ dig @192.0.2.1 x.example.com", "jo@host:~$ dig @192.0.2.1 x.example.com"),
            ("$ curl -H 'Authorization: Bearer x' https://h.example/", "$ curl -H (removed) https://h.example/"),
            ("aws_secret_access_key = x", "aws_secret_access_key = (removed)"),
            ("export AWS_SECRET_ACCESS_KEY=x", "export AWS_SECRET_ACCESS_KEY=(removed)"),
            ("X509v3 Authority Key Identifier: ", "X509v3 Authority Key Identifier: "),
            ("    Start Time: 1764046921", "    Start Time: 1764046921"),
        ] {
            assert_eq!(hidden(line), expected);
            assert_eq!(hidden(expected), expected, "twice is once");
        }
    }
}
