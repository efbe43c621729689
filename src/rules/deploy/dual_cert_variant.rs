//! `deploy.dual_cert_variant`: of an RSA and an ECDSA certificate one was left behind.

use super::{differ, is_bad, key_kind, shown, told};
use crate::case::Case;
use crate::name::Name;
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// One server presents certificates with different kinds of keys for the host, depending on what the
    /// client offers, and one of them is out of date or does not cover the host.
    ///
    /// # Why it matters
    ///
    /// Servers keep an RSA and an ECDSA certificate side by side. Only one was renewed, so modern clients and
    /// old ones, or browsers and scripts, see different results.
    ///
    /// # What it needs
    ///
    /// Two handshakes for the host with one address, whose certificates are here with their keys. Keys of
    /// one kind, or two good certificates, rule it out; one faulty certificate leaves it unknown.
    ///
    /// # What to do
    ///
    /// Renew both certificates. Look at each with `openssl s_client -sigalgs RSA-PSS+SHA256` and
    /// `-sigalgs ECDSA+SHA256`.
    ///
    /// # References
    ///
    /// RFC 8446 section 4.4.2.2; nginx documentation, "ssl_certificate".
    "deploy.dual_cert_variant", "of an RSA and an ECDSA certificate one was left behind",
    since "0.1.0", cap 0.85, rank 581
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let all = shown(case);
    let Some(bad) = all.iter().find(|it| is_bad(case, it)) else {
        return both_good(case, &all);
    };
    let Some(kind) = key_kind(bad) else {
        return Verdict::NotApplicable;
    };
    let good = all.iter().find(|it| !is_bad(case, it) && differ(bad, it));
    match good {
        Some(it) if key_kind(it).is_some_and(|other| other != kind) && is_same_server(bad, it) => {
            found(host, (bad, &kind), it)
        }
        Some(it) if key_kind(it).as_ref() == Some(&kind) => Verdict::Clear {
            because: "both certificates have keys of one kind".to_owned(),
            cites: vec![bad.leaf.id, it.leaf.id],
        },
        None if bad.coverage == view::Coverage::Covers => Verdict::Unknown {
            missing: format!(
                "whether clients that offer other signatures are served another certificate than this {kind} one"
            ),
            ask: format!(
                "openssl s_client -connect {host}:443 -servername {host} -sigalgs {} </dev/null | openssl x509 -noout -serial -dates",
                other_algorithm(bad)
            ),
        },
        _ => Verdict::NotApplicable,
    }
}

fn other_algorithm(it: &Shown<'_, '_>) -> &'static str {
    if key_kind(it).as_deref() == Some("RSA") { "ECDSA+SHA256" } else { "RSA-PSS+SHA256:RSA+SHA256" }
}

fn both_good(case: &Case<'_>, all: &[Shown<'_, '_>]) -> Verdict {
    let pair = all.iter().find_map(|one| {
        let other = all.iter().find(|other| differ(one, other) && key_kind(other) != key_kind(one))?;
        Some((one, other))
    });
    match pair {
        Some((one, other)) if !is_bad(case, one) && !is_bad(case, other) => Verdict::Clear {
            because: "certificates with different kinds of keys, and both are good".to_owned(),
            cites: vec![one.leaf.id, other.leaf.id],
        },
        _ => Verdict::NotApplicable,
    }
}

fn is_same_server(one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> bool {
    match (one.connection.handshake.server, other.connection.handshake.server) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn found(host: &Name, (bad, kind): (&Shown<'_, '_>, &str), good: &Shown<'_, '_>) -> Verdict {
    let other = key_kind(good).unwrap_or_default();
    let known = bad.connection.handshake.server.is_some() && good.connection.handshake.server.is_some();
    let strength = if known { Strength::Proven } else { Strength::Strong };
    Finding::new(format!("{host} has two certificates, and the {kind} one was left behind"), Severity::Error, strength)
        .because(
            format!("The server keeps a certificate with an {kind} key and one with an {other} key for {host} and chooses by what the client offers; the {kind} one is not good."),
            format!("Renew both certificates of {host} and let the renewal cover both from now on."),
        )
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {host} -sigalgs {} </dev/null | openssl x509 -noout -dates -ext subjectAltName", if kind == "RSA" { "RSA-PSS+SHA256:RSA+SHA256" } else { "ECDSA+SHA256" }),
            format!("a certificate with an {kind} key that is valid and covers {host}"),
        )
        .reason(format!("{} ({kind} key)", told(bad)), [bad.connection.id, bad.leaf.id])
        .reason(format!("{} ({other} key)", told(good)), [good.connection.id, good.leaf.id])
        .mark(Mark::new(bad.leaf.id, bad.label(), Sign::Wrong, format!("the {kind} one: left behind")))
        .mark(Mark::new(good.leaf.id, good.label(), Sign::Confirms, format!("the {other} one: good")))
        .found()
}
