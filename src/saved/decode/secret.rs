//! What a line holds that is never printed: session keys and tickets, cookies, credentials
//! ([`hidden`]).

use std::borrow::Cow;

/// The line as a report may quote it.
pub fn hidden(line: &str) -> Cow<'_, str> {
    let lower = line.to_ascii_lowercase();
    if let Some(end) = LABELS.iter().filter_map(|label| label_end(&lower, label)).min() {
        return Cow::Owned(format!("{} {REMOVED}", line.get(..end).unwrap_or_default()));
    }
    if is_dump(line) {
        return Cow::Owned(REMOVED.to_owned());
    }
    if lower.contains("://") || lower.contains("signature=") || lower.contains("token=") {
        return Cow::Owned(line.split(' ').map(url_without_secrets).collect::<Vec<_>>().join(" "));
    }
    Cow::Borrowed(line)
}

/// Where the secret of a labelled line begins.
fn label_end(lower: &str, label: &str) -> Option<usize> {
    let at = lower.find(label)?;
    let before = lower.get(..at)?;
    let is_word = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
    is_word.then(|| at.saturating_add(label.len()))
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

/// User, password and the secret parameters of a URL are gone.
fn url_without_secrets(word: &str) -> String {
    let mut shown = word.to_owned();
    if let Some((scheme, rest)) = word.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        if let Some((_, host)) = authority.rsplit_once('@') {
            let behind = rest.get(authority.len()..).unwrap_or_default();
            shown = format!("{scheme}://{REMOVED}@{host}{behind}");
        }
    }
    let Some((start, query)) = shown.split_once('?') else {
        return shown;
    };
    let parts: Vec<String> = query
        .split('&')
        .map(|part| {
            let name = part.split('=').next().unwrap_or_default();
            let is_secret = SECRET_PARAMETERS.iter().any(|secret| name.to_ascii_lowercase().contains(secret));
            if is_secret && part.contains('=') { format!("{name}={REMOVED}") } else { part.to_owned() }
        })
        .collect();
    format!("{start}?{}", parts.join("&"))
}

/// What stands in place of a secret.
pub const REMOVED: &str = "(removed)";

const LABELS: &[&str] = &[
    "master-key:",
    "master secret:",
    "session-id:",
    "session-id-ctx:",
    "resumption psk:",
    "session id:",
    "set-cookie:",
    "cookie:",
    "authorization:",
    "x-api-key:",
    "x-amz-security-token:",
    "; cookie:",
    "client random:",
    "client_random",
    "private key",
    "aws_secret_access_key=",
    "aws_session_token=",
    "password:",
    "sslkeylogfile",
];
const SECRET_PARAMETERS: &[&str] =
    &["signature", "token", "secret", "password", "passwd", "credential", "apikey", "api_key", "code", "session"];

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
            (
                "$ curl https://joe:pw@h.example/x?a=1&X-Amz-Signature=5",
                "$ curl https://(removed)@h.example/x?a=1&X-Amz-Signature=(removed)",
            ),
            ("www.example.com. 60 IN CNAME x.", "www.example.com. 60 IN CNAME x."),
            ("subject=CN = x", "subject=CN = x"),
        ] {
            assert_eq!(hidden(line), expected);
        }
    }
}
