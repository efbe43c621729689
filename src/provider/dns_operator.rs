//! Who answers for a zone, by the names of its name servers ([`of`]): a table of suffixes.
//!
//! Source: each operator's own documentation of its name servers.

use crate::name::Name;

/// An operator of DNS zones.
#[derive(Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its name.
    pub name: &'static str,
    /// What the records are edited in.
    pub console: &'static str,
    /// How its name servers are called: a suffix, or a label's beginning where suffixes vary.
    marks: &'static [&'static str],
    /// Name servers that are its own, and of others that only look so; held by a test.
    examples: (&'static str, &'static str),
}

/// The operator of a name server.
pub fn of(server: &Name) -> Option<&'static Operator> {
    let dotted = format!(".{}.", server.as_str());
    let fits = |mark: &&str| {
        let is_whole_suffix = mark.matches('.').count() > 2;
        if is_whole_suffix { dotted.ends_with(*mark) } else { dotted.contains(*mark) }
    };
    OPERATORS.iter().find(|operator| operator.marks.iter().any(fits))
}

/// Whether the records are edited in Route 53.
pub fn is_route53(operator: &Operator) -> bool {
    operator.name == "Amazon Route 53"
}

const fn row(
    name: &'static str,
    console: &'static str,
    marks: &'static [&'static str],
    examples: (&'static str, &'static str),
) -> Operator {
    Operator { name, console, marks, examples }
}

static OPERATORS: &[Operator] = &[
    row("Amazon Route 53", "Route 53 console, Hosted zones", &[".awsdns-"], ("ns-421.awsdns-52.com", "awsdns.example")),
    row(
        "Cloudflare",
        "Cloudflare dashboard, DNS, Records",
        &[".ns.cloudflare.com."],
        ("ada.ns.cloudflare.com", "cloudflare.com.example.org"),
    ),
    row(
        "GoDaddy",
        "GoDaddy, Domain Portfolio, DNS",
        &[".domaincontrol.com."],
        ("ns01.domaincontrol.com", "domaincontrol.com.example"),
    ),
    row(
        "Google Cloud DNS",
        "Google Cloud console, Cloud DNS",
        &[".googledomains.com."],
        ("ns-cloud-a1.googledomains.com", "googledomains.example"),
    ),
    row(
        "Azure DNS",
        "Azure portal, DNS zones",
        &[".azure-dns.com.", ".azure-dns.net.", ".azure-dns.org.", ".azure-dns.info."],
        ("ns1-01.azure-dns.com", "azure-dns.example"),
    ),
    row(
        "Namecheap",
        "Namecheap, Domain List, Advanced DNS",
        &[".registrar-servers.com."],
        ("dns1.registrar-servers.com", "registrar-servers.example"),
    ),
    row(
        "IONOS",
        "IONOS, Domains & SSL, DNS",
        &[".ui-dns.com.", ".ui-dns.org.", ".ui-dns.de.", ".ui-dns.biz."],
        ("ns1045.ui-dns.com", "ui-dns.example"),
    ),
    row("NS1", "NS1 portal, Zones", &[".nsone.net."], ("dns1.p01.nsone.net", "nsone.example")),
    row(
        "DNSimple",
        "DNSimple, DNS",
        &[".dnsimple.com.", ".dnsimple-edge.net."],
        ("ns1.dnsimple.com", "dnsimple.example"),
    ),
    row(
        "DNS Made Easy",
        "DNS Made Easy, Managed DNS",
        &[".dnsmadeeasy.com."],
        ("ns10.dnsmadeeasy.com", "dnsmadeeasy.example"),
    ),
    row("Akamai Edge DNS", "Akamai Control Center, Edge DNS", &[".akam.net."], ("a1-64.akam.net", "akam.example")),
    row(
        "Vercara UltraDNS",
        "UltraDNS portal",
        &[".ultradns.net.", ".ultradns.com.", ".ultradns.org.", ".ultradns.biz.", ".ultradns.info."],
        ("pdns1.ultradns.net", "notultradns.net"),
    ),
    row("Oracle Dyn", "Dyn portal", &[".dynect.net."], ("ns1.p01.dynect.net", "dynect.example")),
    row(
        "DigitalOcean",
        "DigitalOcean, Networking, Domains",
        &[".digitalocean.com."],
        ("ns1.digitalocean.com", "digitalocean.example"),
    ),
    row("Linode", "Akamai Cloud Manager, Domains", &[".linode.com."], ("ns1.linode.com", "linode.example")),
    row(
        "Hetzner",
        "Hetzner console, DNS",
        &[".ns.hetzner.com.", ".ns.hetzner.de.", ".first-ns.de.", ".second-ns.com."],
        ("hydrogen.ns.hetzner.com", "hetzner.example"),
    ),
    row("OVHcloud", "OVHcloud, Domain names, DNS zone", &[".ovh.net.", ".ovh.ca."], ("dns10.ovh.net", "ovh.example")),
    row("Gandi", "Gandi, Domain, DNS records", &[".gandi.net."], ("ns-123-a.gandi.net", "gandi.example")),
    row(
        "Squarespace",
        "Squarespace, Domains, DNS settings",
        &[".squarespacedns.com."],
        ("dns1.squarespacedns.com", "squarespacedns.example"),
    ),
    row("Wix", "Wix, Domains, DNS records", &[".wixdns.net."], ("ns0.wixdns.net", "wixdns.example")),
    row(
        "Network Solutions",
        "Network Solutions, Advanced DNS",
        &[".worldnic.com."],
        ("ns1.worldnic.com", "worldnic.example"),
    ),
    row("Enom", "Enom, Host records", &[".name-services.com."], ("dns1.name-services.com", "name-services.example")),
    row("Vercel", "Vercel dashboard, Domains", &[".vercel-dns.com."], ("ns1.vercel-dns.com", "vercel-dns.example")),
    row(
        "Alibaba Cloud DNS",
        "Alibaba Cloud DNS console",
        &[".alidns.com.", ".hichina.com."],
        ("ns1.alidns.com", "alidns.example"),
    ),
    row("DNSPod", "DNSPod console", &[".dnspod.net.", ".dnspod.com."], ("f1g1ns1.dnspod.net", "dnspod.example")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_knows_its_servers() {
        for operator in OPERATORS {
            let (own, other) = operator.examples;
            assert_eq!(of(&Name::parse(own).unwrap()), Some(operator), "{own}");
            assert_ne!(of(&Name::parse(other).unwrap()), Some(operator), "{other}");
        }
    }
}
