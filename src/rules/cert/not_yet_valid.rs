//! `cert.not_yet_valid`: the certificate's validity had not begun at the time of the handshake.

use super::dates::{self, Date};
use crate::case::Case;
use crate::evidence::Says;
use crate::rules::{Verdict, declare_rule, outcome};

declare_rule! {
    /// # What it finds
    ///
    /// A certificate whose notBefore lies after the time of the handshake that presented it, or a
    /// client that says so.
    ///
    /// # Why it matters
    ///
    /// Clients refuse it. When only one client fails, its clock is the likelier fault.
    ///
    /// # What it needs
    ///
    /// The certificate and the handshake's own time with a stated zone, or the client's words.
    ///
    /// # What to do
    ///
    /// Compare the clocks of client and server; if they are right, wait or have it issued again.
    /// `openssl x509 -noout -dates` shows the dates.
    ///
    /// # References
    ///
    /// RFC 5280 section 4.1.2.5.
    "cert.not_yet_valid", "the certificate was not yet valid when it was presented", since "0.1.0", cap 0.8, rank 601
}

fn check(case: &Case<'_>) -> Verdict {
    let date = Date {
        of: |certificate| certificate.not_before,
        is_broken: |time, start| outcome::is_after(start, time),
        says: Says::NotYetValid,
        verb: "is not valid before",
        remedy: "Compare the clocks of client and server; if both are right, wait or have the certificate issued again.",
    };
    dates::check(case, &date)
}
