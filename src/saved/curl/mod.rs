//! `curl` of 7.29 to 8.18: `-v`, `--trace`, `--trace-ascii`, `-i`, `-I`, `-w`, and the bare
//! `curl: (60)` line, in the words of OpenSSL, GnuTLS, NSS, Schannel, SecureTransport and rustls.
//!
//! With `-k` curl does not compare names, and what it says of trust counts for nothing. The server
//! name it sends is the host of the URL, never the Host header.

mod dump;
mod exchange;
mod handshake;
mod lines;
mod redirected;
mod verdict;
mod write_out;

use dump::Messages;
use lines::{Kind, Told};
use redirected::PROXY_OPTIONS;

use super::grammar::{address, words};
use super::{RunText, SavedFormat, Sink, command, unresolved};
use crate::evidence::{Fact, Run, ServerName};
use crate::name::Name;
use crate::x509::Certificate;

/// `curl`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "curl",
    made_by: "curl -v, curl --trace-ascii, curl -w '%{json}', curl",
    is_command: |words| words.first().is_some_and(|word| matches!(word.as_str(), "curl" | "curl.exe")),
    opens,
    repeats: false,
    read,
};

/// Lines that only curl prints. Redirected, the progress meter stands before the first of them.
fn opens(line: &str) -> bool {
    let one = [super::Line { text: line.to_owned(), ..super::Line::default() }];
    match lines::told(&one, false).first().map(|told| told.kind) {
        Some(Kind::Error(..)) => true,
        Some(Kind::Info(text)) => {
            text.starts_with("Trying ")
                || (text.starts_with("Connected to ") && text.contains(") port "))
                || text == "Server certificate:"
                || text.starts_with("About to connect() to ")
                || (text.starts_with("Host ") && text.ends_with(" was resolved."))
                || (text.starts_with("Added ") && text.ends_with(" to DNS cache"))
                || text.starts_with("Connecting to hostname: ")
                || text.starts_with("Uses proxy env variable ")
                || text.starts_with("Could not resolve host: ")
        }
        _ => write_out::is_json(line),
    }
}

/// What the command, or failing that the output, says was asked for.
struct Asked {
    shown: Option<String>,
    host: Option<Name>,
    port: u16,
    is_proxied: bool,
}

impl Asked {
    fn of(run: &RunText<'_>, told: &[Told<'_>]) -> Self {
        let is_proxied = command::value(&run.command, PROXY_OPTIONS).is_some();
        let mut asked = match url(&run.command) {
            Some((shown, host, port)) => Self { shown: Some(shown), host, port, is_proxied },
            None => Self { shown: None, host: None, port: 443, is_proxied },
        };
        asked.host = asked.host.or_else(|| host_told(told));
        asked
    }
}

/// `curl: (6) Could not resolve host: www.example.com`, which does not say whether there is no such name.
fn without_address(run: &RunText<'_>, told: &[Told<'_>], asked: &Asked, sink: &mut Sink) {
    let failed = told.iter().find_map(|line| match line.kind {
        Kind::Error("6", words) => Some((line.number, words)),
        _ => None,
    });
    let Some((number, words)) = failed else { return };
    let named =
        words.rsplit_once("resolve host: ").and_then(|(_, rest)| address::host(rest.split_whitespace().next()?));
    if let Some(host) = named.or_else(|| asked.host.clone()) {
        unresolved::observe(words, host, number, run, sink);
    }
}

fn url(words: &[String]) -> Option<(String, Option<Name>, u16)> {
    let mut skip = false;
    let mut plain: Vec<&String> = Vec::new();
    for word in words.iter().skip(1) {
        if std::mem::take(&mut skip) {
            continue;
        }
        skip = VALUED_OPTIONS.contains(&word.as_str());
        if !word.starts_with('-') {
            plain.push(word);
        }
    }
    let named = command::value(words, &["--url"]).map(str::to_owned);
    let text = named
        .or_else(|| plain.iter().find(|word| word.contains("://")).map(|word| (*word).clone()))
        .or_else(|| plain.iter().rfind(|word| word.contains('.')).map(|word| (*word).clone()))?;
    split_url(&text)
}

/// A URL without user, password and query; its host and port.
fn split_url(text: &str) -> Option<(String, Option<Name>, u16)> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let path = rest.strip_prefix(authority).unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, if scheme == "https" { 443 } else { 80 }),
    };
    Some((format!("{scheme}://{authority}{path}"), address::host(host), port))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let messages = Messages::of(run.lines);
    match dump::unfolded(run.lines) {
        Some(lines) => {
            sink.join(&lines);
            read_unfolded(&RunText { lines: &lines, ..run.clone() }, &messages, sink);
        }
        None => read_unfolded(run, &messages, sink),
    }
}

