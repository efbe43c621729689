//! `deploy.renewed_not_loaded`: a newer certificate exists, and the old one is still presented.

use super::{is_bad, shown};
use crate::case::Case;
use crate::evidence::ObservationId;
use crate::name::{self, Name};
use crate::provenance::Time;
use crate::rules::config;
use crate::rules::view::{self, Coverage, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The evidence holds a certificate for the host that ends later than the one presented: from a file
    /// that somebody looked at (`openssl x509 -in FILE`), or from ACM.
    ///
    /// # Why it matters
    ///
    /// Renewal writes a file; the server goes on with what it loaded at its start until it is told to
    /// reload.
    ///
    /// # What it needs
    ///
    /// Both certificates. It is an error when the one presented is out of date, a warning before. It is
    /// ruled out when the one presented is the newest; an expired one alone leaves it unknown.
    ///
    /// # What to do
    ///
    /// Reload or restart the service, make the renewal do so from now on (a deploy hook), and compare
    /// `openssl x509 -in FILE -noout -enddate` with what `openssl s_client` is shown.
    ///
    /// # References
    ///
    /// certbot documentation, "Renewing certificates" (hooks).
    "deploy.renewed_not_loaded", "a newer certificate exists, and the old one is still presented",
    since "0.1.0", cap 0.98, rank 590
}

/// A certificate that is known without a handshake.
struct Known {
    id: ObservationId,
    end: Time,
    names: Option<Vec<String>>,
    sha256: Option<String>,
    serial: Option<String>,
    what: &'static str,
    /// A file on a server is about to be loaded; a certificate in ACM can be meant for something else.
    is_of_file: bool,
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let all = shown(case);
    let served =
        all.iter().filter(|it| it.coverage != Coverage::DoesNotCover && it.leaf.certificate.not_after.is_some());
    let Some(it) = served.into_iter().min_by_key(|it| it.leaf.certificate.not_after.map(|end| end.seconds)) else {
        return Verdict::NotApplicable;
    };
    let Some(end) = it.leaf.certificate.not_after else {
        return Verdict::NotApplicable;
    };
    let known: Vec<Known> = known(case, host).into_iter().filter(|other| !is_same(other, it)).collect();
    let counts = |other: &&Known| other.is_of_file && other.names.is_some() || is_bad(case, it);
    let newest = known
        .iter()
        .filter(|other| other.end.seconds > end.seconds)
        .filter(counts)
        .max_by_key(|other| (other.names.is_some(), other.end.seconds));
    if let Some(other) = newest {
        return found(case, host, it, other);
    }
    if let Some(other) = known.first() {
        let because = format!("{} ends no later than the one presented", other.what);
        return Verdict::Clear { because, cites: vec![it.leaf.id, other.id] };
    }
    if is_bad(case, it) && it.coverage == Coverage::Covers {
        return Verdict::Unknown {
            missing: format!("whether a newer certificate of {host} lies on the server already"),
            ask: "openssl x509 -in FILE -noout -subject -serial -dates -ext subjectAltName".to_owned(),
        };
    }
    Verdict::NotApplicable
}

/// Certificates for the host that no handshake presented.
fn known(case: &Case<'_>, host: &Name) -> Vec<Known> {
    let covers = |names: &[String]| names.iter().any(|name| name::match_dns(host, name).is_ok());
    let mut known: Vec<Known> = Vec::new();
    for (id, source, it) in &case.around.loose {
        let is_of_a_server = case.around.run(*source, it.run).is_some_and(|(_, run)| run.host.is_some());
        let Some(end) = it.not_after.filter(|_| !is_of_a_server) else { continue };
        let names = it.san.as_ref().map(|san| san.dns.clone()).filter(|names| !names.is_empty());
        let label = it.common_name().and_then(Name::parse);
        let is_ours = match (&names, &label) {
            (Some(names), _) => covers(names),
            (None, Some(name)) => name == host,
            (None, None) => true,
        };
        if is_ours {
            let names = names.or_else(|| label.map(|name| vec![name.to_string()]));
            known.push(Known {
                id: *id,
                end,
                names,
                sha256: it.sha256.clone(),
                serial: it.serial.clone(),
                what: "the certificate in a file",
                is_of_file: true,
            });
        }
    }
    for (id, it) in config::acm_certificates(case) {
        if let Some(end) = it.not_after.filter(|_| covers(&it.names) && it.status.as_deref() == Some("ISSUED")) {
            let names = Some(it.names.clone());
            known.push(Known {
                id,
                end,
                names,
                sha256: it.sha256.clone(),
                serial: it.serial.clone(),
                what: "the certificate in ACM",
                is_of_file: false,
            });
        }
    }
    known
}

fn is_same(other: &Known, it: &Shown<'_, '_>) -> bool {
    let certificate = it.leaf.certificate;
    (other.sha256.is_some() && other.sha256 == certificate.sha256)
        || (other.serial.is_some() && other.serial == certificate.serial)
}

fn found(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, other: &Known) -> Verdict {
    let day = |time: Time| time.rfc3339().split('T').next().unwrap_or_default().to_owned();
    let end = it.leaf.certificate.not_after.map(day).unwrap_or_default();
    let newer = day(other.end);
    let severity = if is_bad(case, it) { Severity::Error } else { Severity::Warning };
    let strength = match (&other.names, it.leaf.certificate.san.is_some()) {
        (Some(_), true) => Strength::Proven,
        (Some(_), false) => Strength::Strong,
        (None, _) => Strength::Consistent,
    };
    Finding::new(format!("{host} is served an old certificate although a newer one exists"), severity, strength)
        .because(
            format!("{} of {host} is valid to {newer}, and the server still presents the one that ends {end}: it has not been reloaded since.", view::capitalised(other.what)),
            "Reload or restart the TLS service, and let the renewal do so from now on (a deploy hook); look at every node.",
        )
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -enddate"),
            format!("notAfter of {newer}"),
        )
        .reason(format!("the certificate presented ends {end}"), [it.leaf.id, it.connection.id])
        .reason(format!("{} ends {newer}", other.what), [other.id])
        .mark(Mark::new(it.leaf.id, it.label(), Sign::Wrong, format!("ends {end}")))
        .mark(Mark::new(other.id, "notAfter", Sign::Confirms, format!("the newer one ends {newer}")))
        .found()
}
