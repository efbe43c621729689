//! What curl says of the certificate, unless it was told not to look.

use super::has_switch;
use super::lines::{Kind, Told};
use crate::evidence::{ClientVerdict, Fact, Says};
use crate::name::Name;
use crate::saved::grammar::{address, words};
use crate::saved::{RunText, Sink};

/// Adds each verdict once, the last words first: they are the most telling.
pub(super) fn observe(run: &RunText<'_>, told: &[Told<'_>], host: Option<&Name>, sink: &mut Sink) {
    let is_blind = has_switch(&run.command, &["--insecure"], "k")
        || told.iter().any(|line| {
            matches!(line.kind, Kind::Info(text)
                if text.contains("continuing anyway") || text.contains("peer verification disabled"))
        });
    let nss = told.iter().find_map(|line| match line.kind {
        Kind::Info(words) => nss_error(words),
        _ => None,
    });
    let mut seen: Vec<Says> = Vec::new();
    for line in told.iter().rev() {
        let (code, words) = match line.kind {
            Kind::Error(code, words) => (Some(code), words),
            Kind::Info(words) => (None, words),
            _ => continue,
        };
        let said = match overlooked(words) {
            Some(says) => Some((says, None, Vec::new())),
            None if words.contains("continuing anyway") => None,
            None => says_of(words, is_blind, code),
        };
        let Some((mut says, about, presented)) = said else { continue };
        if says == Says::Refused {
            says = nss.unwrap_or(says);
        }
        if seen.contains(&says) || (says == Says::Refused && !seen.is_empty()) {
            continue;
        }
        seen.push(says);
        let it = ClientVerdict {
            client: "curl".to_owned(),
            says,
            host: about.or_else(|| host.cloned()),
            presented,
            code: code.map(str::to_owned),
            words: words.to_owned(),
            above: None,
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [line.number]);
    }
}

/// `SSL certificate verify result: certificate has expired (10), continuing anyway.`: what curl saw and was
/// told to overlook. That it found no issuer says nothing, and neither does a root at the end of what the server sent:
/// with `-k` it loads no roots to compare with.
fn overlooked(text: &str) -> Option<Says> {
    let (_, code) = text.split_once("certificate verify result: ")?.1.rsplit_once('(')?;
    match code.split(')').next()? {
        "9" => Some(Says::NotYetValid),
        "10" => Some(Says::Expired),
        "18" => Some(Says::ChainUntrusted),
        _ => None,
    }
}

/// What a line of curl says of the certificate, of which host, with which names.
fn says_of(text: &str, is_blind: bool, code: Option<&str>) -> Option<(Says, Option<Name>, Vec<String>)> {
    if text.contains("subjectAltName: ") && (text.contains("matched cert's") || text.contains("matches cert's")) {
        let names: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
        let host = names.first().and_then(|host| address::host(host));
        let presented = names.get(1).map(|name| (*name).to_owned()).into_iter().collect();
        return (!is_blind).then_some((Says::NameMatches, host, presented));
    }
    if let Some(name) = text.strip_prefix("common name: ").and_then(|rest| rest.strip_suffix(" (matched)")) {
        return (!is_blind).then(|| (Says::NameMatches, None, vec![name.to_owned()]));
    }
    if text.contains("NSS error ") {
        return nss_error(text).map(|says| (says, None, Vec::new()));
    }
    let is_telling = text.starts_with("TLSv") || text.starts_with("SSLv") || text.starts_with('[');
    if let Some(said) = words::said(text).filter(|_| !is_telling) {
        return Some((said.says, said.host, said.presented));
    }
    match code? {
        "35" => Some((Says::HandshakeFailed, None, Vec::new())),
        "51" | "60" => Some((Says::Refused, None, Vec::new())),
        _ => None,
    }
}

/// What `NSS error -8181 (SEC_ERROR_EXPIRED_CERTIFICATE)` says.
fn nss_error(text: &str) -> Option<Says> {
    let code = text.split_once("NSS error ")?.1.split_whitespace().next()?;
    NSS_ERRORS.iter().find(|(number, _)| *number == code).map(|(_, says)| *says)
}

/// Mozilla's error numbers, as curl's NSS builds print them.
const NSS_ERRORS: &[(&str, Says)] = &[
    ("-12276", Says::NameMismatch),
    ("-8181", Says::Expired),
    ("-8179", Says::ChainUntrusted),
    ("-8172", Says::ChainUntrusted),
    ("-8162", Says::Expired),
    ("-8156", Says::ChainUntrusted),
    ("-12182", Says::HandshakeFailed),
    ("-12190", Says::HandshakeFailed),
    ("-12286", Says::HandshakeFailed),
];
