//! Causes that share a signature, told apart ([`tell`]): where one is found, what shows it excludes the
//! other, which is then ruled out by the same evidence.
//!
//! Each row of [`PAIRS`] holds whatever the case: its sentence follows from the finding itself. Pairs whose
//! counter-evidence depends on the case are told apart by the rules.

use super::{Finding, Rule, Severity, Strength, Verdict};
use crate::evidence::ObservationId;

/// A pair of causes that share a signature.
#[derive(Clone, Copy, Debug)]
pub struct Apart {
    /// The cause that was found.
    pub found: &'static str,
    /// The cause that it excludes.
    pub other: &'static str,
    /// How well the first must be supported for that.
    pub at_least: Strength,
    /// What excludes it.
    pub because: &'static str,
}

/// Rules out what the findings exclude. A cause that was found as well stays, except where a row of
/// [`OVERRULED`] says that the finding contradicts what the other was found by.
pub fn tell(verdicts: &mut [(&'static Rule, Verdict)]) {
    for apart in PAIRS.iter().chain(OVERRULED) {
        let finding = verdicts.iter().find_map(|(rule, verdict)| match verdict {
            Verdict::Found(finding) if rule.id == apart.found && finding.strength <= apart.at_least => Some(finding),
            _ => None,
        });
        let Some(cites) = finding.map(|finding| cites(finding)) else { continue };
        let is_overruled = OVERRULED.iter().any(|it| (it.found, it.other) == (apart.found, apart.other));
        for (_, verdict) in verdicts.iter_mut().filter(|(rule, _)| rule.id == apart.other) {
            let is_open = match verdict {
                Verdict::NotApplicable | Verdict::Unknown { .. } => true,
                Verdict::Found(_) => is_overruled,
                Verdict::Clear { .. } => false,
            };
            if is_open {
                *verdict = Verdict::Clear { because: apart.because.to_owned(), cites: cites.clone() };
            }
        }
    }
}

/// A certificate that does not even cover the host is not made wrong by its chain: what is found of that is a
/// side fact.
pub fn put_chain_beside(verdicts: &mut [(&'static Rule, Verdict)]) {
    let of_chains = verdicts.iter_mut().filter(|(rule, _)| rule.id.starts_with("chain."));
    for (_, verdict) in of_chains {
        if let Verdict::Found(finding) = verdict {
            finding.severity = Severity::Note;
        }
    }
}

/// What the first reasons of a finding cite.
fn cites(finding: &Finding) -> Vec<ObservationId> {
    super::view::cites(finding.reasons.iter().take(2).flat_map(|reason| reason.cites.iter().copied()))
}

const fn strong(found: &'static str, other: &'static str, because: &'static str) -> Apart {
    Apart { found, other, at_least: Strength::Strong, because }
}

/// The pairs.
pub static PAIRS: &[Apart] = &[
    strong(
        "apigw.private_dns_capture",
        "dns.split_horizon",
        "the name that is answered inside is execute-api's, not one of the host's own zone",
    ),
    strong("dns.split_horizon", "apigw.private_dns_capture", "no execute-api name is on the way"),
    strong("apigw.sni_required", "sni.absent", "the server ends the handshake and presents no default certificate"),
    strong(
        "dns.hijack_or_poisoning",
        "dns.split_horizon",
        "the address is public, and another owner's certificate is served there",
    ),
    strong("dns.ipv6_differs", "dns.mixed_answer_set", "the addresses that differ are of two families"),
    strong("dns.mixed_answer_set", "dns.ipv6_differs", "the addresses that differ are of one family"),
    strong("dns.mixed_answer_set", "dns.stale_answer", "one answer holds both addresses"),
    strong("dns.stale_answer", "dns.mixed_answer_set", "the addresses stand in different answers"),
    strong("dns.stale_answer", "override.hosts_or_resolve", "an older answer of DNS holds the address"),
    strong(
        "override.hosts_or_resolve",
        "dns.stale_answer",
        "the address was given to the client, DNS did not lead there",
    ),
    strong("dns.search_suffix_wildcard", "dns.hijack_or_poisoning", "the answer is to another question than the host"),
    strong("dns.search_suffix_wildcard", "dns.wildcard_record", "the question was not the host's own name"),
    strong(
        "dns.search_suffix_wildcard",
        "override.hosts_or_resolve",
        "DNS gave the address, for the name with the suffix",
    ),
    strong("dns.wildcard_record", "dns.search_suffix_wildcard", "the wildcard stands above the host itself"),
    strong("mitm.local_antivirus", "mitm.tls_interception", "the issuer is a virus scanner's on the client's machine"),
    strong("mitm.tls_interception", "mitm.local_antivirus", "the issuer is no virus scanner's"),
    strong("mitm.tls_interception", "net.captive_portal", "the certificate has the right names"),
    strong("net.block_page", "net.captive_portal", "the certificate is a filter's"),
    strong(
        "net.captive_portal",
        "net.block_page",
        "the certificate is a portal's or comes for the names of several owners",
    ),
    strong("sni.absent", "sni.differs_from_host", "the client sent no server name"),
    strong("sni.absent", "sni.ip_literal_url", "the client meant a name"),
    strong("sni.absent", "tool.no_servername", "the handshake is a client's own, no check by openssl s_client"),
    strong("sni.differs_from_host", "sni.absent", "the client sent a server name"),
    strong("sni.ip_literal_url", "sni.absent", "the client was given an address: there is no name to send"),
    strong("tool.no_servername", "sni.absent", "the handshake is a check by openssl s_client, not a client's own"),
];

/// Findings that contradict what the other cause was found by.
pub static OVERRULED: &[Apart] = &[
    strong("client.clock_wrong", "cert.expired", "another clock than the client's lies within the validity"),
    strong("client.clock_wrong", "cert.not_yet_valid", "another clock than the client's lies within the validity"),
    strong("mitm.local_antivirus", "chain.incomplete", "the chain is the scanner's own, not the server's"),
    strong("mitm.local_antivirus", "chain.private_ca", "the root is the scanner's own, not the server's"),
    strong("mitm.tls_interception", "chain.incomplete", "the chain is the inspector's own, not the server's"),
    strong("mitm.tls_interception", "chain.private_ca", "the root is the inspector's own, not the server's"),
];
