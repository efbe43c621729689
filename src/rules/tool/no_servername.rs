//! `tool.no_servername`: the check itself sent no server name.

use crate::case::{Case, Connection};
use crate::evidence::{ObservationId, Run};
use crate::name::Name;
use crate::provider::Provider;
use crate::provider::execute_api::Role;
use crate::provider::table::Kind;
use crate::rules::view::{self, Coverage, Shown};
use crate::rules::{Finding, Mark, Reason, Severity, Sign, Strength, Verdict, declare_rule, sni};
use crate::tls::{SniState, Transport};

declare_rule! {
    /// # What it finds
    ///
    /// A saved `openssl s_client` that sent no server name: `-noservername`, an address or a single
    /// label in `-connect`, or a version that sends none by itself (OpenSSL before 1.1.1, LibreSSL
    /// before 3.5), and that was served a certificate which does not cover the host.
    ///
    /// # Why it matters
    ///
    /// Such a run shows the server's default certificate only. It says nothing of what browsers get.
    ///
    /// # What it needs
    ///
    /// The command line, or the version, of the run, and its certificate. A run with `-servername`
    /// that is served a covering certificate proves it. It is ruled out by `-servername HOST`.
    ///
    /// # What to do
    ///
    /// Repeat it: `openssl s_client -connect HOST:443 -servername HOST -verify_hostname HOST`.
    ///
    /// # References
    ///
    /// RFC 6066 section 3; OpenSSL 1.1.1 release notes.
    "tool.no_servername", "the check itself sent no server name", since "0.1.0", cap 0.9, rank 100
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none()) else {
        return Verdict::NotApplicable;
    };
    let shown = view::shown(case);
    let runs: Vec<&Shown<'_, '_>> = shown.iter().filter(|it| is_s_client(case, it.connection)).collect();
    let right = named_for(host, &shown);
    let is_other = |it: &Shown<'_, '_>| it.is_wrong() || is_named_otherwise(host, it, right);
    if let Some(it) = runs.iter().find(|it| is_other(it) && view::sent_no_name(it.connection)) {
        let wording = Wording {
            cause: format!(
                "This openssl s_client sent no server name (SNI), so it was shown the server's default certificate. It says nothing of what {host} serves to clients that send the name."
            ),
            remedy: format!(
                "Repeat the check with the name: openssl s_client -connect {host}:443 -servername {host} -verify_hostname {host}"
            ),
            reason: "the command sends no server name".to_owned(),
            shown_by: it.connection.id,
        };
        return beside_a_client(case, host, it, served_default(case, host, it, right, &wording));
    }
    if let Some((it, row)) = runs.iter().find_map(|it| Some((it, says_no_name(case, it)?))) {
        let wording = Wording {
            cause: format!(
                "The server itself says in its certificate that no server name (SNI) reached it, and the command gives none: OpenSSL before 1.1.1 and LibreSSL before 3.5 send none by themselves. It says nothing of what {host} serves to clients that send the name."
            ),
            remedy: format!(
                "Repeat the check with the name: openssl s_client -connect {host}:443 -servername {host} -verify_hostname {host}"
            ),
            reason: certificate_says(case, it, row),
            shown_by: it.leaf.id,
        };
        return beside_a_client(case, host, it, served_default(case, host, it, right, &wording));
    }
    let is_open = |it: &Shown<'_, '_>| it.connection.handshake.sni_state == SniState::Unknown;
    if let (Some(it), Some(_)) = (runs.iter().find(|it| is_other(it) && is_open(it)), right) {
        return silent_by_default(case, host, it, right);
    }
    let says_so = |it: &Shown<'_, '_>| {
        let own = case.known.providers.own_certificate(it.leaf.certificate, Kind::NoServerName);
        own.is_some() && !is_called(host, it)
    };
    if let Some(it) = runs.iter().find(|it| is_open(it) && says_so(it)) {
        return silent_by_default(case, host, it, None);
    }
    if let Some(it) = runs.iter().find(|it| it.is_wrong() && is_open(it)) {
        let shown = it.leaf.label();
        return Verdict::Unknown {
            missing: format!("whether the openssl s_client that was shown {shown} sent a server name"),
            ask: format!("openssl version; openssl s_client -connect {host}:443 -servername {host} </dev/null"),
        };
    }
    let named = case.connections.iter().find(|it| is_s_client(case, it) && it.asks_for(host));
    match named {
        Some(connection) => {
            Verdict::Clear { because: format!("openssl s_client sent {host}"), cites: vec![connection.id] }
        }
        None => Verdict::NotApplicable,
    }
}

