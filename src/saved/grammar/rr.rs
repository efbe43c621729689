//! Resource records in presentation form (RFC 1035 section 5.1), as every DNS tool prints them.

use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::character::complete::space1;
use nom::combinator::{opt, rest, verify};
use nom::sequence::terminated;

use crate::dns::{Record, Section};
use crate::name::Name;

/// Reads `owner. [ttl] [class] TYPE data`.
pub fn record(line: &str, section: Section) -> Option<Record> {
    let (_, (owner, _, ttl, class, kind, data)) =
        (word, space1, opt(terminated(ttl, space1)), opt(terminated(class, space1)), terminated(kind, space1), rest)
            .parse_complete(line.trim_end())
            .ok()?;
    let _: Option<&str> = class;
    let _: &str = data;
    let is_owner = owner.ends_with('.') || ttl.is_some() || class.is_some();
    let owner = Name::parse(owner).filter(|_| is_owner && !owner.starts_with(';'))?;
    let data = match kind {
        "CNAME" | "DNAME" | "NS" | "PTR" => {
            format!("{}.", Name::parse(data.split_whitespace().next()?)?)
        }
        "A" | "AAAA" => data.split_whitespace().next()?.parse::<std::net::IpAddr>().ok()?.to_string(),
        _ => data.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    Some(Record { section, owner, kind: kind.into(), ttl, data: data.into() })
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
