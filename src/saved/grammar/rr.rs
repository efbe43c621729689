//! Resource records in presentation form (RFC 1035 section 5.1), as every DNS tool prints them.

use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::character::complete::space1;
use nom::combinator::{opt, rest, verify};
use nom::sequence::terminated;
use smol_str::SmolStr;

use super::address;
use crate::dns::{Record, Section, iana, wire};

/// Reads `owner. [ttl] [class] TYPE data`.
pub fn record(line: &str, section: Section) -> Option<Record> {
    let (_, (owner, _, ttl, class, kind, data)) =
        (word, space1, opt(terminated(ttl, space1)), opt(terminated(class, space1)), terminated(kind, space1), rest)
            .parse_complete(line.trim_end())
            .ok()?;
    let _: Option<&str> = class;
    let _: &str = data;
    let is_owner = owner.ends_with('.') || ttl.is_some() || class.is_some();
    let owner = address::owner(owner).filter(|_| is_owner && !owner.starts_with(';'))?;
    let data = match kind {
        "CNAME" | "DNAME" | "NS" | "PTR" => {
            format!("{}.", address::alias(data.split_whitespace().next()?)?)
        }
        "A" | "AAAA" => data.split_whitespace().next()?.parse::<std::net::IpAddr>().ok()?.to_string(),
        _ => data.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let (kind, data) = known_form(kind, &data).unwrap_or_else(|| (kind.into(), data.as_str().into()));
    Some(Record { section, owner, kind, ttl, data })
}

/// `TYPE65` is `HTTPS`: older tools print the number.
pub fn known_kind(kind: &str) -> SmolStr {
    let number = kind.strip_prefix("TYPE").and_then(|number| number.parse().ok());
    number.map_or_else(|| kind.into(), iana::kind_name)
}

/// `TYPE65 \# 41 0001…` (RFC 3597 section 5) in the presentation form of the type, where it has one.
fn known_form(kind: &str, data: &str) -> Option<(SmolStr, SmolStr)> {
    let number = kind.strip_prefix("TYPE")?.parse().ok()?;
    let (length, digits) = data.strip_prefix("\\# ")?.split_once(' ')?;
    let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let octets: Option<Vec<u8>> =
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok()).collect();
    let octets = octets.filter(|octets| length.parse() == Ok(octets.len()))?;
    Some((iana::kind_name(number), wire::data_text(number, &octets)?))
}

/// Whether a word is the name of a record type.
pub fn is_kind(word: &str) -> bool {
    KINDS.contains(&word) || word.strip_prefix("TYPE").is_some_and(|number| number.parse::<u16>().is_ok())
}

/// Whether a word is a time to live or a class.
pub fn is_ttl_or_class(word: &str) -> bool {
    CLASSES.contains(&word) || (word.starts_with(|c: char| c.is_ascii_digit()) && seconds(word).is_some())
}

type Result<'t, T> = nom::IResult<&'t str, T>;

fn word(input: &str) -> Result<'_, &str> {
    take_while1(|c: char| !c.is_whitespace()).parse_complete(input)
}

/// Seconds, or with units as `1d2h`.
fn ttl(input: &str) -> Result<'_, u32> {
    let (rest, word) =
        verify(word, |word: &str| word.starts_with(|c: char| c.is_ascii_digit())).parse_complete(input)?;
    match seconds(word) {
        Some(seconds) => Ok((rest, seconds)),
        None => Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Digit))),
    }
}

fn seconds(word: &str) -> Option<u32> {
    if let Ok(seconds) = word.parse() {
        return Some(seconds);
    }
    let (mut total, mut number) = (0_u32, 0_u32);
    for c in word.chars() {
        let unit = match c.to_ascii_lowercase() {
            'w' => 604_800,
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            digit => {
                number = number.checked_mul(10)?.checked_add(digit.to_digit(10)?)?;
                continue;
            }
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    (number == 0).then_some(total)
}

fn class(input: &str) -> Result<'_, &str> {
    verify(word, |word: &str| CLASSES.contains(&word)).parse_complete(input)
}

fn kind(input: &str) -> Result<'_, &str> {
    verify(word, |word: &str| is_kind(word)).parse_complete(input)
}

const CLASSES: [&str; 4] = ["IN", "CH", "HS", "CLASS1"];
const KINDS: &[&str] = &[
    "A", "AAAA", "CNAME", "DNAME", "NS", "SOA", "MX", "TXT", "PTR", "SRV", "CAA", "HTTPS", "SVCB", "DS", "DNSKEY",
    "NSEC", "NSEC3", "RRSIG", "TLSA", "NAPTR",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_move_and_records_stay() {
        for (line, expected) in [
            ("www.example.com.\t95\tIN\tCNAME\tabc123.x.com.", Some(("CNAME", Some(95), "abc123.x.com."))),
            ("d-abcde12345.x.com. 58 IN\tA 203.0.113.14", Some(("A", Some(58), "203.0.113.14"))),
            ("www.example.com. CNAME T.example.com.", Some(("CNAME", None, "t.example.com."))),
            ("www.example.com. 1h5m A 192.0.2.1", Some(("A", Some(3900), "192.0.2.1"))),
            (
                "svc.example.com. 300 IN TYPE65 \\# 41 00010000010006026832026833000400",
                Some(("TYPE65", Some(300), "\\# 41 00010000010006026832026833000400")),
            ),
            (
                "svc.example.com. 300 IN TYPE65 \\# 13 0001000001000602 6832026833",
                Some(("HTTPS", Some(300), "1 . alpn=\"h2,h3\"")),
            ),
            (";www.example.com. IN A", None),
            ("this is A sentence", None),
            ("www.example.com. A not-an-address", None),
        ] {
            let found = record(line, Section::Answer);
            let found = found.as_ref().map(|it| (it.kind.as_str(), it.ttl, it.data.as_str()));
            assert_eq!(found, expected, "{line}");
        }
    }
}
