//! Commands speak to the port, and in the protocol, in which the host was seen: [`put_right`]. Rules write
//! them for HTTPS.

use std::collections::BTreeSet;

use super::{Rule, Verdict};
use crate::case::Case;
use crate::evidence::{ClientVerdict, Run};
use crate::name::Name;
use crate::tls::Handshake;

/// Puts the commands of all verdicts right, where every handshake of the host went to one other port, and every
/// command and client that names one names the same.
pub(super) fn put_right(case: &Case<'_>, verdicts: &mut [(&'static Rule, Verdict)]) {
    let Some((host, (port, starttls))) = case.host.as_ref().and_then(|host| Some((host, seen(case, host)?))) else {
        return;
    };
    for (_, verdict) in verdicts {
        match verdict {
            Verdict::Found(finding) => {
                for text in [&mut finding.remedy, &mut finding.verify] {
                    *text = at(text, host, port, starttls);
                }
            }
            Verdict::Unknown { ask, .. } => *ask = at(ask, host, port, starttls),
            Verdict::Clear { .. } | Verdict::NotApplicable => {}
        }
    }
}

/// The port that the server of a connection listens on; behind a proxy that of HTTPS.
pub(super) fn listened(handshake: &Handshake) -> u16 {
    let direct = handshake.server.filter(|_| handshake.proxy_host.is_none()).map(|server| server.port());
    direct.filter(|port| !PROXIES.contains(port)).unwrap_or(HTTPS)
}

/// The one port of all handshakes, other than that of HTTPS, and the protocol of their STARTTLS as
/// s_client spells it; what it does not speak is often answered without (RDP). Behind a proxy the port is not the
/// host's.
fn seen<'c>(case: &'c Case<'_>, host: &Name) -> Option<(u16, Option<&'c str>)> {
    let direct = case.connections.iter().map(|it| it.handshake).filter(|it| it.proxy_host.is_none());
    let direct = direct.filter_map(|it| Some((it.server?.port(), it.starttls.as_deref())));
    let commands = case.runs.iter().filter_map(|(_, run)| of_command(run, host));
    let words = case.verdicts.iter().filter_map(|(_, it)| of_words(it, host));
    let seen: BTreeSet<(u16, Option<&str>)> = direct.chain(commands).chain(words).collect();
    let (port, starttls) = seen.iter().next().copied().filter(|_| seen.len() == 1)?;
    (port != HTTPS && !PROXIES.contains(&port)).then_some((port, starttls.filter(|it| STARTTLS.contains(it))))
}

/// The port in `-connect HOST:25 -starttls smtp`, in `https://HOST:8443/`, and that of HTTPS where a URL has none.
fn of_command<'c>(run: &'c Run, host: &Name) -> Option<(u16, Option<&'c str>)> {
    if let Some(dialed) = run.value("-connect") {
        return Some((port_behind(dialed, host)?, run.value("-starttls")));
    }
    let authority = run.words().find_map(|word| word.strip_prefix("https://"))?.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    port_behind(authority, host).or_else(|| is_host(authority, host).then_some(HTTPS)).map(|port| (port, None))
}

/// The port in a client's own words: of libpq and Postfix, which begin without TLS, and of those that print
/// `HOST:PORT`.
fn of_words(said: &ClientVerdict, host: &Name) -> Option<(u16, Option<&'static str>)> {
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    match said.client.as_str() {
        "libpq" => Some((number(said.words.split_once("port ")?.1)?, Some("postgres"))),
        "postfix" => Some((number(said.words.split_once("]:")?.1)?, Some("smtp"))),
        _ => {
            said.words.split([' ', '\'', '"', '/', '(', ')']).find_map(|it| port_behind(it, host)).map(|it| (it, None))
        }
    }
}

fn port_behind(text: &str, host: &Name) -> Option<u16> {
    let (name, port) = text.rsplit_once(':')?;
    let digits = port.split(|c: char| !c.is_ascii_digit()).next()?;
    is_host(name, host).then(|| digits.parse().ok()).flatten()
}

fn is_host(text: &str, host: &Name) -> bool {
    Name::parse(text.trim_matches(['[', ']'])).as_ref() == Some(host)
}

fn at(text: &str, host: &Name, port: u16, starttls: Option<&str>) -> String {
    let dialed = match starttls {
        Some(protocol) => format!("-connect {host}:{port} -starttls {protocol}"),
        None => format!("-connect {host}:{port}"),
    };
    let text = text.replace(&format!("-connect {host}:{HTTPS}"), &dialed);
    if starttls.is_some() {
        text
    } else {
        text.replace(&format!("https://{host}/"), &format!("https://{host}:{port}/"))
    }
}

const HTTPS: u16 = 443;
/// Where proxies listen: a name that is asked for there may be another host's.
const PROXIES: [u16; 3] = [1080, 3128, 8080];
/// What `openssl s_client -starttls` speaks.
const STARTTLS: &[&str] = &[
    "smtp",
    "lmtp",
    "imap",
    "pop3",
    "ftp",
    "ldap",
    "xmpp",
    "xmpp-server",
    "postgres",
    "mysql",
    "irc",
    "nntp",
    "sieve",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ServerName;

    #[test]
    fn commands_name_ports() {
        let host = Name::parse("mail.example.com").unwrap();
        for (command, expected) in [
            ("openssl s_client -starttls smtp -connect mail.example.com:587 </dev/null", Some((587, Some("smtp")))),
            ("openssl s_client -connect other.example.com:587", None),
            ("curl -v 'https://mail.example.com:8443/x'", Some((8443, None))),
            ("curl -v https://mail.example.com/x", Some((443, None))),
            ("curl -v http://mail.example.com/x", None),
        ] {
            let run = Run {
                run: 1,
                tool: String::new(),
                version: None,
                command: Some(command.to_owned()),
                vantage: None,
                time: None,
                host: None,
                server_name: ServerName::Unknown,
            };
            assert_eq!(of_command(&run, &host), expected, "{command}");
        }
    }

    #[test]
    fn only_the_host_itself_is_spoken_to_elsewhere() {
        let host = Name::parse("mail.example.com").unwrap();
        let text = "openssl s_client -connect mail.example.com:443 -servername mail.example.com </dev/null; \
                    curl https://mail.example.com/; openssl s_client -connect other.example.com:443";
        assert_eq!(
            at(text, &host, 25, Some("smtp")),
            "openssl s_client -connect mail.example.com:25 -starttls smtp -servername mail.example.com </dev/null; \
             curl https://mail.example.com/; openssl s_client -connect other.example.com:443"
        );
        assert!(at(text, &host, 8443, None).contains("-connect mail.example.com:8443 -servername"));
        assert!(at(text, &host, 8443, None).contains("https://mail.example.com:8443/"));
    }
}
