//! A command line without the secrets of its options ([`without_secrets`]): passwords, keys, headers,
//! bodies, whether they are joined to the option or follow it.
//!
//! What a header of a command holds is kept only where the header is known to hold no secret, since
//! anybody names one as he likes.

use super::{REMOVED, is_secret_field, url_without_secrets};

/// Whether a line holds an option at all.
pub(super) fn has_any(line: &str) -> bool {
    line.trim_start().starts_with('-') || line.contains(" -")
}

/// The line with what is secret in its words removed. A line that is no command keeps its options, but
/// not its URLs' passwords.
pub(super) fn without_secrets(line: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut tool = Tool::in_line(line);
    let mut next = Next::Plain;
    let mut is_piped = false;
    for word in words(line) {
        if word.is_empty() {
            shown.push(String::new());
            continue;
        }
        // What filters an output has no secrets of its own: `| grep -E` is not curl's `-E`.
        let filter = Some(Tool::Other).filter(|_| is_piped && FILTERS.contains(&word));
        tool = Tool::named(word).or(filter).unwrap_or(tool);
        is_piped = word == "|";
        next = match std::mem::replace(&mut next, Next::Plain) {
            Next::Secret => {
                shown.push(REMOVED.to_owned());
                Next::Plain
            }
            Next::Header if !is_open_header(word) => {
                shown.push(REMOVED.to_owned());
                // Without quotes the value is the next word.
                if word.contains(['\'', '"']) || word == REMOVED { Next::Plain } else { Next::Secret }
            }
            Next::Header | Next::Plain => {
                let (kept, next) = option(tool, word).unwrap_or_else(|| (plain(word), Next::Plain));
                shown.push(kept);
                next
            }
        };
    }
    shown.join(" ")
}

/// Commands that take lines and pass some on.
const FILTERS: &[&str] = &["grep", "egrep", "fgrep", "findstr", "sed", "awk", "head", "tail", "cut", "tee", "sort"];

/// What the word after this one is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Plain,
    Secret,
    Header,
}

/// The tools whose short options hold secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    /// None that is known, and none of a command: a line of output.
    None,
    /// The line goes on from one that is not here, so that any option may be meant.
    Any,
    Curl,
    Dns,
    Httpie,
    Other,
}

impl Tool {
    fn in_line(line: &str) -> Self {
        let start = line.trim_start();
        let is_option =
            start.starts_with('-') && start.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic() || c == '-');
        if is_option && !start.starts_with("---") { Self::Any } else { Self::None }
    }

    fn named(word: &str) -> Option<Self> {
        let word = word.rsplit(['/', '\\', '>', '(', '`']).next().unwrap_or(word);
        let word = word.strip_suffix(".exe").unwrap_or(word);
        Some(match word {
            "curl" => Self::Curl,
            "dig" | "kdig" | "host" | "khost" | "delv" | "drill" | "nsupdate" | "DiG" => Self::Dns,
            "http" | "https" | "httpie" | "xh" => Self::Httpie,
            "openssl" | "wget" | "aws" | "keytool" | "java" | "gnutls-cli" | "sslscan" | "sslyze" | "testssl"
            | "testssl.sh" | "nmap" | "Invoke-WebRequest" | "iwr" | "irm" | "Invoke-RestMethod" | "git" | "kubectl"
            | "docker" => Self::Other,
            _ => return None,
        })
    }
}

/// What is shown of an option that holds a secret or announces one; `None` for other words.
fn option(tool: Tool, word: &str) -> Option<(String, Next)> {
    if tool == Tool::None {
        return None;
    }
    let bare = word.trim_start_matches(['-', '\u{2013}', '\u{2014}']);
    let dashes = word.strip_suffix(bare).filter(|dashes| !dashes.is_empty())?;
    let (name, value) = bare.split_once(['=', ':']).map_or((bare, None), |(name, value)| (name, Some(value)));
    let is_long = dashes.chars().count() > 1 || name.len() > 1;
    let next = if HEADERS.contains(&name) {
        Some(Next::Header)
    } else if LONG.contains(&name) || (is_long && is_secret_field(name)) {
        Some(Next::Secret)
    } else {
        None
    };
    if let Some(next) = next.filter(|_| is_long) {
        return Some(match value {
            Some(value) if next == Next::Header && is_open_header(value) => (word.to_owned(), Next::Plain),
            Some(_) => {
                let end = word.len().saturating_sub(bare.len()).saturating_add(name.len()).saturating_add(1);
                (format!("{}{REMOVED}", word.get(..end).unwrap_or_default()), Next::Plain)
            }
            None => (word.to_owned(), next),
        });
    }
    short(tool, dashes, bare)
}

