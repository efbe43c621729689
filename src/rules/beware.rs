//! What is easily misread in the evidence of a case ([`of`]): words that sound like an answer and are
//! none, and what only fits an answer.

use super::Reason;
use super::view::{self, Coverage, Shown};
use crate::case::{Case, Connection};
use crate::evidence::{ObservationId, Says};
use crate::provider::table::Kind;
use crate::rules::config;
use crate::tls::alert::is_about_certificate;
use crate::tls::{ChainState, SEALED_ALERT_BYTES, Side, Transport};

/// The cautions of a case, each with what it speaks of.
pub fn of(case: &Case<'_>) -> Vec<Reason> {
    let first = trust_is_not_the_name(case).into_iter().chain(edge_with_http_api(case));
    first.chain(sealed_refusal(case)).chain(mended(case)).chain(of_no_host(case)).chain(home_made(case)).collect()
}

/// What a client says of a host that it does not name: the only host of the evidence is likely meant, and the words
/// do not show it.
fn of_no_host(case: &Case<'_>) -> Option<Reason> {
    let host = case.host.as_ref()?;
    let (id, it) = case.unnamed.iter().find(|(_, it)| {
        let is_fault = !matches!(it.says, Says::NameMatches | Says::ChainTrusted);
        is_fault && !case.verdicts.iter().any(|(_, own)| own.says == it.says)
    })?;
    let words: String = it.words.chars().take(WORDS_CHARS).collect();
    Some(Reason {
        text: format!("{} says \"{words}\" and names no host: that it speaks of {host} does not show", it.client),
        cites: vec![*id],
    })
}

/// A certificate that covers the host, of an authority that a product makes for itself: no browser comes with it.
fn home_made(case: &Case<'_>) -> Option<Reason> {
    let it = view::covering(case)?;
    let row = case.known.providers.own_certificate(it.leaf.certificate, Kind::Panel)?;
    let issuer = crate::x509::attributes(it.leaf.certificate.issuer.as_deref()?);
    let (_, issuer) = issuer.into_iter().find(|(kind, _)| kind == "CN" || kind == "O")?;
    Some(Reason {
        text: format!(
            "the issuer is {issuer}, which {} makes for itself: clients trust it only where they were told to (providers {})",
            row.name, case.known.providers.as_of
        ),
        cites: view::cites([it.leaf.id, it.connection.id]),
    })
}

/// Enough to find the line again.
const WORDS_CHARS: usize = 90;

/// `Verify return code: 0 (ok)` beside a wrong certificate.
fn trust_is_not_the_name(case: &Case<'_>) -> Option<Reason> {
    let is_wrong = view::shown(case).iter().any(Shown::is_wrong);
    let said = view::said(case, Says::ChainTrusted);
    let (id, _) = said.first().filter(|(_, verdict)| is_wrong && verdict.client == "openssl")?;
    Some(Reason {
        text: "\"Verify return code: 0 (ok)\" speaks of the chain of trust only; openssl was not asked to check the name (-verify_hostname)".to_owned(),
        cites: vec![*id],
    })
}

/// A text in which a wrong certificate is followed by a right one: the fault may be mended already.
fn mended(case: &Case<'_>) -> Option<Reason> {
    let host = case.host.as_ref()?;
    let is_own = |it: &Shown<'_, '_>| it.connection.asks_for(host) && it.connection.handshake.run.is_some();
    let shown: Vec<Shown<'_, '_>> = view::shown(case).into_iter().filter(is_own).collect();
    let (last, before) = shown.split_last()?;
    let wrong = before.iter().find(|it| it.is_wrong())?;
    let is_one_text = before.iter().all(|it| it.connection.source == last.connection.source);
    let is_since = before.iter().rev().take_while(|it| it.coverage == Coverage::Covers).count() + 1;
    let is_once = shown.iter().rev().skip(is_since).all(Shown::is_wrong);
    (last.coverage == Coverage::Covers && is_one_text && is_once).then(|| Reason {
        text: format!("the last connection in this text is shown a certificate that covers {host}: look again before anything is changed, and at each of several ways"),
        cites: view::cites([wrong.connection.id, last.connection.id, last.leaf.id]),
    })
}

/// A client that answers a sealed server's flight with an alert, or with a record as long as one (RFC 8446
/// section 5.2), beside what a text shows of the certificate that the same server presents for the name.
fn sealed_refusal(case: &Case<'_>) -> Option<Reason> {
    let host = case.host.as_ref()?;
    let sealed = case.connections.iter().filter(|it| it.handshake.chain_state == ChainState::Encrypted);
    let (sealed, hint, alert) = sealed.filter(|it| it.asks_for(host)).find_map(|it| {
        let (hint, alert) = refusal_of(it)?;
        Some((it, hint, alert))
    })?;
    let cites = std::iter::once(sealed.id).chain(alert);
    let shown = view::shown(case);
    let is_same = |it: &&Shown<'_, '_>| {
        let server = it.connection.handshake.server;
        it.connection.handshake.transport == Transport::Text
            && it.connection.asks_for(host)
            && (server.is_none() || server == sealed.handshake.server)
    };
    let Some(it) = shown.iter().find(is_same) else {
        return Some(Reason { text: hint, cites: view::cites(cites) });
    };
    let what = match it.coverage {
        Coverage::Covers => format!("covers {host}"),
        Coverage::DoesNotCover | Coverage::ProviderDefault => format!("does not cover {host}"),
        Coverage::Unknown => "shows its subject only".to_owned(),
    };
    Some(Reason {
        text: format!(
            "{hint}. Asked for the same name, it is {} that another client was shown, which {what}",
            it.label()
        ),
        cites: view::cites(cites.chain([it.connection.id, it.leaf.id])),
    })
}

/// What the end of a sealed handshake fits.
fn refusal_of(connection: &Connection<'_>) -> Option<(String, Option<ObservationId>)> {
    let of_client = connection.alerts.iter().find(|(_, alert)| alert.from == Side::Client && !alert.encrypted);
    if let Some((id, alert)) = of_client {
        let name = alert.description.as_deref().filter(|it| is_about_certificate(it))?;
        let text = format!(
            "the client ends the handshake with the alert {name}: it refuses a certificate that TLS 1.3 hides here"
        );
        return Some((text, Some(*id)));
    }
    let text = match connection.handshake.client_records.as_slice() {
        _ if connection.handshake.looks_refused() => {
            "after the server's sealed flight the client sends a record of the length of an alert: consistent with a fatal alert, which no key here opens"
        }
        [_, last] if *last == SEALED_ALERT_BYTES => {
            "after the handshake the client sends nothing but a record of the length of an alert: consistent with one that refuses the certificate, and with one that only looked"
        }
        _ => return None,
    };
    Some((text.to_owned(), None))
}

/// Edge-optimized custom domain names serve REST APIs only (API Gateway developer guide).
fn edge_with_http_api(case: &Case<'_>) -> Option<Reason> {
    let (domain, custom) = config::custom_domain(case)?;
    let (mapping, found, api) = config::mapped_api(case)?;
    let is_edge = custom.targets.iter().any(|it| it.endpoint_type.as_deref() == Some("EDGE"));
    let protocol = api.protocol.as_deref().filter(|it| is_edge && *it != "REST")?;
    Some(Reason {
        text: format!(
            "{} is edge-optimized and mapped to {}, a {protocol} API: edge-optimized custom domain names serve REST APIs only; make it regional",
            custom.domain, api.id
        ),
        cites: view::cites([domain, mapping, found]),
    })
}
