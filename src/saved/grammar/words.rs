//! What the sentence of a TLS client says of a certificate: [`said`], in the words of every library
//! that prints one.
//!
//! A sentence that names the host or the presented names is a row of `SENTENCES`, with a hole for
//! each; one that names neither is a row of `FAULTS`. What fits no row says nothing. Which fault a
//! client names first differs by library, so that one fault never rules out another.

use std::sync::LazyLock;

use nom::Parser;
use nom::bytes::complete::{tag, take_until};

use super::address;
use super::phrases::Phrases;
use crate::evidence::Says;
use crate::name::Name;
use crate::tls::alert;

/// What a sentence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of the certificate.
    pub says: Says,
    /// The host it speaks of, where it is named.
    pub host: Option<Name>,
    /// The names it says were presented.
    pub presented: Vec<String>,
}

/// What a line of a client's output says of a certificate.
pub fn said(text: &str) -> Option<Said> {
    let begun = BEGINNINGS.in_text(text);
    let named = begun.iter().filter_map(|at| SENTENCES.get(*at)).find_map(|(it, says)| filled(text, it, *says));
    named.or_else(|| {
        let (_, says) = FAULTS.get(FAULT_WORDS.first_in(text)?)?;
        Some(Said { says: *says, host: None, presented: Vec::new() })
    })
}

/// The alert of the server that a sentence reports, in RFC 8446's spelling.
pub fn alert(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase().replace('_', " ");
    if lower.contains("server name sent was not recognized") {
        return Some("unrecognized_name");
    }
    if let Some((_, rest)) = lower.split_once("alert number ") {
        let number: u8 = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        return alert::NAMES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name);
    }
    let is_alert = ["alert", "tlsv1", "sslv3", "tls: "].iter().any(|word| lower.contains(word));
    let named = alert::NAMES.iter().filter(|(number, _)| is_alert && *number != 0);
    named.map(|(_, name)| *name).find(|name| lower.contains(&name.replace('_', " ")))
}

/// Fills the holes of a pattern: `{W}` the host, `{P}` one presented name, `{L}` several, `{_}` any
/// words. Its first words stand anywhere in the text.
fn filled(text: &str, pattern: &str, says: Says) -> Option<Said> {
    let mut said = Said { says, host: None, presented: Vec::new() };
    let mut parts = pattern.split('{');
    let first = parts.next()?;
    let mut rest = behind(text, first)?;
    for part in parts {
        let (hole, literal) = part.split_once('}')?;
        let value;
        (value, rest) = if literal.is_empty() {
            (if hole == "L" { rest } else { word(rest) }, "")
        } else {
            let found: Result = (take_until(literal), tag(literal)).parse_complete(rest);
            let (after, (value, _)) = found.ok()?;
            (value, after)
        };
        match hole {
            // A name that somebody has blanked is none; the words still say what they say.
            "W" if address::is_blanked(value.trim()) => {}
            "W" => said.host = Some(address::host(value.trim())?),
            "P" => said.presented.push(value.trim().to_owned()),
            "L" => said.presented.extend(names(value)),
            _ => {}
        }
    }
    Some(said)
}

type Result<'t> = nom::IResult<&'t str, (&'t str, &'t str)>;

/// The text behind words that stand anywhere in it.
fn behind<'t>(text: &'t str, words: &str) -> Option<&'t str> {
    let found: Result<'t> = (take_until(words), tag(words)).parse_complete(text);
    found.ok().map(|(rest, _)| rest)
}

/// The first word, without the punctuation that ends a sentence.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || "'\"`<>();,]".contains(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end_matches(['.', ':'])
}

