//! Causes that share a signature are told apart in both directions: a sample names the one and rules out
//! the other.

use std::collections::{BTreeMap, BTreeSet};

use whycert::rules::apart::{OVERRULED, PAIRS};

use crate::support::{files_below, text_of};

/// Pairs that the rules tell apart by what the case shows.
const BY_RULES: &[(&str, &str)] = &[
    ("apigw.a_record_static_ip", "apigw.alias_target_wrong"),
    ("apigw.a_record_static_ip", "apigw.cname_to_stage_url"),
    ("apigw.alias_target_wrong", "apigw.cname_to_stage_url"),
    ("apigw.cname_to_stage_url", "apigw.d_name_not_configured"),
    ("apigw.cname_to_stage_url", "apigw.private_dns_capture"),
    ("apigw.cname_to_stage_url", "apigw.region_disagreement"),
    ("apigw.cname_to_stage_url", "sni.absent"),
    ("apigw.d_name_not_configured", "apigw.private_dns_capture"),
    ("apigw.d_name_not_configured", "apigw.region_disagreement"),
    ("apigw.d_name_not_configured", "sni.absent"),
    ("cert.expired", "client.clock_wrong"),
    ("chain.incomplete", "mitm.tls_interception"),
];

/// Pairs of which only one direction can be shown, each with the reason.
const ONE_WAY: &[(&str, &str, &str)] = &[
    (
        "cloudfront.alternate_name_missing",
        "apigw.edge_not_ready",
        "a pending domain has no alternate name yet: both are found",
    ),
    (
        "net.captive_portal",
        "mitm.tls_interception",
        "an interceptor's certificate has the right names, a portal's has not",
    ),
    ("proxy.tls_servername_leak", "sni.unrelated_to_dialed_host", "the proxy is the more special form of the same"),
    ("ech.outer_name", "sni.unrelated_to_dialed_host", "the outer name is the more special form of the same"),
    (
        "dns.https_rr_alt_endpoint",
        "override.hosts_or_resolve",
        "an option beside an HTTPS record says nothing of the record",
    ),
];

#[test]
fn causes_that_share_a_signature_are_told_apart() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut clear: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files_below("samples") {
        if path.file_name().is_some_and(|name| name == "expected.verdicts") {
            for line in text_of(&path).lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                let case = format!("{} {}", path.display(), words[0]);
                match words[2] {
                    "found" => found.entry(words[1].to_owned()).or_default().insert(case),
                    "clear" => clear.entry(words[1].to_owned()).or_default().insert(case),
                    _ => false,
                };
            }
        }
    }
    let both = BY_RULES.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
    let rows = PAIRS.iter().chain(OVERRULED).map(|it| (it.found, it.other));
    let one_way = ONE_WAY.iter().map(|(one, other, _)| (*one, *other));
    let mut missing = Vec::new();
    for (one, other) in both.chain(rows).chain(one_way) {
        let told = found
            .get(one)
            .is_some_and(|cases| clear.get(other).is_some_and(|of| cases.intersection(of).next().is_some()));
        if !told {
            missing.push(format!("no sample finds {one} and rules out {other}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