/// `-u name:password`, `-uname:password`, `-sku name:password`.
fn short(tool: Tool, dashes: &str, letters: &str) -> Option<(String, Next)> {
    let (secret, bare) = match tool {
        Tool::Curl | Tool::Any => ("uUbdFEH", CURL_SWITCHES),
        Tool::Dns => ("y", ""),
        Tool::Httpie => ("a", ""),
        Tool::None | Tool::Other => return None,
    };
    let at = letters.find(|c| !bare.contains(c))?;
    let letter = letters.get(at..)?.chars().next().filter(|letter| secret.contains(*letter))?;
    let end = at.saturating_add(letter.len_utf8());
    let (kept, value) = (letters.get(..end)?, letters.get(end..)?);
    let next = if letter == 'H' { Next::Header } else { Next::Secret };
    if value.is_empty() {
        return Some((format!("{dashes}{kept}"), next));
    }
    let is_open = letter == 'H' && is_open_header(value);
    Some((format!("{dashes}{kept}{}", if is_open { value } else { REMOVED }), Next::Plain))
}

/// A header whose value everybody may see.
fn is_open_header(word: &str) -> bool {
    let name = word.trim_start_matches(['\'', '"', '$']).split([':', ';']).next().unwrap_or_default();
    OPEN_HEADERS.iter().any(|open| open.eq_ignore_ascii_case(name.trim()))
}

/// A word that is no option: an assignment, a URL, anything else.
fn plain(word: &str) -> String {
    if let Some((name, _)) = word.split_once('=')
        && !name.contains(['?', '&'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.'\"".contains(c))
        && is_secret_field(name)
    {
        return format!("{name}={REMOVED}");
    }
    url_without_secrets(word)
}

/// The words as they are written, with their quotes: what a quote holds is one word. An apostrophe
/// within a word opens nothing.
fn words(line: &str) -> Vec<&str> {
    let mut quote = None;
    let mut before = ' ';
    let is_between = |c: char| {
        match quote {
            None if c == '"' || (c == '\'' && !before.is_alphanumeric()) => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        before = c;
        c == ' ' && quote.is_none()
    };
    line.split(is_between).collect()
}

/// Options whose value is a secret, without their dashes.
const LONG: &[&str] = &[
    "user",
    "http-user",
    "ftp-user",
    "proxy-user",
    "pass",
    "passin",
    "passout",
    "password",
    "proxy_pass",
    "psk",
    "pskkey",
    "pskusername",
    "psk_session",
    "srppass",
    "srppasswd",
    "storepass",
    "keypass",
    "srcstorepass",
    "deststorepass",
    "srckeypass",
    "destkeypass",
    "pkpass",
    "keymatexport",
    "oauth2-bearer",
    "tlsuser",
    "tlspassword",
    "proxy-tlsuser",
    "proxy-tlspassword",
    "login-options",
    "data",
    "data-raw",
    "data-ascii",
    "data-binary",
    "data-urlencode",
    "json",
    "form",
    "form-string",
    "url-query",
    "post-data",
    "body-data",
    "Body",
    "cert",
    "proxy-cert",
    "cookie",
    "auth",
    "external-id",
    "auth-code",
    "private-key",
    "Credential",
];
/// Options whose value is a header.
const HEADERS: &[&str] = &["header", "proxy-header", "Headers"];
const OPEN_HEADERS: &[&str] = &[
    "Host",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "User-Agent",
    "Content-Type",
    "Content-Length",
    "Connection",
    "Cache-Control",
    "Pragma",
    "Origin",
    "Expect",
    "Upgrade",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
];
/// Short options of curl without a value, which can stand together behind one dash.
const CURL_SWITCHES: &str = "vVskIiLfSg46GNnOJjqpRBa0123#l";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_what_is_no_secret() {
        for (line, expected) in [
            ("$ curl -v -u joe:x https://a.example/", "$ curl -v -u (removed) https://a.example/"),
            ("$ curl -vkujoe:x https://a.example/", "$ curl -vku(removed) https://a.example/"),
            ("$ curl --user=joe:x https://a.example/", "$ curl --user=(removed) https://a.example/"),
            ("$ curl -H 'Host: b.example' -H 'X-Own: x'", "$ curl -H 'Host: b.example' -H (removed)"),
            ("curl -HX-Own:x -HHost:b.example", "curl -H(removed) -HHost:b.example"),
            ("    --header 'Authorization: Bearer x' \\", "    --header (removed) \\"),
            ("curl -x joe:x@p.example:3128 https://a.example", "curl -x (removed)@p.example:3128 https://a.example"),
            ("dig -y hmac-sha256:k:x @192.0.2.1 a.example", "dig -y (removed) @192.0.2.1 a.example"),
            ("drill -u a.example", "drill -u a.example"),
            (
                "openssl s_client -psk 0011 -connect a.example:443",
                "openssl s_client -psk (removed) -connect a.example:443",
            ),
            ("java -Djavax.net.ssl.trustStorePassword=x A", "java -Djavax.net.ssl.trustStorePassword=(removed) A"),
            ("$ API_TOKEN=x curl https://a.example/", "$ API_TOKEN=(removed) curl https://a.example/"),
            ("nmap --script-args http.password=x a.example", "nmap --script-args http.password=(removed) a.example"),
            ("- Status: The certificate's owner -u x", "- Status: The certificate's owner -u x"),
        ] {
            assert_eq!(without_secrets(line), expected);
            assert_eq!(without_secrets(expected), expected, "twice is once");
        }
    }
}
