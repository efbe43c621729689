//! Headlines about captures that nobody here made: none whose report a person has not read.
//!
//! The captures lie beside the checkout (`../shared/corpus`); without them this test is skipped, and says
//! so in [`crate::corpus`].

use std::collections::BTreeSet;

use rayon::prelude::*;
use whycert::analyze;

use crate::corpus::corpus;

/// What is said, with more than a suspicion, of which host: the end of the capture's path, the host, the rule.
const HEADLINES: &[(&str, &str, &str)] = &[
    ("/IgmpPackets.pcap", "chmuthu-w7-tst3", "match.cn_only"),
    ("/PcapExamples/example.pcap", "s-static.ak.facebook.com", "match.cn_only"),
    ("/captures/capture.pcap", "example.ulfheim.net", "match.cn_only"),
    ("/certificate-with-sct.pcap", "www.lilawelt.net", "match.www_apex"),
    ("/default/pcap/http_ipv6.pcap", "www.ntop.org", "server.rejects_sni"),
    ("/default/pcap/rdp.pcap", "192.168.2.142", "match.ip_san_missing"),
    ("/default/pcap/sites.pcapng", "732231.ms.ok.ru", "chain.incomplete"),
    ("/default/pcap/smtp-starttls.pcap", "dovecot.weberlab.de", "mail.shared_host_certificate"),
    ("/default/pcap/sonos.pcapng", "192.168.1.70", "match.ip_san_missing"),
    ("/default/pcap/ssl-cert-name-mismatch.pcap", "wrong.host.badssl.com", "match.wildcard_depth"),
    ("/faketls_potatovpn.pcap", "www.google.com", "cert.expired"),
    ("/faketls_potatovpn.pcap", "www.instagram.com", "cert.expired"),
    ("/http2-16-ssl.pcapng", "localhost", "match.cn_only"),
    // No name was sent; the address is that of the request's :authority.
    ("/http2-brotli.pcapng", "192.168.122.33", "match.ip_san_missing"),
    ("/http2-brotli.pcapng", "192.168.122.33", "sni.ip_literal_url"),
    ("nfstream/tests/pcaps/rdp.pcap", "192.168.2.142", "match.ip_san_missing"),
    // Cisco's filter, which is the network's interceptor too.
    ("/quic_reordered_frames.pcap", "ext.surfshark.com", "mitm.tls_interception"),
    ("/quic_reordered_frames.pcap", "ext.surfshark.com", "net.block_page"),
    ("/rdp-to-ssl.pcap", "192.168.1.150", "match.ip_san_missing"),
    ("/tls-fragmented-handshake.pcap.gz", "104.236.167.107", "match.ip_san_missing"),
    ("/tls12-chacha20poly1305.pcap", "10.42.0.243", "match.ip_san_missing"),
    ("/tls13draft16-chrome55.0.2879.0-canary-aborted.pcap", "tls13.crypto.mozilla.org", "tls.parameters_refused"),
    ("/tls13draft16-ff52.a01-aborted.pcap", "tls13.crypto.mozilla.org", "tls.parameters_refused"),
];

#[test]
fn headlines_about_captures_of_others_were_read_by_a_person() {
    let Some(corpus) = corpus() else {
        return;
    };
    let index = std::fs::read_to_string(corpus.join("INDEX.tsv")).unwrap();
    let paths: Vec<&str> = index.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let said: BTreeSet<(String, String, &str)> =
        paths.par_iter().flat_map_iter(|path| headlines(&corpus, path)).collect();
    let is_known = |(path, host, rule): &(String, String, &str)| {
        HEADLINES.iter().any(|known| path.ends_with(known.0) && host == known.1 && *rule == known.2)
    };
    let news: Vec<_> = said.iter().filter(|it| !is_known(it)).collect();
    assert!(news.is_empty(), "read these reports beside their packets, then list them or mend the rule: {news:#?}");
    for known in HEADLINES {
        let is_said = said.iter().any(|it| it.0.ends_with(known.0) && it.1 == known.1 && it.2 == known.2);
        assert!(is_said, "no longer said: {known:?}");
    }
}

fn headlines(corpus: &std::path::Path, path: &str) -> Vec<(String, String, &'static str)> {
    let file = corpus.join("captures").join(path);
    let report = analyze::diagnose(&analyze::gather(&[file], &analyze::Options::default()).evidence, &[]);
    let firm = |finding: &whycert::report::FindingEntry| {
        finding.severity != whycert::rules::Severity::Note && finding.strength <= whycert::rules::Strength::Strong
    };
    let cases = report.cases.into_iter();
    let found = cases.flat_map(|case| {
        let host = case.host.unwrap_or_default();
        case.findings.into_iter().filter(firm).map(move |finding| (host.clone(), finding.rule)).collect::<Vec<_>>()
    });
    found.map(|(host, rule)| (path.to_owned(), host, rule)).collect()
}
