//! Causes that lie in something that ends TLS between client and server, and how its certificates are
//! known.

pub mod local_antivirus;
pub mod tls_interception;

use std::collections::BTreeSet;

use crate::case::{Case, Connection, Leaf};
use crate::provenance::SourceId;
use crate::x509::roots;

/// Whether the chain as it was sent leads, by names, to a root that Mozilla's programme trusts, or to an
/// organisation that runs one.
fn is_public(connection: &Connection<'_>, leaf: &Leaf<'_>) -> bool {
    let roots = roots::embedded();
    let chain = connection.chain.iter().chain(std::iter::once(leaf));
    chain
        .filter_map(|it| it.certificate.issuer.as_deref())
        .any(|issuer| !roots.named(issuer).is_empty() || roots::runs_a_root(issuer) || vendor(FORMER, issuer).is_some())
}

/// The vendor that a distinguished name belongs to.
fn vendor(table: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    table.iter().find(|(words, _)| lower.contains(words)).map(|(_, vendor)| *vendor)
}

/// The issuer of a certificate, for people.
fn issuer(leaf: &Leaf<'_>) -> String {
    leaf.certificate.issuer.clone().unwrap_or_else(|| "an unnamed issuer".to_owned())
}

/// A handshake for the same host, of another source, whose chain is a public one.
fn public_elsewhere<'c, 'e>(case: &'c Case<'e>, than: &Connection<'_>) -> Option<(&'c Connection<'e>, &'c Leaf<'e>)> {
    let mut chains: BTreeSet<(SourceId, &[String])> = BTreeSet::new();
    let others = case.distinct().filter(|it| it.id != than.id && chains.insert((it.source, &it.handshake.chain)));
    others.into_iter().find_map(|it| it.leaf().filter(|leaf| is_public(it, leaf)).map(|leaf| (it, leaf)))
}

/// Public authorities that Mozilla's programme had and has no more, as old captures show them.
const FORMER: &[(&str, &str)] = &[
    ("o=geotrust inc.", "GeoTrust"),
    ("o=symantec corporation", "Symantec"),
    ("verisign", "VeriSign"),
    ("o=thawte", "thawte"),
    ("o=equifax", "Equifax"),
    ("cn=rapidssl", "RapidSSL"),
    ("comodo", "Comodo"),
    ("addtrust", "AddTrust"),
    ("the usertrust network", "USERTRUST"),
    ("startcom", "StartCom"),
    ("wosign", "WoSign"),
    ("o=cnnic", "CNNIC"),
    ("entrust.net", "Entrust"),
    ("gte cybertrust", "GTE CyberTrust"),
    ("cybertrust", "Cybertrust"),
    ("o=baltimore", "Baltimore"),
    ("o=digital signature trust", "DST"),
    ("o=rsa data security", "RSA Data Security"),
    ("o=let's encrypt", "Let's Encrypt"),
    ("o=zerossl", "ZeroSSL"),
    ("o=gandi", "Gandi"),
    ("o=terena", "TERENA"),
    ("o=geant", "GEANT"),
    ("o=cpanel", "cPanel"),
    ("o=trustasia", "TrustAsia"),
    ("o=alphassl", "AlphaSSL"),
    ("o=globalsign", "GlobalSign"),
    ("o=network solutions", "Network Solutions"),
    ("o=trustwave", "Trustwave"),
    ("o=google inc", "Google"),
    ("o=microsoft", "Microsoft"),
    ("o=apple inc", "Apple"),
];

/// Products that inspect TLS on the path, by words of their issuers' names.
const INSPECTORS: &[(&str, &str)] = &[
    ("zscaler", "Zscaler"),
    ("netskope", "Netskope"),
    ("fortinet", "Fortinet"),
    ("fortigate", "Fortinet"),
    ("palo alto networks", "Palo Alto Networks"),
    ("blue coat", "Blue Coat"),
    ("bluecoat", "Blue Coat"),
    ("forcepoint", "Forcepoint"),
    ("websense", "Forcepoint"),
    ("cisco umbrella", "Cisco Umbrella"),
    ("mcafee web gateway", "McAfee Web Gateway"),
    ("skyhigh", "Skyhigh Security"),
    ("check point", "Check Point"),
    ("sophos ssl ca", "Sophos"),
    ("sophos web appliance", "Sophos"),
    ("sonicwall firewall dpi-ssl", "SonicWall"),
    ("watchguard", "WatchGuard"),
    ("barracuda", "Barracuda"),
    ("untangle", "Untangle"),
    ("contentkeeper", "ContentKeeper"),
    ("smoothwall", "Smoothwall"),
    ("securly", "Securly"),
    ("iboss", "iboss"),
    ("goguardian", "GoGuardian"),
    ("gateway ca - cloudflare", "Cloudflare Gateway"),
    ("cloudflare for teams", "Cloudflare Gateway"),
    ("mitmproxy", "mitmproxy"),
    ("charles proxy", "Charles Proxy"),
    ("fiddler", "Fiddler"),
    ("do_not_trust_fiddlerroot", "Fiddler"),
    ("burp suite", "Burp Suite"),
    ("portswigger", "Burp Suite"),
    ("squid", "Squid"),
    ("superfish", "Superfish"),
    ("privdog", "PrivDog"),
    ("edellroot", "eDellRoot"),
    ("qaznet trust network", "a state's interception (Qaznet Trust Network)"),
    ("gogo inflight", "Gogo in-flight access"),
    ("ssl inspection", "by its name"),
    ("tls inspection", "by its name"),
    ("web inspection", "by its name"),
    ("https inspection", "by its name"),
    ("ssl interception", "by its name"),
    ("tls interception", "by its name"),
    ("ssl decrypt", "by its name"),
    ("tls decrypt", "by its name"),
];

/// Products that inspect TLS on the client's own machine.
const ANTIVIRUS: &[(&str, &str)] = &[
    ("eset ssl filter", "ESET"),
    ("kaspersky anti-virus personal root", "Kaspersky"),
    ("kaspersky web anti-virus", "Kaspersky"),
    ("avast! web/mail shield", "Avast"),
    ("avast web/mail shield", "Avast"),
    ("avg web/mail shield", "AVG"),
    ("bitdefender personal ca", "Bitdefender"),
    ("bitdefender ca ssl", "Bitdefender"),
    ("dr.web sslnetfilter", "Dr.Web"),
    ("bullguard ssl proxy", "BullGuard"),
    ("adguard personal ca", "AdGuard"),
    ("norton web/mail shield", "Norton"),
];
