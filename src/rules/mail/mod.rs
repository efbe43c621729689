//! Causes in mail servers ([`is_mail`] tells a connection to one).

use crate::case::Connection;

pub mod shared_host_certificate;

/// Whether a connection is to a mail server: by STARTTLS of a mail protocol, or by its port.
pub(in crate::rules) fn is_mail(connection: &Connection<'_>) -> bool {
    let starttls = connection.handshake.starttls.as_deref();
    let by_protocol = starttls.is_some_and(|it| PROTOCOLS.contains(&it.to_ascii_lowercase().as_str()));
    let port = connection.handshake.server.map(|server| server.port());
    by_protocol || port.is_some_and(|port| PORTS.contains(&port))
}

const PROTOCOLS: &[&str] = &["smtp", "lmtp", "imap", "pop3", "sieve"];

/// SMTP, POP3, IMAP, and their forms with TLS from the start (RFC 8314).
const PORTS: &[u16] = &[25, 110, 143, 465, 587, 993, 995, 4190];
