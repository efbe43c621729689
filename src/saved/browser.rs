//! Browser messages: Chrome and Edge, Firefox, Safari, in the sentence and in the code that they show.
//!
//! The sentence is translated in other languages and the code is not: where a code of names stands, the sentence
//! near it is read in any language ([`sentence::names`]); where only the code stands, the fault is known, and the
//! host when an address bar's URL or a name stands beside it. Safari's page names the host and no reason.

use std::sync::LazyLock;

use super::grammar::phrases::Phrases;
use super::grammar::sentence;
use super::{RunText, SavedFormat, Sink};
use crate::evidence::{ClientVerdict, Fact, Run, Says, ServerName};
use crate::name::Name;
use crate::saved::grammar::address;

/// The pages that browsers show instead of a site.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "browser",
    made_by: "Chrome, Edge, Firefox, Safari",
    is_command: |_| false,
    opens: |line| {
        WORDS.any_in(line)
            && (told(line).is_some()
                || code(line).is_some()
                || attackers(line).is_some()
                || impersonated(line).is_some()
                || site(line).is_some())
    },
    repeats: false,
    read,
};

/// Reads what a browser says within a text of another layout, from the first line that says it.
pub fn read_within(run: &RunText<'_>, sink: &mut Sink) {
    if let Some(at) = run.lines.iter().position(|line| code(&line.text).is_some()) {
        let lines = run.lines.get(at..).unwrap_or_default();
        read(&RunText { lines, command_line: None, ..run.clone() }, sink);
    }
}

/// One of these stands in every line that opens a page.
static WORDS: LazyLock<Phrases> = LazyLock::new(|| {
    let sentences = [
        "could not prove that it is ",
        "couldn't prove that it's ",
        "certificate that is not valid for ",
        "steal your information from ",
        "may be impersonating \"",
        "ERR_",
        "_ERROR",
    ];
    Phrases::of(sentences.into_iter().chain(FIREFOX_WORDS.iter().copied()).chain(SITE_WORDS.iter().copied()))
});

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let near: Vec<&super::Line> = run.lines.iter().take(PAGE_LINES_MAX).collect();
    let mut pages: Vec<(u32, ClientVerdict)> = Vec::new();
    let mut translated: Option<u32> = None;
    for line in &near {
        for said in
            [told(&line.text), coded(&line.text, line.number, &near), impersonated(&line.text)].into_iter().flatten()
        {
            match pages.iter_mut().find(|(_, known)| is_same(known, &said)) {
                Some((at, known)) => {
                    if known.presented.is_empty() && !said.presented.is_empty() {
                        *at = line.number;
                        known.words.clone_from(&said.words);
                        known.presented.clone_from(&said.presented);
                        known.client.clone_from(&said.client);
                    }
                    known.host = known.host.take().or(said.host);
                    known.code = known.code.take().or(said.code);
                }
                None => pages.push((line.number, said)),
            }
        }
    }
    let named = near
        .iter()
        .find_map(|line| attackers(&line.text).or_else(|| is_not_valid_for(&line.text)).or_else(|| site(&line.text)));
    if let [(line, only)] = pages.as_mut_slice()
        && only.says == Says::NameMismatch
        && only.presented.is_empty()
        && let Some((at, host, presented)) = translation(run, *line)
        && only.host.as_ref().is_none_or(|known| *known == host)
    {
        (only.host, only.presented, translated) = (Some(host), presented, Some(at));
    }
    for (line, mut said) in pages {
        said.host = said.host.or_else(|| named.clone());
        said.run = Some(run.number);
        let host = said.host.clone();
        let server_name = host.as_ref().map_or(ServerName::Unknown, |host| ServerName::Yes(host.to_string()));
        let it = Run {
            run: run.number,
            tool: "browser".to_owned(),
            version: None,
            command: None,
            vantage: None,
            time: None,
            server_name,
            host,
        };
        let at = || std::iter::once(line).chain(translated);
        sink.observe(Fact::Run(it), at());
        sink.observe(Fact::ClientVerdict(said), at());
    }
}

/// The sentence near a code, in whatever language, and where it stands.
fn translation(run: &RunText<'_>, code_at: u32) -> Option<(u32, Name, Vec<String>)> {
    let near = run.above.iter().rev().chain(run.lines);
    let near = near.filter(|line| line.number.abs_diff(code_at) <= SENTENCE_LINES);
    let found = near.filter(|line| line.text.len() <= SENTENCE_CHARS_MAX);
    found.into_iter().find_map(|line| sentence::names(&line.text).map(|(host, names)| (line.number, host, names)))
}

