//! Where an HTTPS or SVCB record leads ([`Svcb`]), from its presentation form: the endpoint it names, the
//! addresses and the port it hints at, and the public name of its Encrypted ClientHello configuration.
//!
//! Follows RFC 9460 section 2 and, for `ech`, the ECHConfigList of RFC 9849 section 4. Both the
//! spelling of tools (`alpn="h2,h3"`) and values without quotes are read; what is not known is left.

use std::net::IpAddr;

use base64::Engine;
use nom::bytes::complete::take;
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u16};
use nom::{IResult, Parser};

use crate::name::Name;

/// An HTTPS or SVCB record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svcb {
    /// 0 is the alias form.
    pub priority: u16,
    /// The endpoint; `None` where it is the owner itself (`.`).
    pub target: Option<Name>,
    /// The port, where the record names one.
    pub port: Option<u16>,
    /// The addresses it hints at.
    pub hints: Vec<IpAddr>,
    /// The ECHConfigList in base64.
    pub ech: Option<String>,
}

impl Svcb {
    /// Reads the data of a record; `None` when it is not of this form.
    pub fn parse(data: &str) -> Option<Self> {
        let mut words = data.split_whitespace();
        let priority = words.next()?.parse().ok()?;
        let target = Some(words.next()?).filter(|target| *target != ".").and_then(Name::parse);
        let mut svcb = Self { priority, target, port: None, hints: Vec::new(), ech: None };
        for word in words {
            let Some((key, value)) = word.split_once('=') else { continue };
            let value = value.trim_matches('"');
            match key {
                "port" => svcb.port = value.parse().ok(),
                "ipv4hint" | "ipv6hint" => {
                    svcb.hints.extend(value.split(',').filter_map(|address| address.parse::<IpAddr>().ok()));
                }
                "ech" => svcb.ech = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(svcb)
    }

    /// The configurations of its `ech` parameter, as far as they are of the version of RFC 9849: each with
    /// its number and its public name.
    pub fn ech_configs(&self) -> Vec<(u8, Name)> {
        let decoded = self.ech.as_deref().and_then(|it| base64::engine::general_purpose::STANDARD.decode(it).ok());
        let bytes = decoded.unwrap_or_default();
        let Ok((_, mut list)) = length_data(be_u16::<&[u8], nom::error::Error<&[u8]>>).parse(&bytes) else {
            return Vec::new();
        };
        let mut configs = Vec::new();
        while let Ok((rest, (version, contents))) = ech_config(list) {
            list = rest;
            if version == ECH_VERSION
                && let Ok((_, (number, name))) = ech_contents(contents)
                && let Some(name) = std::str::from_utf8(name).ok().and_then(Name::parse)
            {
                configs.push((number, name));
            }
        }
        configs
    }

    /// The public name of the first configuration of its `ech` parameter.
    pub fn ech_public_name(&self) -> Option<Name> {
        self.ech_configs().into_iter().next().map(|(_, name)| name)
    }
}

/// ECHConfig: version, and what has a length before it.
fn ech_config(list: &[u8]) -> IResult<&[u8], (u16, &[u8])> {
    (be_u16, length_data(be_u16)).parse(list)
}

/// ECHConfigContents: HpkeKeyConfig (config id, KEM, public key, cipher suites); the maximum name length;
/// the public name.
fn ech_contents(contents: &[u8]) -> IResult<&[u8], (u8, &[u8])> {
    let (after, (number, ..)) =
        (be_u8, take(2_usize), length_data(be_u16), length_data(be_u16), be_u8).parse(contents)?;
    let (rest, name) = length_data(be_u8).parse(after)?;
    Ok((rest, (number, name)))
}

/// The one version of configurations that there is.
const ECH_VERSION: u16 = 0xfe0d;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_of_tools_are_read() {
        let spellings = [
            r#"1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1"#,
            "1 . alpn=h2,h3, port=8443 ipv4hint=192.0.2.1,192.0.2.2, ipv6hint=2001:db8::1,",
        ];
        for spelling in spellings {
            let it = Svcb::parse(spelling).unwrap();
            assert_eq!((it.priority, it.target.clone(), it.port), (1, None, Some(8443)), "{spelling}");
            assert_eq!(it.hints.len(), 3, "{spelling}");
        }
        let alias = Svcb::parse("0 svc.example.net.").unwrap();
        assert_eq!(alias.target, Name::parse("svc.example.net"));
        assert_eq!(Svcb::parse("words"), None);
    }

    #[test]
    fn the_public_name_of_a_configuration_is_found() {
        let mut config = vec![7, 0, 0x20, 0, 2, 1, 2, 0, 4, 0, 1, 0, 1, 0, 14];
        config.extend(b"public.example");
        let length = u8::try_from(config.len()).unwrap();
        let mut list = vec![0, length + 4, 0xfe, 0x0d, 0, length];
        list.extend(&config);
        let of = |bytes: &[u8]| {
            let ech = base64::engine::general_purpose::STANDARD.encode(bytes);
            Svcb::parse(&format!("1 . ech=\"{ech}\"")).unwrap().ech_public_name()
        };
        assert_eq!(of(&list), Name::parse("public.example"));
        for cut in 0..list.len() {
            assert_eq!(of(list.get(..cut).unwrap()), None, "cut at {cut}");
        }
        let unknown = [&[0xfe, 0x0a, 0, 3][..], &[1, 2, 3]].concat();
        let other = [&[0xfe, 0x0d, 0, length, 9][..], config.get(1..).unwrap()].concat();
        let body = [unknown, list.get(2..).unwrap().to_vec(), other].concat();
        let all = [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat();
        let ech = base64::engine::general_purpose::STANDARD.encode(all);
        let name = || Name::parse("public.example").unwrap();
        assert_eq!(Svcb::parse(&format!("1 . ech={ech}")).unwrap().ech_configs(), [(7, name()), (9, name())]);
    }
}