/// The names of a list: `a, b`, `'a', 'b'`, `DNS:a, DNS:b`, `DnsName("a") or DnsName("b")`.
fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for piece in text.split([',', ' ', '"', '\'', '(', ')', '[', ']', '<', '>', '`']) {
        let name = piece.trim_start_matches("DNS:").trim_start_matches("Address:").trim_end_matches('.');
        let is_name = name.contains(['.', ':'])
            && !name.contains("://")
            && name.chars().all(|c| c.is_alphanumeric() || ".-*_:".contains(c));
        if is_name && !name.ends_with(':') && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Sentences with names in them, the more specific first.
/// The words before the first hole of each sentence.
static BEGINNINGS: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::of(SENTENCES.iter().map(|(it, _)| it.split('{').next().unwrap_or_default())));
static FAULT_WORDS: LazyLock<Phrases> = LazyLock::new(|| Phrases::of(FAULTS.iter().map(|(words, _)| *words)));

const SENTENCES: &[(&str, Says)] = &[
    // curl with OpenSSL 7.29 to 8.18, GnuTLS, NSS, Schannel, wolfSSL; libcurl in git and PHP
    ("no alternative certificate subject name matches target {_}'{W}'", Says::NameMismatch),
    ("no alternative certificate subject name matches target", Says::NameMismatch),
    ("certificate subject name ({P}) does not match target {_}'{W}'", Says::NameMismatch),
    ("certificate subject name '{P}' does not match target {_}'{W}'", Says::NameMismatch),
    ("subjectAltName does not match hostname {W}", Says::NameMismatch),
    ("subjectAltName does not match host name {W}", Says::NameMismatch),
    ("subjectAltName does not match ipv4 address {W}", Says::NameMismatch),
    ("subjectAltName does not match ipv6 address {W}", Says::NameMismatch),
    ("subjectAltName does not match {W}", Says::NameMismatch),
    ("subjectAltName: does not match {W}", Says::NameMismatch),
    ("common name: {P} (does not match '{W}')", Says::NameMismatch),
    ("failed to match connection hostname ({W})", Says::NameMismatch),
    ("common name do not match \"{W}\"", Says::NameMismatch),
    // Python's ssl, urllib3 before 2, requests, botocore
    ("certificate is not valid for '{W}'", Says::NameMismatch),
    ("hostname '{W}' doesn't match either of {L}\"", Says::NameMismatch),
    ("hostname '{W}' doesn't match either of {L}", Says::NameMismatch),
    ("hostname '{W}' doesn't match {_}'{P}'", Says::NameMismatch),
    ("hostname {W} doesn't match {P}", Says::NameMismatch),
    // Node.js, Postman, Electron
    ("Host: {W} is not in the cert's altnames: {L}", Says::NameMismatch),
    ("Host: {W} is not cert's CN: {P}", Says::NameMismatch),
    ("Host: {W} is not in the cert's altnames", Says::NameMismatch),
    ("IP: {W} is not in the cert's list: {L}", Says::NameMismatch),
    // Java, Apache HttpClient, OkHttp
    ("No subject alternative DNS name matching {W} found", Says::NameMismatch),
    ("No subject alternative names matching IP address {W} found", Says::NameMismatch),
    ("No name matching {W} found", Says::NameMismatch),
    ("Certificate for <{W}> doesn't match any of the subject alternative names: [{L}]", Says::NameMismatch),
    ("Certificate for <{W}> doesn't match common name of the certificate subject: {P}", Says::NameMismatch),
    ("hostname in certificate didn't match: <{W}> != {L}", Says::NameMismatch),
    ("Hostname {W} not verified", Says::NameMismatch),
    // Go
    ("x509: certificate is valid for {L}, not {W}", Says::NameMismatch),
    ("certificate is not valid for any names, but wanted to match {W}", Says::NameMismatch),
    ("has expired or is not yet valid: current time {_}is after ", Says::Expired),
    ("has expired or is not yet valid: current time {_}is before ", Says::NotYetValid),
    ("x509: cannot validate certificate for {W} because it doesn't contain any IP SANs", Says::NameMismatch),
    // Ruby, PHP
    ("hostname \"{W}\" does not match the server certificate", Says::NameMismatch),
    ("did not match expected name `{W}'", Says::NameMismatch),
    ("Peer certificate CN=`{P}' did not match expected CN=`{W}'", Says::NameMismatch),
    // rustls 0.23.20 and later
    ("certificate not valid for name \"{W}\"; certificate is only valid for {L}", Says::NameMismatch),
    ("certificate not valid for name \"{W}\"", Says::NameMismatch),
    // wget with GnuTLS and with OpenSSL
    ("certificate's owner does not match hostname '{W}'", Says::NameMismatch),
    ("certificate common name '{P}' doesn't match requested host name '{W}'", Says::NameMismatch),
    ("requested host name '{W}'", Says::NameMismatch),
    ("certificate of '{W}' has expired", Says::Expired),
    ("certificate of '{W}' is not yet activated", Says::NotYetValid),
    ("certificate of '{W}' is not trusted", Says::ChainUntrusted),
    ("certificate of '{W}' doesn't have a known issuer", Says::ChainUntrusted),
    ("certificate of '{W}' has been revoked", Says::Refused),
    ("cannot verify {W}'s certificate", Says::Refused),
    // PostgreSQL's libpq; MariaDB and MySQL name no host
    ("server certificate for \"{P}\" (and {_}) does not match host name \"{W}\"", Says::NameMismatch),
    ("server certificate for \"{P}\" does not match host name \"{W}\"", Says::NameMismatch),
    // OpenLDAP's libldap with OpenSSL
    ("TLS: hostname ({W}) does not match common name in certificate ({P})", Says::NameMismatch),
    // gRPC's C core
    ("Peer name {W} is not in peer certificate", Says::NameMismatch),
    // Perl's LWP
    ("Can't connect to {W}:{_} (hostname verification failed", Says::NameMismatch),
    // Postfix
    ("server certificate verification failed for {W}[{_}:hostname mismatch", Says::NameMismatch),
    // Apple's URL loading
    ("pretending to be \"{W}\"", Says::Refused),
];

