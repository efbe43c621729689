//! `tls.session_resumption`: the session was resumed, so no certificate was sent.

use crate::case::Case;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach, view};
use crate::tls::{ChainState, SniState};

declare_rule! {
    /// # What it finds
    ///
    /// An abbreviated handshake: client and server continue an earlier session, and no certificate is
    /// sent.
    ///
    /// # Why it matters
    ///
    /// The certificate that the client judges is the one of the first handshake. A capture of the resumed
    /// one shows none, and a certificate that was changed since is not seen.
    ///
    /// # What it needs
    ///
    /// The ServerHello of the abbreviated handshake. A handshake of the same host that shows the
    /// certificate rules it out as an obstacle.
    ///
    /// # What to do
    ///
    /// Capture a full handshake: start the client anew, or
    /// `openssl s_client -connect HOST:443 -servername HOST -no_ticket`.
    ///
    /// # References
    ///
    /// RFC 5246 section 7.3; RFC 8446 section 2.2.
    "tls.session_resumption", "the session was resumed, so no certificate was sent", since "0.1.0", cap 0.95, rank 110
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let is_resumed = |state: ChainState, resumed: bool| state == ChainState::Resumed || resumed;
    let resumed = case.connections.iter().find(|it| is_resumed(it.handshake.chain_state, it.handshake.resumed));
    if let Some(it) = view::shown(case).first().filter(|_| resumed.is_some()) {
        let because = format!("the certificate {} is in the evidence", it.label());
        return Verdict::Clear { because, cites: vec![it.leaf.id, it.connection.id] };
    }
    let Some(connection) = resumed else {
        if !view::shown(case).is_empty() {
            return Verdict::NotApplicable;
        }
        let unseen = case.connections.iter().find(|it| {
            it.handshake.chain_state == ChainState::Missing
                && it.alerts.is_empty()
                && it.handshake.sni_state == SniState::Sent
                && it.handshake.run.is_none()
        });
        return match unseen {
            Some(_) => Verdict::Unknown {
                missing: format!("the server's answer to the ClientHello for {host}: whether it resumed a session"),
                ask: format!(
                    "openssl s_client -connect {host}:443 -servername {host} -no_ticket -showcerts </dev/null"
                ),
            },
            None => Verdict::NotApplicable,
        };
    };
    Finding::new(
        format!("{host}: the session was resumed, so no certificate was sent"),
        Severity::Note,
        Strength::Proven,
    )
    .because(
        format!(
            "The handshake with {} continues an earlier session. The server sends no certificate in it.",
            reach::server(connection)
        ),
        "Capture a full handshake: start the client anew, or use -no_ticket; or look at the first connection.",
    )
    .verified_by(
        format!("openssl s_client -connect {host}:443 -servername {host} -no_ticket -showcerts </dev/null"),
        "a certificate",
    )
    .reason("the handshake is abbreviated: no Certificate message", [connection.id])
    .mark(Mark::new(connection.id, host.as_str(), Sign::Doubtful, "a resumed session"))
    .found()
}
