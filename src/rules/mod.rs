//! Causes of a wrong certificate: [`Rule`], one pure function each over a [`Case`], and [`RULES`].
//!
//! A rule says found, clear (ruled out by evidence that it cites), unknown (with the command that
//! would decide) or not applicable. It never concludes from absence. [`judge`] runs them all on a
//! case and adds the [`outcome`].

use crate::case::Case;
use crate::evidence::ObservationId;

pub mod acme;
pub mod apart;
pub mod apigw;
pub mod appliance;
pub mod ask;
pub mod beware;
pub mod cdn;
pub mod cert;
pub mod chain;
pub mod client;
pub mod cloudfront;
pub mod config;
pub mod defaults;
pub mod deploy;
pub mod dns;
pub mod ech;
pub mod finding;
pub mod hosting;
pub mod h2;
pub mod insufficient;
pub mod issuers;
pub mod k8s;
pub mod lb;
pub mod mail;
pub mod r#match;
pub mod mitm;
pub mod net;
pub mod none;
pub mod outcome;
pub mod r#override;
pub mod panel;
mod port;
pub mod presented;
pub mod proxy;
pub mod reach;
pub mod refusal;
pub mod server;
pub mod sni;
pub mod tls;
pub mod tool;
pub mod traefik;
pub mod view;
pub mod webserver;

pub use ask::AskFor;
pub use finding::{Finding, Mark, Reason, RecordChange, Severity, Sign, Strength};
pub use outcome::Outcome;

/// One cause: data and one pure function.
#[derive(Debug)]
pub struct Rule {
    /// Its id, released for good.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The page that `whycert explain` prints.
    pub docs: &'static str,
    /// The version that brought it.
    pub since: &'static str,
    /// The confidence of a proven finding.
    pub cap: f64,
    /// Where it stands in the order of judging, smaller first: artifacts of the test before faults
    /// of the server.
    pub rank: u16,
    /// What it says of a case.
    pub check: fn(&Case<'_>) -> Verdict,
}

/// What a rule says of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The case is not of its kind.
    NotApplicable,
    /// The evidence does not decide.
    Unknown {
        /// What is missing.
        missing: String,
        /// The command that would decide.
        ask: String,
    },
    /// Evidence excludes it.
    Clear {
        /// The counter-evidence, in words.
        because: String,
        /// The observations that hold it; never empty.
        cites: Vec<ObservationId>,
    },
    /// The cause was found.
    Found(Box<Finding>),
}

impl Verdict {
    /// Its name in `expected.verdicts`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Unknown { .. } => "unknown",
            Self::Clear { .. } => "clear",
            Self::Found(_) => "found",
        }
    }
}

/// What all rules say of one case.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What came of the case.
    pub outcome: Outcome,
    /// The verdict of every rule, in the order of [`RULES`].
    pub verdicts: Vec<(&'static Rule, Verdict)>,
    /// What would decide the unknown verdicts, best first.
    pub ask_for: Vec<AskFor>,
    /// What is easily misread in the evidence.
    pub beware: Vec<Reason>,
}

