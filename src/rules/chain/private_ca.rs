//! `chain.private_ca`: the chain ends at a root that is not among the trusted ones.

use super::trust::{self, Chain};
use crate::case::Case;
use crate::name::Name;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};
use crate::rules::{issuers, presented};
use crate::x509::path::End;

declare_rule! {
    /// # What it finds
    ///
    /// The chain ends at a self-signed root that is not among the trusted ones, or at an issuer that has the
    /// name of a trusted root and another key.
    ///
    /// # Why it matters
    ///
    /// Clients that were not given this root refuse the certificate. In an organisation or a lab that is as
    /// intended, so it is a note unless a client refuses it or `--roots` says whom the clients trust.
    ///
    /// # What it needs
    ///
    /// The chain as sent; its signatures are verified where the bytes are here. A chain to a trusted root
    /// rules it out. An issuer of this kind over names of many owners points to inspection on the path
    /// (`mitm.tls_interception`).
    ///
    /// # What to do
    ///
    /// Give the root to the clients that need it, or use a certificate of a public authority. Verify with
    /// `openssl s_client -CAfile ROOT.pem`.
    ///
    /// # References
    ///
    /// RFC 5280 section 6.1.
    "chain.private_ca", "the chain ends at a root that is not among the trusted ones",
    since "0.1.0", cap 0.8, rank 623
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let chains = trust::of(case);
    let roots = case.known.roots.dated();
    for chain in &chains {
        let (name, text) = match &chain.path.end {
            End::PrivateRoot(name) => (name, format!("the chain ends at {name}, which is no root of {roots}")),
            End::OtherKey(name) => (
                name,
                format!("the chain ends at an issuer with the name of the root {name} and another key ({roots})"),
            ),
            _ => continue,
        };
        let cites = trust::cites_of(chain);
        let finding = Finding::new(
            format!("{host} is served a certificate of a private authority"),
            Severity::Note,
            Strength::Proven,
        )
        .because(
            format!("The chain of the certificate ends at {name}, which clients trust only where they were told to."),
            format!("Give this root to the clients of {host}, or install a certificate of a public authority."),
        )
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {host} -CAfile ROOT.pem </dev/null"),
            "Verify return code: 0 (ok)",
        )
        .reason(text, cites.clone())
        .mark(Mark::new(
            chain.it.leaf.id,
            chain.it.leaf.certificate.issuer.clone().unwrap_or_default(),
            Sign::Doubtful,
            "of a private authority",
        ));
        return trust::weighed(case, finding, (&chain.it, &cites)).found();
    }
    let refused = presented::distrust(case);
    if let Some(verdict) = not_sent(case, host, &chains) {
        return verdict;
    }
    if let Some(chain) = chains.iter().find(|chain| matches!(chain.path.end, End::Root(_))) {
        let End::Root(name) = &chain.path.end else { return Verdict::NotApplicable };
        let because = format!("the chain leads to {name}, a root of {roots}");
        return Verdict::Clear { because, cites: trust::cites_of(chain) };
    }
    let Some((id, words)) = refused else {
        return Verdict::NotApplicable;
    };
    let lower = words.to_lowercase();
    if lower.contains("certificate in certificate chain") || lower.contains("code: 19") {
        let covers = chains.iter().any(|chain| chain.it.coverage == Coverage::Covers);
        return Finding::new(
            format!("{host} is served a certificate of a private authority"),
            Severity::Error,
            if covers { Strength::Strong } else { Strength::Consistent },
        )
        .because(
            "The chain that is sent ends at a root of its own, which this client does not trust.",
            format!("Look at the issuer first: only a root of your own belongs into the clients of {host}; one that nobody knows means that something on the way answers. Else install a certificate of a public authority."),
        )
        .verified_by(view::ask_for_certificate(host), "the last issuer, which the client has to trust")
        .reason(words, [id])
        .mark(Mark::new(id, "chain", Sign::Wrong, "a root of its own"))
        .found();
    }
    if presented::of(case).is_empty() && !crate::rules::defaults::is_self_signed(&words) {
        let missing = format!("the root at which the chain of {host} ends: {words}");
        return Verdict::Unknown { missing, ask: view::ask_for_certificate(host) };
    }
    Verdict::NotApplicable
}

/// A chain of several certificates whose last issuer is neither sent nor trusted: that is how a private
/// root is rightly left out, and how a second intermediate is wrongly left out.
fn not_sent(case: &Case<'_>, host: &Name, chains: &[Chain<'_, '_>]) -> Option<Verdict> {
    let is_long = |chain: &&Chain<'_, '_>| chain.path.order.len() > 1 && !issuers::is_untrusted_by_all(case, &chain.it);
    let (chain, issuer) = chains.iter().filter(is_long).find_map(|chain| match &chain.path.end {
        End::Missing(issuer) => Some((chain, issuer)),
        _ => None,
    })?;
    let roots = case.known.roots.dated();
    let cites = trust::cites_of(chain);
    let finding = Finding::new(format!("{host} is served a certificate of an authority that is not among the trusted ones"), Severity::Note, Strength::Consistent)
        .because(
            format!("The chain that is sent leads to {issuer}, which is not sent and no root of {roots}: a private root, one of another time, or an intermediate that is left out."),
            format!("Give the root {issuer} to the clients of {host}, or, if it is an intermediate, send it too."),
        )
        .verified_by(view::ask_for_certificate(host), "a chain that ends at a root of the clients")
        .reason(format!("the last certificate sent was issued by {issuer}, which is no root of {roots}"), cites.clone())
        .mark(Mark::new(cites.first().copied()?, chain.it.title(), Sign::Doubtful, "of an authority that is not among the trusted ones"));
    Some(trust::weighed(case, finding, (&chain.it, &cites)).found())
}
