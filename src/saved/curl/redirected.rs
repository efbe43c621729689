//! What sends curl elsewhere than the DNS would: `--resolve`, `--connect-to`, proxies, a Host header of its own.

use std::net::SocketAddr;

use super::lines::{Kind, Told};
use super::{Asked, header, split_url};
use crate::evidence::{Fact, Override, OverrideKind};
use crate::name::Name;
use crate::saved::grammar::address;
use crate::saved::{RunText, Sink, command};

/// Adds each, once.
pub(super) fn observe(run: &RunText<'_>, told: &[Told<'_>], asked: &Asked, sink: &mut Sink) {
    let mut found: Vec<(u32, Override)> = Vec::new();
    let mut add = |line: u32, by: OverrideKind, host: Option<Name>, to: Option<String>| {
        let it = Override { by, host, to, run: Some(run.number) };
        if !found.iter().any(|(_, known)| known.by == it.by && known.host == it.host) {
            found.push((line, it));
        }
    };
    let first = run.first_line();
    for pair in run.command.windows(2) {
        let [option, value] = pair else { continue };
        match option.as_str() {
            "--resolve" => {
                let (host, to) = resolved(value);
                add(first, OverrideKind::Resolve, host, to);
            }
            "--connect-to" => {
                let parts = colon_parts(value);
                let host = parts.first().and_then(|host| address::host(host)).or_else(|| asked.host.clone());
                let to = parts.get(2).filter(|to| !to.is_empty()).map(|to| (*to).to_owned());
                add(first, OverrideKind::ConnectTo, host, to);
            }
            "-H" | "--header" => {
                let host = header(value, "host").and_then(|host| address::host(host.split(':').next()?));
                if host.is_some() && host != asked.host {
                    add(first, OverrideKind::HostHeader, host, asked.host.as_ref().map(ToString::to_string));
                }
            }
            option if PROXY_OPTIONS.contains(&option) => {
                let to = split_url(value).map(|(shown, ..)| shown);
                add(first, OverrideKind::Proxy, asked.host.clone(), to);
            }
            _ => {}
        }
    }
    for line in told {
        let Kind::Info(text) = line.kind else { continue };
        if let Some(added) = text.strip_prefix("Added ").and_then(|rest| rest.strip_suffix(" to DNS cache")) {
            let (host, to) = resolved(added);
            add(line.number, OverrideKind::Resolve, host, to);
        } else if let Some(to) = text.strip_prefix("Connecting to hostname: ") {
            add(line.number, OverrideKind::ConnectTo, asked.host.clone(), Some(to.to_owned()));
        } else if let Some((_, to)) = text.strip_prefix("Uses proxy env variable ").and_then(|it| it.split_once("== "))
        {
            let to = split_url(to.trim_matches('\'')).map(|(shown, ..)| shown);
            add(line.number, OverrideKind::Proxy, asked.host.clone(), to);
        } else if text.contains("tunnel to ") {
            add(line.number, OverrideKind::Proxy, asked.host.clone(), None);
        }
    }
    for (line, it) in found {
        sink.observe(Fact::Override(it), [line]);
    }
}

/// The address that `--resolve` gives for the host that was asked for, where the output does not show one: the
/// only one that it gives.
pub(super) fn forced(run: &RunText<'_>, asked: &Asked) -> Option<SocketAddr> {
    let pairs = run.command.windows(2).filter_map(|pair| match pair {
        [option, value] if option == "--resolve" => Some(resolved(value)),
        _ => None,
    });
    let of_host: Vec<String> = pairs.filter(|(host, _)| *host == asked.host).filter_map(|(_, to)| to).collect();
    let [only] = of_host.as_slice() else { return None };
    Some(SocketAddr::new(only.parse().ok()?, asked.port))
}

/// The proxy that speaks TLS itself, with its port, where the command or the environment names one.
pub(super) fn tls_proxy(run: &RunText<'_>, told: &[Told<'_>]) -> Option<(Name, u16)> {
    let from_environment = told.iter().find_map(|line| match line.kind {
        Kind::Info(text) => {
            Some(text.strip_prefix("Uses proxy env variable ")?.split_once("== ")?.1.trim_matches('\''))
        }
        _ => None,
    });
    let url =
        command::value(&run.command, PROXY_OPTIONS).or(from_environment).filter(|it| it.starts_with("https://"))?;
    let (_, host, port) = split_url(url)?;
    Some((host?, port))
}

/// `HOST:PORT:ADDRESS` of `--resolve`; a plus sign before it lets the entry time out.
fn resolved(value: &str) -> (Option<Name>, Option<String>) {
    let mut parts = value.trim_start_matches('+').splitn(3, ':');
    let host = parts.next().and_then(address::host);
    (host, parts.nth(1).map(|to| to.trim_matches(['[', ']']).to_owned()))
}

/// Parts between colons; those within square brackets do not count.
fn colon_parts(value: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    value
        .split(|c: char| {
            match c {
                '[' => depth = depth.saturating_add(1),
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ':' && depth == 0
        })
        .map(|part| part.trim_matches(['[', ']']))
        .collect()
}

/// Options that name a proxy.
pub(super) const PROXY_OPTIONS: &[&str] =
    &["-x", "--proxy", "--preproxy", "--socks5", "--socks5-hostname", "--socks4", "--socks4a", "--proxy1.0"];
