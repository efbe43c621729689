//! Other ways to the same evidence: what a customer can send where one command is not at hand.

use super::pasted::Unpasted;
use crate::name::Name;
use crate::rules::AskFor;

/// What to ask for, with the other ways to a certificate that nothing shows.
pub(super) fn with_others(host: Option<&Name>, asks: &[AskFor], unpasted: &Unpasted) -> Vec<AskFor> {
    let with = |it: &AskFor| AskFor {
        command: unpasted.without(&it.command),
        or: others(host, it).iter().map(|it| unpasted.without(it)).collect(),
        ..it.clone()
    };
    asks.iter().map(with).collect()
}

fn others(host: Option<&Name>, it: &AskFor) -> Vec<String> {
    let Some(host) = host else {
        return Vec::new();
    };
    let asks = |rule: &str| it.decides.contains(&rule);
    let is_hidden = asks("insufficient.tls13_encrypted");
    // Of another port or protocol a browser's way says nothing.
    let is_web = it.command.contains(&format!("-connect {host}:443 -servername {host} "));
    if !is_web || !(is_hidden || asks("insufficient.no_certificate_seen")) {
        return Vec::new();
    }
    let mut ways = vec![format!("curl -v https://{host}/")];
    if is_hidden {
        ways.push(format!("tcpdump -i any -s 0 -w new.pcap & SSLKEYLOGFILE=keys.log curl https://{host}/; kill %1"));
    }
    ways
}
