//! The spellings of the IANA registry of DNS parameters: [`kind_name`] of a record type, [`rcode_name`] of a
//! response code.

use smol_str::{SmolStr, format_smolstr};

/// The IANA spelling of a type, `TYPEn` where it has none.
pub fn kind_name(kind: u16) -> SmolStr {
    let known = KINDS.iter().find(|(number, _)| *number == kind);
    known.map_or_else(|| format_smolstr!("TYPE{kind}"), |(_, name)| SmolStr::new_static(name))
}

/// The IANA spelling of a response code.
pub fn rcode_name(rcode: u16) -> SmolStr {
    RCODES.get(usize::from(rcode)).map_or_else(
        || match rcode {
            16 => SmolStr::new_static("BADVERS"),
            23 => SmolStr::new_static("BADCOOKIE"),
            _ => format_smolstr!("RCODE{rcode}"),
        },
        |name| SmolStr::new_static(name),
    )
}

const RCODES: &[&str] = &[
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
    "NOTZONE",
];
const KINDS: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (33, "SRV"),
    (35, "NAPTR"),
    (39, "DNAME"),
    (41, "OPT"),
    (43, "DS"),
    (44, "SSHFP"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (50, "NSEC3"),
    (52, "TLSA"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (257, "CAA"),
];
