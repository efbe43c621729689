//! `insufficient.no_certificate_seen`: the evidence holds no certificate to judge.

use crate::case::Case;
use crate::rules::{Outcome, Verdict, declare_rule, outcome, view};
use crate::tls::ChainState;

declare_rule! {
    /// # What it finds
    ///
    /// No certificate was seen for the host: only DNS is here, or only a client's own words, or the
    /// handshake is cut, incomplete, resumed or refused.
    ///
    /// # Why it matters
    ///
    /// Without the certificate a fault in DNS is a warning, and a client's words name no cause.
    ///
    /// # What it needs
    ///
    /// Nothing: it says what is not there.
    ///
    /// # What to do
    ///
    /// Ask for `openssl s_client` with `-servername`, or for a whole capture (`tcpdump -s 0`) that
    /// begins before the connection.
    ///
    /// # References
    ///
    /// RFC 5246 section 7.4.2.
    "insufficient.no_certificate_seen", "no certificate to judge is in the evidence", since "0.1.0", cap 1.0, rank 911
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::Unknown {
            missing: match case.verdicts.first() {
                Some((_, it)) => {
                    let words: String = it.words.chars().take(WORDS_CHARS).collect();
                    format!("the host that {} speaks of: {words}", it.client)
                }
                None => "the host that these handshakes were meant for".to_owned(),
            },
            ask: "the name that the client asked for, given with --host".to_owned(),
        };
    };
    let seen = view::shown(case).iter().any(|it| it.coverage != view::Coverage::Unknown)
        || view::shown_without_handshake(case).iter().any(|(_, it)| *it != view::Coverage::Unknown);
    let encrypted = case.connections.iter().any(|it| it.handshake.chain_state == ChainState::Encrypted);
    let outcome = outcome::of(case);
    if seen || outcome == Outcome::Ok || (encrypted && outcome == Outcome::Inconclusive) {
        return Verdict::NotApplicable;
    }
    let is_unaddressed = view::lacks_address(case).is_some() && case.certificates.is_empty();
    if is_unaddressed && outcome == Outcome::NoHandshake {
        return Verdict::Unknown { missing: format!("an address of {host}"), ask: format!("dig {host} A {host} AAAA") };
    }
    Verdict::Unknown {
        missing: format!("the certificate that {host} is served, with the names it presents"),
        ask: view::ask_for_certificate(host),
    }
}

/// Enough to find the line again.
const WORDS_CHARS: usize = 90;