fn read_unfolded(run: &RunText<'_>, messages: &Messages, sink: &mut Sink) {
    let told = lines::told(run.lines, has_switch(&run.command, &["--include", "--head", "--show-headers"], "iI"));
    let mut asked = Asked::of(run, &told);
    let written = write_out::of(run).or_else(|| write_out::of_format(run, &asked));
    if asked.host.is_none()
        && let Some((shown, host, port)) = written.as_ref().and_then(|it| split_url(&it.url))
    {
        asked = Asked { shown: Some(shown), host, port, is_proxied: asked.is_proxied };
    }
    let is_without_name = told.iter().any(|it| matches!(it.kind, Kind::Info(text) if text.contains("disables SNI")));
    let server_name = match &asked.host {
        _ if messages.server_name.is_some() => messages.server_name.clone().map_or(ServerName::Unknown, |it| it.0),
        _ if is_without_name => ServerName::No,
        Some(host) if host.ip().is_some() => ServerName::No,
        // Without the URL a request that no TLS goes before is one without TLS.
        Some(_) if asked.shown.is_none() && is_plain(&told) => ServerName::Unknown,
        Some(host) => ServerName::Yes(host.to_string()),
        None => ServerName::Unknown,
    };
    sink.observe(
        Fact::Run(Run {
            run: run.number,
            tool: "curl".to_owned(),
            version: run.version.clone().or_else(|| version_told(&told)),
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: None,
            host: asked.host.clone(),
            server_name,
        }),
        std::iter::once(run.first_line()).chain(messages.server_name.iter().flat_map(|it| it.1.clone())),
    );
    without_address(run, &told, &asked, sink);
    redirected::observe(run, &told, &asked, sink);
    let proxy = redirected::tls_proxy(run, &told).filter(|_| has_tls_before_tunnel(&told));
    let (of_proxy, rest) = told.split_at(proxy.as_ref().map_or(0, |_| tunnel_at(&told)));
    if let Some((name, port)) = &proxy {
        handshake::observe_proxy(run, of_proxy, (name, *port), sink);
        verdict::observe(run, of_proxy, Some(name), sink);
    }
    match &written {
        Some(it) if told.is_empty() => write_out::observe(it, run, asked.host.as_ref(), sink),
        _ => handshake::observe(run, rest, (&asked, messages), sink),
    }
    verdict::observe(run, rest, asked.host.as_ref(), sink);
    exchange::observe(run, &told, &asked, sink);
}

/// Where the telling of the tunnel begins, or its end where there is none: what stands before is the proxy's.
fn tunnel_at(told: &[Told<'_>]) -> usize {
    let is_tunnel = |line: &Told<'_>| match line.kind {
        Kind::Info(text) => text.contains("tunnel to ") || text.starts_with("CONNECT tunnel"),
        Kind::Sent(text) => text.starts_with("CONNECT "),
        _ => false,
    };
    told.iter().position(is_tunnel).unwrap_or(told.len())
}