/// Two lines of one page.
fn is_same(one: &ClientVerdict, other: &ClientVerdict) -> bool {
    let fits = one.host.is_none() || other.host.is_none() || one.host == other.host;
    fits && (one.says == other.says || one.says == Says::Refused || other.says == Says::Refused)
}

fn verdict(client: &str, says: Says, host: Option<Name>, presented: Vec<String>, words: &str) -> ClientVerdict {
    let words = words.trim().to_owned();
    ClientVerdict { client: client.to_owned(), says, host, presented, code: None, words, above: None, run: None }
}

/// What a sentence says of a host and the names that it was served.
fn told(line: &str) -> Option<ClientVerdict> {
    if let Some((_, rest)) =
        line.split_once("could not prove that it is ").or_else(|| line.split_once("couldn't prove that it's "))
    {
        let (host, rest) = rest.split_once(';')?;
        let host = Some(address::host(host.trim())?);
        if let Some((_, names)) = rest.split_once("is from ") {
            let name = names.split(". ").next().unwrap_or(names).trim().trim_end_matches('.');
            return Some(verdict("chrome", Says::NameMismatch, host, vec![name.to_owned()], line));
        }
        let says = CHROME_REASONS.iter().find(|(words, _)| rest.contains(words))?.1;
        return Some(verdict("chrome", says, host, Vec::new(), line));
    }
    let host = is_not_valid_for(line)?;
    let names = line.split_once("The certificate is only valid for ").map_or("", |(_, rest)| rest);
    let names = names.strip_prefix("the following names: ").unwrap_or(names);
    let names = names.split([',', ' ']).map(|name| name.trim_matches(['.', '"', '\'', '`']).to_owned());
    let names = names.filter(|name| name.contains('.')).collect();
    Some(verdict("firefox", Says::NameMismatch, Some(host), names, line))
}

/// Firefox: `… uses a certificate that is not valid for www.example.com. The certificate …`.
fn is_not_valid_for(line: &str) -> Option<Name> {
    let (_, rest) = line.split_once("certificate that is not valid for ")?;
    address::host(rest.split([' ', ',']).next()?.trim_end_matches('.'))
}

/// Chrome: `Attackers might be trying to steal your information from www.example.com (…`.
fn attackers(line: &str) -> Option<Name> {
    let (_, rest) = line.split_once("steal your information from ")?;
    address::host(rest.split_whitespace().next()?.trim_end_matches('.'))
}

/// Firefox: `An error occurred during a connection to www.example.com.`; Chrome, where no certificate came:
/// `www.example.com sent an invalid response.`
fn site(line: &str) -> Option<Name> {
    let firefox = FIREFOX_WORDS.iter().find_map(|words| Some(line.split_once(words)?.1));
    let chrome = || SITE_WORDS.iter().any(|words| line.contains(words)).then_some(line);
    let name = firefox.or_else(chrome)?.split_whitespace().next()?.trim_end_matches('.');
    let name = name.split(':').next()?;
    address::host(name).filter(|host| host.as_str().contains('.'))
}

/// Safari: `This website may be impersonating "www.example.com" to steal …`.
fn impersonated(line: &str) -> Option<ClientVerdict> {
    let (_, rest) = line.split_once("may be impersonating \"")?;
    let host = address::host(rest.split('"').next()?)?;
    Some(verdict("safari", Says::Refused, Some(host), Vec::new(), line))
}

/// The code in a line; curl with NSS tells Mozilla's codes as its own.
fn code(line: &str) -> Option<(&'static str, &'static str, Says)> {
    if line.contains("NSS error ") {
        return None;
    }
    let known = |word: &str| CODES.iter().position(|(code, ..)| *code == word);
    let coded = words(line).filter(|word| word.len() >= CODE_CHARS_MIN && word.contains('_'));
    let first = coded.filter_map(|word| known(word.trim_start_matches("NET::"))).min()?;
    CODES.get(first).copied()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_' && c != ':')
        .map(|word| word.trim_matches(':'))
}