/// A run that was told to send no name, where the words of a client are explained by that, is a
/// comparison and no fault of the test.
fn beside_a_client(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, verdict: Verdict) -> Verdict {
    let is_meant = run_of(case, it.connection).is_some_and(|run| run.words().any(|word| word == "-noservername"));
    match verdict {
        Verdict::Found(mut finding) if is_meant && sni::absent::is_told(case, host) => {
            finding.severity = Severity::Note;
            Verdict::Found(finding)
        }
        verdict => verdict,
    }
}

/// The finding about a run of which only the other one, with a name, or the certificate itself tells that it
/// had none.
fn silent_by_default(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, right: Option<&Shown<'_, '_>>) -> Verdict {
    let wording = Wording {
        cause: format!(
            "The command of this openssl s_client gives no server name (SNI), and OpenSSL before 1.1.1 and LibreSSL before 3.5 send none by themselves: it was shown the server's default certificate. It says nothing of what {host} serves to clients that send the name."
        ),
        remedy: format!(
            "Repeat the check with the name: openssl s_client -connect {host}:443 -servername {host} -verify_hostname {host}"
        ),
        reason: "the command gives no -servername, and the version that ran it is not stated".to_owned(),
        shown_by: it.connection.id,
    };
    let label = it.leaf.label();
    match served_default(case, host, it, right, &wording) {
        Verdict::Found(mut finding) => {
            finding.headline =
                format!("{host} is served the certificate of {label} where the check may have sent no server name");
            finding.strength = Strength::Consistent;
            finding.confirmed_if =
                Some("openssl version prints an OpenSSL before 1.1.1 or a LibreSSL before 3.5".to_owned());
            for mark in finding.marks.iter_mut().filter(|mark| mark.on == it.connection.id) {
                "gives no -servername".clone_into(&mut mark.label);
            }
            Verdict::Found(finding)
        }
        other => other,
    }
}

/// Whether a handshake is known from a run of `openssl s_client`.
pub(in crate::rules) fn is_s_client(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    run_of(case, connection).is_some_and(|run| ["openssl s_client", "openssl x509"].contains(&run.tool.as_str()))
}

/// What the certificate of such a front end says, as a reason.
pub(in crate::rules) fn certificate_says(case: &Case<'_>, it: &Shown<'_, '_>, row: &Provider) -> String {
    let as_of = &case.known.providers.as_of;
    format!("{} is what {} presents to clients that send none (providers {as_of})", it.label(), row.name)
}

fn run_of<'e>(case: &Case<'e>, connection: &Connection<'_>) -> Option<&'e Run> {
    let number = connection.handshake.run.filter(|_| connection.handshake.transport == Transport::Text);
    case.around.run(connection.source, number).map(|(_, run)| run)
}

/// The words in which a client without a server name and a tool without one differ.
pub(in crate::rules) struct Wording {
    /// The cause.
    pub(in crate::rules) cause: String,
    /// The cure.
    pub(in crate::rules) remedy: String,
    /// The reason that there was no server name.
    pub(in crate::rules) reason: String,
    /// What shows it: the handshake, or the certificate.
    pub(in crate::rules) shown_by: ObservationId,
}

/// What a front end says in the certificate itself: that no server name reached it. A command that is known to have
/// sent one is not contradicted; of a tool whose name is only inferred it tells more than the inference.
pub(in crate::rules) fn says_no_name<'c>(case: &Case<'c>, it: &Shown<'_, '_>) -> Option<&'c Provider> {
    let handshake = it.connection.handshake;
    let is_inferred = handshake.transport == Transport::Text
        && (handshake.sni_state == SniState::Unknown || !is_s_client(case, it.connection));
    case.known.providers.own_certificate(it.leaf.certificate, Kind::NoServerName).filter(|_| is_inferred)
}

