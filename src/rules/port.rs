//! Commands speak to the port, and in the protocol, in which the host was seen: [`put_right`]. Rules write
//! them for HTTPS.

use std::collections::BTreeSet;

use super::{Rule, Verdict};
use crate::case::Case;
use crate::name::Name;

/// Puts the commands of all verdicts right, where every handshake of the host went to one other port.
pub(super) fn put_right(case: &Case<'_>, verdicts: &mut [(&'static Rule, Verdict)]) {
    let (Some(host), Some((port, starttls))) = (&case.host, seen(case)) else {
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

/// The one port of all handshakes, other than that of HTTPS, and the protocol of their STARTTLS as
/// s_client spells it; what it does not speak is often answered without (RDP). Behind a proxy the port is not the
/// host's.
fn seen<'c>(case: &'c Case<'_>) -> Option<(u16, Option<&'c str>)> {
    let direct = case.connections.iter().map(|it| it.handshake).filter(|it| it.proxy_host.is_none());
    let seen: BTreeSet<(u16, Option<&str>)> =
        direct.filter_map(|it| Some((it.server?.port(), it.starttls.as_deref()))).collect();
    let (port, starttls) = seen.iter().next().copied().filter(|_| seen.len() == 1)?;
    (port != HTTPS && !PROXIES.contains(&port)).then_some((port, starttls.filter(|it| STARTTLS.contains(it))))
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