/// What a code says; its host stands in the same line, or in the URL of a line above.
fn coded(line: &str, number: u32, near: &[&super::Line]) -> Option<ClientVerdict> {
    let (known, client, says) = code(line)?;
    let above = near.iter().rev().skip_while(|it| it.number > number).take(URL_LINES_ABOVE);
    let host = above.clone().find_map(|it| host_of_url(&it.text)).or_else(|| only_name(above));
    let mut said = verdict(client, says, host, Vec::new(), line);
    let shown = line.split_whitespace().find(|word| word.contains(known)).unwrap_or(known);
    let shown = shown.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    said.code = Some(shown);
    Some(said)
}

/// The only host name in the lines of a page: the sentence in whatever language names it.
fn only_name<'l>(lines: impl Iterator<Item = &'l &'l super::Line>) -> Option<Name> {
    let mut names: Vec<String> = Vec::new();
    // A field of an export says whose name it holds by its key, such as the subject of a certificate.
    for line in lines.filter(|line| !line.text.trim_start().starts_with('"') || !line.text.contains("\":")) {
        for word in line.text.split(|c: char| c.is_whitespace() || "\"'()<>«»„“”,;:!?".contains(c)) {
            let word = word.trim_matches('.');
            let last = word.rsplit('.').next().unwrap_or_default();
            let is_name = word.split('.').count() > 1
                && word
                    .split('.')
                    .all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
                && last.len() > 1
                && last.chars().all(|c| c.is_ascii_alphabetic());
            if is_name && !names.iter().any(|known| known == word) {
                names.push(word.to_owned());
            }
        }
    }
    match names.as_slice() {
        [only] => address::host(only),
        _ => None,
    }
}

/// The host of a URL, in a line that holds one.
fn host_of_url(line: &str) -> Option<Name> {
    let (_, rest) = line.split_once("https://")?;
    let authority = rest.split(['/', '?', '#', ' ', '"', '\'', ')', ',']).next()?;
    let authority = authority.rsplit('@').next()?;
    address::host(authority.split(':').next()?).filter(|host| host.as_str().contains('.'))
}