/// The finding that a handshake without a server name was served a default certificate.
pub(in crate::rules) fn served_default(
    case: &Case<'_>,
    host: &Name,
    it: &Shown<'_, '_>,
    right: Option<&Shown<'_, '_>>,
    wording: &Wording,
) -> Verdict {
    let label = it.leaf.label();
    let stage = view::execute_api_targets(case).iter().any(|target| target.target.role == Role::Stage);
    let strength = match right {
        Some(other) if other.coverage == Coverage::Covers && it.is_wrong() => Strength::Proven,
        Some(_) => Strength::Strong,
        None if is_known_default(case, it) && !stage => Strength::Strong,
        None => Strength::Consistent,
    };
    let mut reasons = vec![
        Reason { text: wording.reason.clone(), cites: vec![wording.shown_by] },
        Reason {
            text: format!("the certificate presented names only {label}"),
            cites: view::cites([it.leaf.id, it.connection.id]),
        },
    ];
    let mut marks = vec![Mark { on: it.leaf.id, ..mark(it, &label, Sign::Wrong, &format!("does not cover {host}")) }];
    if wording.shown_by == it.connection.id {
        marks.insert(0, mark(it, host.as_str(), Sign::Wrong, "no server name was sent"));
    }
    if let Some(other) = right {
        let covering = other.leaf.label();
        reasons.push(Reason {
            text: format!("a handshake that sent {host} was served {covering}, which covers it"),
            cites: view::cites([other.connection.id, other.leaf.id]),
        });
        marks.push(Mark { on: other.leaf.id, ..mark(it, &covering, Sign::Confirms, "with the name: covers it") });
    }
    Verdict::Found(Box::new(Finding {
        headline: format!("{host} is served the certificate of {label} to a client that sends no server name"),
        severity: Severity::Error,
        strength,
        cause: wording.cause.clone(),
        remedy: wording.remedy.clone(),
        verify: format!("openssl s_client -connect {host}:443 -servername {host} -verify_hostname {host} </dev/null"),
        expect: Some(format!("a certificate that covers {host}")),
        confirmed_if: None,
        reasons,
        marks,
        change: None,
    }))
}

/// What a client that sent the name was served: a certificate that covers the host, or one that a text
/// shows by its subject alone and that is called like it.
pub(in crate::rules) fn named_for<'s, 'c, 'e>(host: &Name, shown: &'s [Shown<'c, 'e>]) -> Option<&'s Shown<'c, 'e>> {
    let asked = || shown.iter().filter(|it| it.connection.asks_for(host));
    let by_label = |it: &&Shown<'_, '_>| it.coverage == Coverage::Unknown && is_called(host, it);
    asked().find(|it| it.coverage == Coverage::Covers).or_else(|| asked().find(by_label))
}

/// Whether a text shows the subject alone, and it is not called like the host while another that was
/// served with the name is.
fn is_named_otherwise(host: &Name, it: &Shown<'_, '_>, right: Option<&Shown<'_, '_>>) -> bool {
    let differs = right.is_some_and(|right| right.leaf.certificate.subject != it.leaf.certificate.subject);
    it.coverage == Coverage::Unknown && it.leaf.certificate.subject.is_some() && differs && !is_called(host, it)
}

fn is_called(host: &Name, it: &Shown<'_, '_>) -> bool {
    it.leaf.certificate.common_name().is_some_and(|name| crate::name::match_dns(host, name).is_ok())
}

/// Whether the certificate is what a provider or a product presents by itself.
fn is_known_default(case: &Case<'_>, it: &Shown<'_, '_>) -> bool {
    view::default_of(it.leaf).is_some() || case.known.providers.of_certificate(it.leaf.certificate).is_some()
}

fn mark(it: &Shown<'_, '_>, words: &str, sign: Sign, label: &str) -> Mark {
    Mark { on: it.connection.id, beside: String::new(), words: words.to_owned(), sign, label: label.to_owned() }
}
