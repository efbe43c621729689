//! Causes in mail servers (`is_mail` tells a connection to one).

use crate::case::{Case, Connection};

pub mod shared_host_certificate;

/// Whether a connection is to a mail server: by STARTTLS of a mail protocol, or by its port.
pub(in crate::rules) fn is_mail(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    let starttls = connection.handshake.starttls.as_deref();
    let by_protocol = starttls.is_some_and(|it| PROTOCOLS.contains(&it.to_ascii_lowercase().as_str()));
    by_protocol || port_of(case, connection).is_some_and(|port| PORTS.contains(&port))
}

/// The port of a connection: of the server's address, or of the command line that dialled a name.
pub(in crate::rules) fn port_of(case: &Case<'_>, connection: &Connection<'_>) -> Option<u16> {
    let told = || {
        let (_, run) = case.around.run(connection.source, connection.handshake.run)?;
        run.words().find_map(|word| word.rsplit_once(':')?.1.parse().ok())
    };
    connection.handshake.server.map(|server| server.port()).or_else(told)
}

const PROTOCOLS: &[&str] = &["smtp", "lmtp", "imap", "pop3", "sieve"];

/// SMTP, POP3, IMAP, and their forms with TLS from the start (RFC 8314).
const PORTS: &[u16] = &[25, 110, 143, 465, 587, 993, 995, 4190];