/// Whether something of TLS is told before the tunnel.
fn has_tls_before_tunnel(told: &[Told<'_>]) -> bool {
    let before = told.get(..tunnel_at(told)).unwrap_or_default();
    before.iter().any(|line| {
        matches!(line.kind, Kind::Info(text)
            if text.contains("TLS handshake") || text.starts_with("SSL connection using") || text == "Proxy certificate:")
    })
}

/// Whether a request was sent and nothing is told of TLS.
fn is_plain(told: &[Told<'_>]) -> bool {
    let is_of_tls = |text: &str| ["TLS", "SSL", "ALPN", "schannel", "CAfile"].iter().any(|word| text.contains(word));
    told.iter().any(|line| matches!(line.kind, Kind::Sent(_)))
        && !told.iter().any(|line| matches!(line.kind, Kind::Info(text) if is_of_tls(text)))
}

/// Whether a long option stands in the command, or one of the letters in a bundle of short ones.
fn has_switch(words: &[String], long: &[&str], short: &str) -> bool {
    words.iter().skip(1).any(|word| {
        long.contains(&word.as_str())
            || word.strip_prefix('-').is_some_and(|bundle| {
                let flags = bundle.chars().take_while(|c| BARE_SWITCHES.contains(*c));
                !bundle.starts_with('-') && flags.into_iter().any(|c| short.contains(c))
            })
    })
}

/// `> User-Agent: curl/8.5.0`.
fn version_told(told: &[Told<'_>]) -> Option<String> {
    told.iter().find_map(|line| match line.kind {
        Kind::Sent(text) => {
            let (name, value) = text.split_once(": ")?;
            let version = value.trim().strip_prefix("curl/")?;
            name.eq_ignore_ascii_case("user-agent").then(|| format!("curl {version}"))
        }
        _ => None,
    })
}

fn host_told(told: &[Told<'_>]) -> Option<Name> {
    let infos = || told.iter().filter_map(|line| if let Kind::Info(text) = line.kind { Some(text) } else { None });
    let is_redirected = infos().any(|text| text.starts_with("Connecting to hostname: "));
    let tunnelled = infos().find_map(|text| {
        let (_, rest) = text.split_once("tunnel to ")?;
        address::host(rest.rsplit_once(':').map_or(rest, |(host, _)| host).trim_matches(['[', ']', '.']))
    });
    let is_proxied = tunnelled.is_some() || infos().any(|text| text.starts_with("Uses proxy env variable "));
    let added = || infos().find_map(|text| address::host(text.strip_prefix("Added ")?.split(':').next()?));
    let connected = || {
        infos().filter(|_| !is_redirected && !is_proxied).find_map(|text| {
            let host = text.strip_prefix("Connected to ").or_else(|| text.strip_prefix("Established connection to "));
            let resolved = text
                .strip_prefix("Host ")
                .and_then(|rest| rest.strip_suffix(" was resolved."))
                .and_then(|it| it.rsplit_once(':'))
                .map(|it| it.0);
            let about = text.strip_prefix("About to connect() to ");
            let unresolved = text.strip_prefix("Could not resolve host: ");
            let refused = text.strip_prefix("Failed to connect to ");
            let host = host.or(about).or(unresolved).or(refused).and_then(|rest| rest.split([' ', ';']).next());
            host.or(resolved).filter(|host| *host != "(nil)").and_then(address::host)
        })
    };
    let said = || {
        told.iter().find_map(|line| match line.kind {
            Kind::Info(text) | Kind::Error(_, text) => words::said(text)?.host,
            _ => None,
        })
    };
    let asked = || {
        told.iter().find_map(|line| match line.kind {
            Kind::Sent(text) => header(text, "host").and_then(|host| address::host(host.split(':').next()?)),
            _ => None,
        })
    };
    tunnelled.or_else(added).or_else(connected).or_else(said).or_else(asked)
}

/// The value of a header line.
fn header<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (found, value) = text.split_once(':')?;
    found.eq_ignore_ascii_case(name).then(|| value.trim())
}

/// A certificate known from text only, with nothing known of it yet.
fn certificate(local_id: String, run: u32) -> Certificate {
    Certificate {
        sha256: None,
        local_id: Some(local_id),
        subject: None,
        issuer: None,
        san: None,
        not_before: None,
        not_after: None,
        serial: None,
        run: Some(run),
        der: None,
    }
}

/// Options whose value is not the URL.
const VALUED_OPTIONS: &[&str] = &[
    "-H",
    "--header",
    "-o",
    "--output",
    "-w",
    "--write-out",
    "-x",
    "--proxy",
    "-A",
    "--user-agent",
    "-e",
    "--referer",
    "-b",
    "--cookie",
    "-c",
    "--cookie-jar",
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "-u",
    "--user",
    "-X",
    "--request",
    "--resolve",
    "--connect-to",
    "--cacert",
    "--capath",
    "--cert",
    "-E",
    "--key",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--interface",
    "--trace",
    "--trace-ascii",
    "-K",
    "--config",
    "--url",
    "--tls-max",
    "--ciphers",
    "--noproxy",
    "--retry",
    "-F",
    "--form",
    "-T",
    "--upload-file",
    "--dns-servers",
    "--doh-url",
    "--socks5",
    "--socks5-hostname",
    "--socks4",
    "--socks4a",
    "--preproxy",
    "--stderr",
    "-D",
    "--dump-header",
];
/// Short options without a value, which can stand together behind one dash.
const BARE_SWITCHES: &str = "vVskIiLfSg46GNnOJjqpRBa0123#l";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_give_their_host_and_keep_no_secret() {
        for (command, shown, host, port) in [
            (
                "curl -v https://www.example.com/prod?X-Amz-Signature=1",
                "https://www.example.com/prod",
                "www.example.com",
                443,
            ),
            (
                "curl -H 'Host: x.example.com' https://u:p@a.example.com:8443/",
                "https://a.example.com:8443/",
                "a.example.com",
                8443,
            ),
            ("curl -o out.html www.example.com", "http://www.example.com", "www.example.com", 80),
            (
                "curl -x http://proxy.example.com:3128 https://www.example.com",
                "https://www.example.com",
                "www.example.com",
                443,
            ),
            ("curl https://[2001:db8::1]/", "https://[2001:db8::1]/", "2001:db8::1", 443),
        ] {
            let words = shlex::split(command).unwrap();
            assert_eq!(url(&words), Some((shown.to_owned(), Name::parse(host), port)), "{command}");
        }
    }

    #[test]
    fn switches_are_found_in_bundles_and_not_in_values() {
        for (command, expected) in [
            ("curl -skv https://a", true),
            ("curl --insecure https://a", true),
            ("curl -okay https://a", false),
            ("curl -H k https://a", false),
        ] {
            let words = shlex::split(command).unwrap();
            assert_eq!(has_switch(&words, &["--insecure"], "k"), expected, "{command}");
        }
    }
}
