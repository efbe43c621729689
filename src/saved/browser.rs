//! Browser messages: Chrome and Edge, Firefox. Safari's page gives no reason and no presented name.

use super::{RunText, SavedFormat, Sink};
use crate::evidence::{ClientVerdict, Fact, Run, Says, ServerName};
use crate::name::Name;

/// The pages that browsers show instead of a site.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "browser",
    made_by: "Chrome, Edge, Firefox",
    is_command: |_| false,
    opens: |line| verdict(line).is_some(),
    repeats: true,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let Some((line, mut said)) = run.lines.iter().find_map(|line| verdict(&line.text).map(|it| (line.number, it)))
    else {
        return;
    };
    let code = run.lines.iter().take(40).find_map(|line| {
        line.text
            .split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_' && c != ':')
            .find(|word| word.contains("ERR_CERT_") || word.starts_with("SSL_ERROR_"))
    });
    said.code = code.map(str::to_owned);
    said.run = Some(run.number);
    let host = said.host.clone();
    let it = Run {
        run: run.number,
        tool: "browser".to_owned(),
        version: None,
        command: None,
        vantage: None,
        time: None,
        server_name: host.as_ref().map_or(ServerName::Unknown, |host| ServerName::Yes(host.to_string())),
        host,
    };
    sink.observe(Fact::Run(it), [line]);
    sink.observe(Fact::ClientVerdict(said), [line]);
}

/// What a sentence says of a host and the names that it was served.
fn verdict(line: &str) -> Option<ClientVerdict> {
    let line = line.trim();
    let (client, host, presented) = if let Some((_, rest)) =
        line.split_once("could not prove that it is ").or_else(|| line.split_once("couldn't prove that it's "))
    {
        let (host, rest) = rest.split_once(';')?;
        let (_, names) = rest.split_once("is from ")?;
        let name = names.split(". ").next().unwrap_or(names).trim_end_matches('.');
        ("chrome", host, vec![name.to_owned()])
    } else if let Some((_, rest)) = line.split_once("The certificate is only valid for ") {
        let names = rest.strip_prefix("the following names: ").unwrap_or(rest);
        let names =
            names.split(',').map(|name| name.trim().trim_end_matches('.').to_owned()).filter(|name| !name.is_empty());
        let host = line.split(" certificate that is not valid for ").nth(1)?.split(". ").next()?;
        ("firefox", host, names.collect())
    } else {
        return None;
    };
    Some(ClientVerdict {
        client: client.to_owned(),
        says: Says::NameMismatch,
        host: Some(Name::parse(host.trim())?),
        presented,
        code: None,
        words: line.to_owned(),
        run: None,
    })
}
