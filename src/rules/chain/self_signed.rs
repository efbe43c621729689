//! `chain.self_signed`: the leaf signed itself.

use super::trust;
use crate::case::Case;
use crate::provider::table::Kind;
use crate::rules::presented;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};
use crate::x509::path::{End, Proof};

declare_rule! {
    /// # What it finds
    ///
    /// The certificate is its own issuer, and no known default of a product.
    ///
    /// # Why it matters
    ///
    /// No client trusts it unless it was told to, whatever names it covers. It is a note as long as no
    /// client complains: trust is the client's.
    ///
    /// # What it needs
    ///
    /// The certificate, or a client that calls it self-signed. A certificate of another issuer rules it
    /// out. The certificate alone shows it; the alert unknown_ca without a certificate leaves it unknown.
    ///
    /// # What to do
    ///
    /// Install a certificate of an authority that the clients trust, or, in a lab, tell the clients to trust
    /// this one. Verify with `openssl s_client -showcerts`.
    ///
    /// # References
    ///
    /// RFC 5280 section 6.1.
    "chain.self_signed", "the certificate is self-signed", since "0.1.0", cap 0.85, rank 622
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let chains = trust::of(case);
    let own = chains.iter().find(|chain| chain.path.end == End::SelfSigned);
    if let Some(chain) = own {
        let certificate = chain.it.leaf.certificate;
        let defaults = [Kind::Ingress, Kind::Traefik, Kind::Panel, Kind::Appliance, Kind::NoServerName];
        let known = defaults.into_iter().find_map(|kind| case.known.providers.own_certificate(certificate, kind));
        if let Some(row) = known.filter(|_| chain.it.is_wrong(host)) {
            let because = format!("{} is what {} presents by itself", chain.it.title(), row.name);
            return Verdict::Clear { because, cites: chain.it.cites() };
        }
        let strength = if chain.path.proof == Proof::Signature { Strength::Proven } else { Strength::Strong };
        let finding = Finding::new(format!("{host} is served a self-signed certificate"), Severity::Note, strength)
            .because(
                format!("The certificate {} is its own issuer: clients trust it only where they were told to.", chain.it.title()),
                format!("Install a certificate for {host} of an authority that its clients trust, or add this one to their trusted roots."),
            )
            .verified_by(view::ask_for_certificate(host), "an issuer other than the subject")
            .reason("subject and issuer are the same, and no root of the clients", chain.it.cites())
            .mark(Mark::new(chain.it.leaf.id, chain.it.title(), Sign::Doubtful, "its own issuer"));
        let mut finding = trust::weighed(case, finding, (&chain.it, &chain.it.cites()));
        let is_untold = chain.it.connection.is_some_and(|it| reach::is_untold(case, it));
        if is_untold && chain.it.coverage == Coverage::Covers {
            finding.severity = Severity::Error;
        }
        return finding.found();
    }
    let Some((id, words)) = presented::distrust(case) else {
        return Verdict::NotApplicable;
    };
    if let Some(chain) = chains.first() {
        let issuer = chain.it.leaf.certificate.issuer.clone().unwrap_or_else(|| "another".to_owned());
        return Verdict::Clear { because: format!("the issuer is {issuer}"), cites: chain.it.cites() };
    }
    if !presented::of(case).is_empty() {
        return Verdict::NotApplicable;
    }
    if crate::rules::defaults::is_self_signed(&words) {
        let finding = Finding::new(format!("{host} is served a self-signed certificate"), Severity::Error, Strength::Consistent)
            .because(
                "A client calls the certificate self-signed; whose it is does not show here.",
                format!("Look at its subject first: a product's default certificate has another cure than one of your own. Then install a certificate for {host} of a trusted authority."),
            )
            .verified_by(view::ask_for_certificate(host), "an issuer other than the subject")
            .reason(words, [id])
            .mark(Mark::new(id, "self", Sign::Wrong, "its own issuer"));
        return finding.found();
    }
    Verdict::Unknown {
        missing: format!("the certificates that {host} sends: {words}"),
        ask: view::ask_for_certificate(host),
    }
}
