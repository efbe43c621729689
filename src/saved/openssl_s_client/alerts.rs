//! The alerts of the server that an `openssl s_client` tells of: in its errors, and with `-state` the warnings.

use std::net::SocketAddr;

use super::library_error;
use crate::saved::{RunText, Sink, connection};

/// Adds the alerts that a run tells of.
pub(super) fn observe(run: &RunText<'_>, server: Option<SocketAddr>, sink: &mut Sink) {
    for line in run.lines {
        if let Some(description) = warning(&line.text) {
            connection::observe_warning(description, server, run, line.number, sink);
            continue;
        }
        let Some(error) = library_error(&line.text) else { continue };
        if let Some(description) = of(error) {
            connection::observe_alert(description, server, run, line.number, sink);
        } else if error.contains("wrong version number") || error.contains("unknown protocol") {
            connection::observe_failure("what answered on this port speaks no TLS", line.number, sink);
        }
    }
}

/// The warning that `-state` tells of: `SSL3 alert read:warning:unrecognized name`. Fatal ones come as an error
/// too, and that the peer closes says nothing.
fn warning(line: &str) -> Option<String> {
    let told = line.trim().strip_prefix("SSL3 alert read:warning:")?.trim();
    (told != "close notify").then(|| told.replace(' ', "_"))
}

/// The alert that an error reports. OpenSSL 1.0.2 leaves its number out for some.
pub(super) fn of(error: &str) -> Option<String> {
    if let Some((_, number)) = error.split_once("SSL alert number ") {
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse().ok().map(crate::tls::handshake::alert_name);
    }
    let known = UNNUMBERED_ALERTS.iter().find(|(words, _)| error.contains(words));
    known.map(|(_, name)| (*name).to_owned())
}

/// Reasons that stand for an alert of the server, in OpenSSL 1.0.2 and LibreSSL.
const UNNUMBERED_ALERTS: &[(&str, &str)] = &[
    ("tlsv1 unrecognized name", "unrecognized_name"),
    ("sslv3 alert handshake failure", "handshake_failure"),
    ("tlsv1 alert protocol version", "protocol_version"),
    ("tlsv1 alert internal error", "internal_error"),
    ("tlsv1 alert access denied", "access_denied"),
    ("tlsv13 alert certificate required", "certificate_required"),
];