/// Words that name the fault and no name, the more specific first.
const FAULTS: &[(&str, Says)] = &[
    ("(hostname mismatch)", Says::NameMismatch),
    ("Hostname mismatch", Says::NameMismatch),
    ("unable to obtain common name from peer certificate", Says::NameMismatch),
    ("No subject alternative names present", Says::NameMismatch),
    ("no certificate subject alternative name matches", Says::NameMismatch),
    ("certificate relies on legacy Common Name field", Says::NameMismatch),
    ("RemoteCertificateNameMismatch", Says::NameMismatch),
    ("NotValidForName", Says::NameMismatch),
    ("SEC_E_WRONG_PRINCIPAL", Says::NameMismatch),
    ("0x80090322", Says::NameMismatch),
    ("CERT_E_CN_NO_MATCH", Says::NameMismatch),
    ("0x800B010F", Says::NameMismatch),
    ("0x80072F06", Says::NameMismatch),
    ("BADCERT_CN_MISMATCH", Says::NameMismatch),
    ("hostname_check_failed", Says::NameMismatch),
    ("SSL_ERROR_BAD_CERT_DOMAIN", Says::NameMismatch),
    ("ERR_TLS_CERT_ALTNAME_INVALID", Says::NameMismatch),
    ("Cert does not contain a DNS name", Says::NameMismatch),
    ("hostname does not match name in peer certificate", Says::NameMismatch),
    ("hostname verification failed", Says::NameMismatch),
    ("certificate has expired or is not yet valid:", Says::DateInvalid),
    ("certificate has expired", Says::Expired),
    ("CERT_HAS_EXPIRED", Says::Expired),
    ("CertificateExpiredException", Says::Expired),
    ("had an expired certificate", Says::Expired),
    ("certificate expired", Says::Expired),
    ("certificate: Expired", Says::Expired),
    ("CertExpired", Says::Expired),
    ("BADCERT_EXPIRED", Says::Expired),
    ("SEC_ERROR_EXPIRED_CERTIFICATE", Says::Expired),
    ("certificate is not yet valid", Says::NotYetValid),
    ("has not yet been activated", Says::NotYetValid),
    ("CERT_NOT_YET_VALID", Says::NotYetValid),
    ("CertificateNotYetValidException", Says::NotYetValid),
    ("certificate not valid yet", Says::NotYetValid),
    ("certificate: NotValidYet", Says::NotYetValid),
    ("CertNotValidYet", Says::NotYetValid),
    ("BADCERT_FUTURE", Says::NotYetValid),
    ("SEC_E_CERT_EXPIRED", Says::DateInvalid),
    ("0x80090328", Says::DateInvalid),
    ("0x80072F05", Says::DateInvalid),
    ("NotTimeValid", Says::DateInvalid),
    ("unable to get local issuer certificate", Says::ChainUntrusted),
    ("unable to get issuer certificate", Says::ChainUntrusted),
    ("unable to verify the first certificate", Says::ChainUntrusted),
    ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", Says::ChainUntrusted),
    ("UNABLE_TO_GET_ISSUER_CERT", Says::ChainUntrusted),
    ("SELF_SIGNED_CERT", Says::ChainUntrusted),
    ("self signed certificate", Says::ChainUntrusted),
    ("self-signed certificate", Says::ChainUntrusted),
    ("PKIX path building failed", Says::ChainUntrusted),
    ("unable to find valid certification path", Says::ChainUntrusted),
    ("certificate signed by unknown authority", Says::ChainUntrusted),
    ("UnknownIssuer", Says::ChainUntrusted),
    ("RemoteCertificateChainErrors", Says::ChainUntrusted),
    ("PartialChain", Says::ChainUntrusted),
    ("UntrustedRoot", Says::ChainUntrusted),
    ("Untrusted root certificate", Says::ChainUntrusted),
    ("SEC_E_UNTRUSTED_ROOT", Says::ChainUntrusted),
    ("0x80090325", Says::ChainUntrusted),
    ("0x80072F0D", Says::ChainUntrusted),
    ("BADCERT_NOT_TRUSTED", Says::ChainUntrusted),
    ("certificate issuer is not recognized", Says::ChainUntrusted),
    ("certificate is not trusted", Says::ChainUntrusted),
    ("SEC_ERROR_UNKNOWN_ISSUER", Says::ChainUntrusted),
    ("ERR_CERT_AUTHORITY_INVALID", Says::ChainUntrusted),
    ("server certificate verification failed", Says::Refused),
    ("Invalid certificate chain", Says::Refused),
    ("trust relationship for the SSL/TLS secure channel", Says::Refused),
    ("remote certificate is invalid", Says::Refused),
    ("CRYPT_E_", Says::Refused),
    ("certificate revoked", Says::Refused),
    ("PKIX path validation failed", Says::Refused),
    ("certificate verify failed", Says::Refused),
    ("CERTIFICATE_VERIFY_FAILED", Says::Refused),
    ("SSL certificate problem", Says::Refused),
    ("Received fatal alert:", Says::HandshakeFailed),
    ("handshake alert:", Says::HandshakeFailed),
    ("remote error: tls:", Says::HandshakeFailed),
    ("unrecognized name", Says::HandshakeFailed),
    ("UNRECOGNIZED_NAME", Says::HandshakeFailed),
    ("server name sent was not recognized", Says::HandshakeFailed),
    ("alert handshake failure", Says::HandshakeFailed),
    ("ALERT_HANDSHAKE_FAILURE", Says::HandshakeFailed),
    ("alert protocol version", Says::HandshakeFailed),
    ("ALERT_PROTOCOL_VERSION", Says::HandshakeFailed),
    ("SSL alert number", Says::HandshakeFailed),
    ("SEC_E_ILLEGAL_MESSAGE", Says::HandshakeFailed),
    ("SEC_E_INVALID_TOKEN", Says::HandshakeFailed),
    ("SEC_E_ALGORITHM_MISMATCH", Says::HandshakeFailed),
    ("gnutls_handshake() failed", Says::HandshakeFailed),
    ("Unable to establish SSL connection", Says::HandshakeFailed),
    ("wrong version number", Says::HandshakeFailed),
    ("WRONG_VERSION_NUMBER", Says::HandshakeFailed),
    ("server gave HTTP response to HTTPS client", Says::HandshakeFailed),
    ("Unrecognized SSL message, plaintext connection", Says::HandshakeFailed),
    ("Remote host terminated the handshake", Says::HandshakeFailed),
    ("SSL_ERROR_SYSCALL", Says::HandshakeFailed),
    ("unexpected eof while reading", Says::HandshakeFailed),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_give_the_names_in_them() {
        let mismatch = Says::NameMismatch;
        for (text, says, host, presented) in [
            ("SSL: no alternative certificate subject name matches target host name", mismatch, None, ""),
            (
                "SSL: no alternative certificate subject name matches target host name 'www.example.com'",
                mismatch,
                Some("www.example.com"),
                "",
            ),
            ("... subject name matches target ipv4 address '192.0.2.1'", Says::Refused, None, "none"),
            (
                "SSL: certificate subject name (*.a.com) does not match target host name 'b.com'",
                mismatch,
                Some("b.com"),
                "*.a.com",
            ),
            ("subjectAltName does not match hostname www.example.com", mismatch, Some("www.example.com"), ""),
            ("subjectAltName does not match 203.0.113.10", mismatch, Some("203.0.113.10"), ""),
            ("certificate is not valid for 'h.x'. (_ssl.c:1006)>", mismatch, Some("h.x"), ""),
            ("CertificateError(\"hostname 'h.x' doesn't match '*.y'\")", mismatch, Some("h.x"), "*.y"),
            ("hostname 'h.x' doesn't match either of '*.y.z', 'y.z'\")))", mismatch, Some("h.x"), "*.y.z y.z"),
            ("hostname 'h.x' doesn't match u'*.y.z'", mismatch, Some("h.x"), "*.y.z"),
            (
                "Host: h.x. is not in the cert's altnames: DNS:*.y.z, DNS:y.z, IP Address:192.0.2.1",
                mismatch,
                Some("h.x"),
                "*.y.z y.z 192.0.2.1",
            ),
            ("No subject alternative DNS name matching h.x found.", mismatch, Some("h.x"), ""),
            (
                "Certificate for <h.x> doesn't match any of the subject alternative names: [*.y.z, y.z]",
                mismatch,
                Some("h.x"),
                "*.y.z y.z",
            ),
            ("x509: certificate is valid for *.y.z, y.z, not h.x", mismatch, Some("h.x"), "*.y.z y.z"),
            (
                "invalid peer certificate: certificate not valid for name \"h.x\"; certificate is only valid for \
                 DnsName(\"*.y.z\") or DnsName(\"y.z\")",
                mismatch,
                Some("h.x"),
                "*.y.z y.z",
            ),
            ("The certificate's owner does not match hostname 'h.x'", mismatch, Some("h.x"), ""),
            ("ERROR: The certificate of 'h.x' has expired.", Says::Expired, Some("h.x"), ""),
            (
                "x509: certificate has expired or is not yet valid: current time 2026 is after 2025",
                Says::Expired,
                None,
                "",
            ),
            ("javax.net.ssl.SSLHandshakeException: PKIX path building failed: x", Says::ChainUntrusted, None, ""),
            ("gnutls_handshake() failed: Handshake failed", Says::HandshakeFailed, None, ""),
            ("Everything is fine", Says::Refused, None, "none"),
        ] {
            let expected = (presented != "none").then(|| Said {
                says,
                host: host.and_then(Name::parse),
                presented: presented.split_whitespace().map(str::to_owned).collect(),
            });
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn alerts_are_known_in_every_spelling() {
        for (text, expected) in [
            (
                "tlsv1 unrecognized name:../ssl/record/rec_layer_s3.c:1601:SSL alert number 112",
                Some("unrecognized_name"),
            ),
            ("[SSL: TLSV1_UNRECOGNIZED_NAME] tlsv1 unrecognized name (_ssl.c:992)", Some("unrecognized_name")),
            ("Received fatal alert: handshake_failure", Some("handshake_failure")),
            ("remote error: tls: protocol version not supported", Some("protocol_version")),
            ("sslv3 alert handshake failure", Some("handshake_failure")),
            ("a protocol version without more", None),
        ] {
            assert_eq!(alert(text), expected, "{text}");
        }
    }
}
