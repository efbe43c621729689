//! The certificates that a host was shown ([`Presented`]), by handshakes and by texts without one, and
//! what they say for rules about whose certificate it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::case::{Case, Connection, Leaf};
use crate::evidence::{ClientVerdict, ObservationId, Says};
use crate::name::Name;
use crate::provenance::SourceId;
use crate::rules::reach;
use crate::rules::view::{self, Coverage, Shown};
use crate::rules::{Mark, Sign, Strength};
use crate::tls::{Side, SniState};
use crate::x509::path::{End, Path};

/// A certificate that the host was shown.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'c, 'e> {
    /// The certificate.
    pub leaf: &'c Leaf<'e>,
    /// What it says of the host.
    pub coverage: Coverage,
    /// The handshake; `None` where a text shows the certificate alone.
    pub connection: Option<&'c Connection<'e>>,
}

/// All of a case, each chain once for each way of asking: those of handshakes first.
pub fn of<'c, 'e>(case: &'c Case<'e>) -> Vec<Presented<'c, 'e>> {
    let shown = distinct(reach::shown(case)).into_iter();
    let shown = shown.map(|it| Presented { leaf: it.leaf, coverage: it.coverage, connection: Some(it.connection) });
    let bare = view::shown_without_handshake(case).into_iter();
    shown.chain(bare.map(|(leaf, coverage)| Presented { leaf, coverage, connection: None })).collect()
}

/// The handshakes that differ in the chain or in the server name: thousands of one kind say no more than
/// the first.
pub fn distinct<'c, 'e>(mut shown: Vec<Shown<'c, 'e>>) -> Vec<Shown<'c, 'e>> {
    let mut seen: BTreeSet<(SourceId, &[String], SniState)> = BTreeSet::new();
    shown.retain(|it| {
        let handshake = it.connection.handshake;
        seen.insert((it.connection.source, handshake.chain.as_slice(), handshake.sni_state))
    });
    shown
}

impl Presented<'_, '_> {
    /// The first name that the certificate shows, its common name, or its subject.
    pub fn label(&self) -> String {
        self.leaf.label()
    }

    /// The common name where there is one: what makes default certificates known.
    pub fn title(&self) -> String {
        self.leaf.certificate.common_name().map_or_else(|| self.label(), str::to_owned)
    }

    /// The observations of the certificate and of its handshake.
    pub fn cites(&self) -> Vec<ObservationId> {
        view::cites(std::iter::once(self.leaf.id).chain(self.connection.map(|it| it.id)))
    }

    /// Whether the client is known to have sent no server name.
    pub fn is_silent(&self) -> bool {
        self.connection.is_some_and(view::sent_no_name)
    }

    /// Whether it is seen not to cover the host, or shows no name that could.
    pub fn is_wrong(&self, host: &Name) -> bool {
        match self.coverage {
            Coverage::DoesNotCover | Coverage::ProviderDefault => true,
            Coverage::Covers => false,
            Coverage::Unknown => {
                let label = self.leaf.certificate.common_name();
                label.is_some_and(|label| crate::name::match_dns(host, label).is_err())
            }
        }
    }

    /// How well it is known that a client which asked for the host was shown this.
    pub fn strength(&self, host: &Name) -> Strength {
        match self.connection {
            Some(connection) if connection.asks_for(host) || host.ip().is_some() => {
                if self.leaf.certificate.san.is_some() { Strength::Proven } else { Strength::Strong }
            }
            Some(connection) if connection.handshake.sni_state == SniState::Unknown => Strength::Consistent,
            Some(_) => Strength::Consistent,
            None => Strength::Strong,
        }
    }

    /// The chain behind it, against the roots of the case.
    pub fn path(&self, case: &Case<'_>) -> Arc<Path> {
        let alone = std::slice::from_ref(self.leaf);
        let chain = self.connection.map_or(alone, |connection| connection.chain.as_slice());
        case.around.path(chain, &case.known.roots)
    }

    /// Whether its chain ends at a trusted root.
    pub fn is_publicly_issued(&self, case: &Case<'_>) -> bool {
        matches!(self.path(case).end, End::Root(_))
    }

    /// Whether its subject is its issuer.
    pub fn is_self_issued(&self) -> bool {
        let certificate = self.leaf.certificate;
        certificate.subject.is_some() && certificate.subject == certificate.issuer
    }

    /// The mark under its name: it is not the host's.
    pub fn wrong_mark(&self, host: &Name) -> Mark {
        Mark::new(self.leaf.id, self.title(), Sign::Wrong, format!("does not cover {host}"))
    }
}

/// Whether a client's words say that it does not trust the chain. `openssl s_client` is often run without
/// any roots: of its codes only those count that the chain itself earns, 18 and 19.
pub fn is_about_trust(verdict: &ClientVerdict) -> bool {
    verdict.client != "openssl" || verdict.code.as_deref().is_some_and(|code| ["18", "19"].contains(&code))
}

/// What a client said against a chain, where its words speak of trust: the observation and the words.
pub fn distrust(case: &Case<'_>) -> Option<(ObservationId, String)> {
    distrust_where(case, |_| true)
}

/// What a client said against this chain: words, which name none, or the alert in a handshake that had it.
pub fn distrust_of(case: &Case<'_>, it: &Presented<'_, '_>) -> Option<(ObservationId, String)> {
    let Some(own) = it.connection else { return distrust(case) };
    distrust_where(case, |other| other.source == own.source && other.handshake.chain == own.handshake.chain)
}

fn distrust_where(case: &Case<'_>, is_its: impl Fn(&Connection<'_>) -> bool) -> Option<(ObservationId, String)> {
    let said = view::said(case, Says::ChainUntrusted);
    if let Some((id, verdict)) = said.iter().find(|(_, verdict)| is_about_trust(verdict)) {
        return Some((*id, format!("{} says: {}", verdict.client, verdict.words)));
    }
    let alerts = case.connections.iter().filter(|it| is_its(it)).flat_map(|connection| &connection.alerts);
    let (id, _) = alerts
        .into_iter()
        .find(|(_, alert)| alert.from == Side::Client && alert.description.as_deref() == Some("unknown_ca"))?;
    Some((*id, "the client answers with the alert unknown_ca".to_owned()))
}