/// How Chrome's sentence goes on where the name is not what it refuses.
const CHROME_REASONS: &[(&str, Says)] = &[
    ("expired ", Says::Expired),
    ("supposedly from tomorrow", Says::NotYetValid),
    ("days in the future", Says::NotYetValid),
    ("is not trusted by your", Says::ChainUntrusted),
    ("does not specify Subject Alternative Names", Says::NameMismatch),
    ("revoked", Says::Refused),
];
/// The codes that say something of a certificate, whose they are, and what they say.
const CODES: &[(&str, &str, Says)] = &[
    ("ERR_CERT_COMMON_NAME_INVALID", "chrome", Says::NameMismatch),
    ("ERR_CERT_DATE_INVALID", "chrome", Says::DateInvalid),
    ("ERR_CERT_AUTHORITY_INVALID", "chrome", Says::ChainUntrusted),
    ("ERR_CERT_REVOKED", "chrome", Says::Refused),
    ("ERR_CERT_INVALID", "chrome", Says::Refused),
    ("ERR_CERT_WEAK_SIGNATURE_ALGORITHM", "chrome", Says::Refused),
    ("ERR_CERT_VALIDITY_TOO_LONG", "chrome", Says::Refused),
    ("ERR_CERT_SYMANTEC_LEGACY", "chrome", Says::Refused),
    ("ERR_CERTIFICATE_TRANSPARENCY_REQUIRED", "chrome", Says::Refused),
    ("ERR_SSL_PINNED_KEY_NOT_IN_CERT_CHAIN", "chrome", Says::Refused),
    ("ERR_SSL_PROTOCOL_ERROR", "chrome", Says::HandshakeFailed),
    ("ERR_SSL_VERSION_OR_CIPHER_MISMATCH", "chrome", Says::HandshakeFailed),
    ("ERR_SSL_UNRECOGNIZED_NAME_ALERT", "chrome", Says::HandshakeFailed),
    ("ERR_BAD_SSL_CLIENT_AUTH_CERT", "chrome", Says::HandshakeFailed),
    ("ERR_ECH_FALLBACK_CERTIFICATE_INVALID", "chrome", Says::Refused),
    ("ERR_ECH_NOT_NEGOTIATED", "chrome", Says::HandshakeFailed),
    ("SSL_ERROR_BAD_CERT_DOMAIN", "firefox", Says::NameMismatch),
    ("SEC_ERROR_EXPIRED_CERTIFICATE", "firefox", Says::Expired),
    ("MOZILLA_PKIX_ERROR_NOT_YET_VALID_CERTIFICATE", "firefox", Says::NotYetValid),
    ("SEC_ERROR_UNKNOWN_ISSUER", "firefox", Says::ChainUntrusted),
    ("MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT", "firefox", Says::ChainUntrusted),
    ("MOZILLA_PKIX_ERROR_MITM_DETECTED", "firefox", Says::ChainUntrusted),
    ("SEC_ERROR_UNTRUSTED_ISSUER", "firefox", Says::ChainUntrusted),
    ("SEC_ERROR_REVOKED_CERTIFICATE", "firefox", Says::Refused),
    ("SSL_ERROR_UNRECOGNIZED_NAME_ALERT", "firefox", Says::HandshakeFailed),
    ("SSL_ERROR_HANDSHAKE_FAILURE_ALERT", "firefox", Says::HandshakeFailed),
    ("SSL_ERROR_NO_CYPHER_OVERLAP", "firefox", Says::HandshakeFailed),
    ("SSL_ERROR_UNSUPPORTED_VERSION", "firefox", Says::HandshakeFailed),
    ("SSL_ERROR_ECH_RETRY_WITH_ECH", "firefox", Says::HandshakeFailed),
    ("SSL_ERROR_ECH_RETRY_WITHOUT_ECH", "firefox", Says::HandshakeFailed),
    ("SSL_ERROR_ECH_REQUIRED_ALERT", "firefox", Says::HandshakeFailed),
    ("SSL_ERROR_ECH_FAILED", "firefox", Says::HandshakeFailed),
    ("PR_END_OF_FILE_ERROR", "firefox", Says::HandshakeFailed),
];
/// The shortest of the codes is longer.
const CODE_CHARS_MIN: usize = 12;
/// What Firefox says before it.
const FIREFOX_WORDS: &[&str] = &["error occurred during a connection to ", "did not continue to "];
/// What Chrome and Firefox say behind the name of a site that they do not show.
const SITE_WORDS: &[&str] = &[
    " sent an invalid response.",
    " uses an unsupported protocol.",
    " adhere to security standards.",
    " has a security policy called HTTP Strict Transport Security",
    " accept your login certificate, or one may not have been provided.",
];
/// A sentence stands this near to its code, and is no longer than this with all its names.
const SENTENCE_LINES: u32 = 6;
const SENTENCE_CHARS_MAX: usize = 1 << 13;
/// A page is short; what stands further below is another's text.
const PAGE_LINES_MAX: usize = 60;
/// The URL of an address bar stands close above the code.
const URL_LINES_ABOVE: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_and_codes_give_host_names_and_fault() {
        for (line, expected) in [
            (
                "This server could not prove that it is h.x.com; its security certificate is from *.y.com. This may be",
                Some(("chrome", Says::NameMismatch, Some("h.x.com"), "*.y.com")),
            ),
            (
                "This server couldn't prove that it's h.x.com; its security certificate is from y.com. ",
                Some(("chrome", Says::NameMismatch, Some("h.x.com"), "y.com")),
            ),
            (
                "This server could not prove that it is h.x.com; its security certificate expired 3 days ago. This",
                Some(("chrome", Says::Expired, Some("h.x.com"), "")),
            ),
            (
                "Firefox Nightly does not trust this site because it uses a certificate that is not valid for h.x.com. \
                 The certificate is only valid for the following names: a.com, *.b.com",
                Some(("firefox", Says::NameMismatch, Some("h.x.com"), "a.com *.b.com")),
            ),
            ("nothing of this", None),
        ] {
            let found = told(line);
            let found = found
                .as_ref()
                .map(|it| (it.client.as_str(), it.says, it.host.as_ref().map(Name::as_str), it.presented.join(" ")));
            let expected = expected.map(|(client, says, host, names)| (client, says, host, names.to_owned()));
            assert_eq!(found, expected, "{line}");
        }
        assert_eq!(code("Fehlercode: SSL_ERROR_BAD_CERT_DOMAIN").map(|it| it.2), Some(Says::NameMismatch));
        assert_eq!(code("(NET::ERR_CERT_DATE_INVALID)").map(|it| it.2), Some(Says::DateInvalid));
        assert_eq!(code("MY_ERR_CERT_DATE_INVALID_X"), None);
    }
}