impl Judgement {
    /// The findings, best first: by severity, strength, confidence, id. A note never heads a case.
    pub fn findings(&self) -> Vec<(&'static Rule, &Finding)> {
        let mut found: Vec<(&'static Rule, &Finding)> = self
            .verdicts
            .iter()
            .filter_map(|(rule, verdict)| match verdict {
                Verdict::Found(finding) => Some((*rule, finding.as_ref())),
                _ => None,
            })
            .collect();
        found.sort_by(|(rule, finding), (other, than)| {
            let key = (finding.severity, finding.strength);
            key.cmp(&(than.severity, than.strength))
                .then(confidence(other, than).total_cmp(&confidence(rule, finding)))
                .then(rule.rank.cmp(&other.rank))
                .then(rule.id.cmp(other.id))
        });
        found
    }
}

/// The confidence of a finding: its strength's share of the rule's cap, in hundredths.
pub fn confidence(rule: &Rule, finding: &Finding) -> f64 {
    (rule.cap * finding.strength.share() * 100.0).round() / 100.0
}

/// Judges one case.
pub fn judge(case: &Case<'_>) -> Judgement {
    let mut verdicts: Vec<(&'static Rule, Verdict)> = RULES.iter().map(|rule| (*rule, (rule.check)(case))).collect();
    apart::tell(&mut verdicts);
    port::put_right(case, &mut verdicts);
    let outcome = outcome::of(case);
    if outcome == Outcome::WrongCertificate {
        apart::put_chain_beside(&mut verdicts);
    }
    let mut ask_for = ask::merged(&verdicts);
    let outcome = outcome::with_findings(outcome, &verdicts);
    if matches!(outcome, Outcome::Inconclusive | Outcome::NoHandshake) {
        soften(&mut verdicts);
    }
    let is_found = verdicts.iter().any(|(_, it)| matches!(it, Verdict::Found(it) if it.severity != Severity::Note));
    if outcome != Outcome::Ok && !is_found && ask_for.is_empty() {
        ask_for.extend(ask::everything(case));
    }
    Judgement { outcome, verdicts, ask_for, beware: beware::of(case) }
}

/// Where neither a wrong certificate nor a failed handshake of the host was seen, what is inferred of it is no error
/// yet. What is proven stands: a server that answers 421 has refused the host.
fn soften(verdicts: &mut [(&'static Rule, Verdict)]) {
    for (_, verdict) in verdicts {
        if let Verdict::Found(finding) = verdict
            && finding.strength != Strength::Proven
        {
            finding.severity = finding.severity.max(Severity::Warning);
        }
    }
}

/// The version of the set of rules: it grows with every rule or changed verdict.
pub const VERSION: &str = "1";

/// Declares a rule. The doc comment is the rule's only documentation: `whycert explain` prints it.
macro_rules! declare_rule {
    ($(#[doc = $line:literal])+ $id:literal, $summary:literal, since $since:literal, cap $cap:literal, rank $rank:literal) => {
        $(#[doc = $line])+
        pub static RULE: crate::rules::Rule = crate::rules::Rule {
            id: $id,
            summary: $summary,
            docs: concat!($($line, "\n"),+),
            since: $since,
            cap: $cap,
            rank: $rank,
            check,
        };
    };
}
pub(crate) use declare_rule;

/// All rules, by id.
pub static RULES: &[&Rule] = &[
    &acme::staging_certificate::RULE,
    &apigw::a_record_static_ip::RULE,
    &apigw::acm_cert_not_covering::RULE,
    &apigw::alias_target_wrong::RULE,
    &apigw::cname_to_stage_url::RULE,
    &apigw::d_name_dangling::RULE,
    &apigw::d_name_not_configured::RULE,
    &apigw::edge_not_ready::RULE,
    &apigw::endpoint_type_migrated::RULE,
    &apigw::http_403_not_certificate::RULE,
    &apigw::mtls_client_cert::RULE,
    &apigw::nlb_in_front_of_endpoint::RULE,
    &apigw::private_dns_capture::RULE,
    &apigw::private_domain_no_association::RULE,
    &apigw::region_disagreement::RULE,
    &apigw::sni_required::RULE,
    &apigw::tls_policy_rejects::RULE,
    &appliance::factory_certificate::RULE,
    &cdn::origin_cert_exposed::RULE,
    &cert::expired::RULE,
    &cert::not_yet_valid::RULE,
    &cert::revoked_alert::RULE,
    &chain::incomplete::RULE,
    &chain::misordered_or_extra::RULE,
    &chain::private_ca::RULE,
    &chain::self_signed::RULE,
    &client::clock_wrong::RULE,
    &cloudfront::alternate_name_missing::RULE,
    &deploy::dual_cert_variant::RULE,
    &deploy::nodes_differ::RULE,
    &deploy::renewed_not_loaded::RULE,
    &dns::hijack_or_poisoning::RULE,
    &dns::https_rr_alt_endpoint::RULE,
    &dns::ipv6_differs::RULE,
    &dns::mixed_answer_set::RULE,
    &dns::recycled_cloud_ip::RULE,
    &dns::search_suffix_wildcard::RULE,
    &dns::split_horizon::RULE,
    &dns::stale_answer::RULE,
    &dns::wildcard_record::RULE,
    &ech::outer_name::RULE,
    &h2::connection_coalescing::RULE,
    &hosting::custom_domain_not_bound::RULE,
    &hosting::legacy_target::RULE,
    &hosting::stale_ip_record::RULE,
    &insufficient::no_certificate_seen::RULE,
    &insufficient::tls13_encrypted::RULE,
    &k8s::ingress_fake_certificate::RULE,
    &lb::default_certificate::RULE,
    &mail::shared_host_certificate::RULE,
    &r#match::cn_only::RULE,
    &r#match::idn::RULE,
    &r#match::ip_san_missing::RULE,
    &r#match::unsupported_wildcard::RULE,
    &r#match::wildcard_depth::RULE,
    &r#match::wildcard_not_apex::RULE,
    &r#match::www_apex::RULE,
    &mitm::local_antivirus::RULE,
    &mitm::tls_interception::RULE,
    &net::block_page::RULE,
    &net::captive_portal::RULE,
    &none::certificate_ok::RULE,
    &r#override::hosts_or_resolve::RULE,
    &panel::default_certificate::RULE,
    &proxy::tls_servername_leak::RULE,
    &server::rejects_sni::RULE,
    &sni::absent::RULE,
    &sni::differs_from_host::RULE,
    &sni::ip_literal_url::RULE,
    &sni::required::RULE,
    &sni::unrelated_to_dialed_host::RULE,
    &tls::client_certificate_required::RULE,
    &tls::parameters_refused::RULE,
    &tls::session_resumption::RULE,
    &tool::checked_the_target::RULE,
    &tool::no_servername::RULE,
    &traefik::default_certificate::RULE,
    &webserver::default_vhost::RULE,
];

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
