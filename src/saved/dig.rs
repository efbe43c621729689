//! `dig`: full output, `+short`, `+trace`, `+nssearch`, `+yaml`, and bare record lines, which other
//! tools and zone transfers print as well.

use super::grammar::{asked, message, rr, short};
use super::{RunText, SavedFormat, Sink};
use crate::dns::{Answer, Question, Section};
use crate::evidence::{Fact, ServerName};
use crate::name::Name;

/// `dig`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "dig",
    made_by: "dig: full, +short, +noall +answer, +trace, +nssearch",
    is_command: |words| words.first().is_some_and(|word| word == "dig"),
    opens: |line| {
        line.starts_with("; <<>> DiG")
            || line.starts_with(";; ->>HEADER<<-")
            || (line.starts_with(";; communications error to ") || line == ";; no servers could be reached")
            || line.starts_with("dig: couldn't get address for ")
            || is_question(line)
            || short::is_target(line)
            || soa_from_server(line).is_some()
            || rr::record(line, Section::Answer).is_some_and(|it| it.owner.as_str().contains('.') && it.kind != "TXT")
    },
    repeats: false,
    read,
};

/// `;www.example.com. IN A`, which stands above records where the header was switched off.
fn is_question(line: &str) -> bool {
    line.strip_prefix(';').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') && message::question(rest).is_some()
    })
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let words: Vec<String> = if run.command.is_empty() { banner_words(run) } else { run.command.clone() };
    let query = asked::dig(&words);
    let version = run
        .lines
        .iter()
        .find_map(|line| line.text.strip_prefix("; <<>> DiG ")?.split_whitespace().next().map(|v| format!("DiG {v}")));
    sink.observe(run.fact("dig", version, query.name.clone(), ServerName::Unknown), [run.first_line()]);
    query.observe_server(run, sink);
    let is_bare = words.is_empty() && run.lines.first().is_some_and(|line| short::is_target(&line.text));
    if is_bare || words.iter().any(|word| word == "+short") {
        short::read(run, query.question(), sink);
    } else {
        name_servers(run, &query, sink);
        message::read(run, query.question().as_ref(), sink);
    }
}

/// The command that the banner repeats.
fn banner_words(run: &RunText<'_>) -> Vec<String> {
    let banner = run.lines.iter().find_map(|line| line.text.strip_prefix("; <<>> DiG "));
    let words = banner.and_then(|rest| rest.split_once("<<>> ")).map(|(_, words)| words);
    let words = words.map(|words| words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words.map(|words| std::iter::once("dig".to_owned()).chain(words).collect()).unwrap_or_default()
}

/// `+nssearch`: the SOA record of each name server of the zone.
fn name_servers(run: &RunText<'_>, query: &asked::Query, sink: &mut Sink) {
    for line in run.lines {
        let Some((data, server)) = soa_from_server(&line.text) else { continue };
        let owner = query.name.clone().unwrap_or_else(Name::unstated);
        let Some(record) = rr::record(&format!("{owner}. IN SOA {data}"), Section::Answer) else { continue };
        let question = query.name.clone().map(|name| Question { name, kind: "SOA".into() });
        let answer =
            Answer { server: super::grammar::address::server(server), question, records: vec![record], ..run.answer() };
        sink.observe(Fact::DnsAnswer(answer), [line.number]);
    }
}

/// `SOA ns. mail. 1 2 3 4 5 from server 192.0.2.3 in 0 ms.`
fn soa_from_server(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("SOA ")?.split_once(" from server ")
}
