//! `ipconfig /displaydns`: the records in Windows' resolver cache, by layout, since the labels are
//! translated: name, type, time to live, length, section, data, one under the other.

use super::{Line, RunText, SavedFormat, Sink};
use crate::dns::{Question, Record, Section};
use crate::evidence::{Fact, ServerName};
use crate::saved::grammar::address;

/// `ipconfig /displaydns`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "displaydns",
    made_by: "ipconfig /displaydns",
    is_command: |words| {
        words.first().is_some_and(|word| word.to_ascii_lowercase().starts_with("ipconfig"))
            && words.iter().any(|word| word.eq_ignore_ascii_case("/displaydns"))
    },
    opens: |line| line.trim_start().starts_with("Record Name . . ."),
    repeats: false,
    read,
};

/// `    Record Name . . . . . : www.example.com`: the value behind dots and a colon.
fn value(line: &Line) -> Option<&str> {
    let (label, value) = line.text.split_once(": ")?;
    label.contains(". .").then_some(value.trim())
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    sink.observe(run.fact("ipconfig", None, None, ServerName::Unknown), [run.first_line()]);
    let mut answer = run.answer();
    let mut lines = Vec::new();
    let fields: Vec<&Line> = run.lines.iter().filter(|line| value(line).is_some()).collect();
    for six in fields.windows(6) {
        let values: Vec<&str> = six.iter().filter_map(|line| value(line)).collect();
        let [name, kind, ttl, length, _, data] = values.as_slice() else { continue };
        let (Ok(ttl), true) = (ttl.parse(), length.parse::<u32>().is_ok()) else { continue };
        let Some((kind, data)) = data_of(kind, data) else { continue };
        let Some(owner) = address::host(name) else { continue };
        answer.records.push(Record {
            section: Section::Answer,
            owner,
            kind: kind.into(),
            ttl: Some(ttl),
            data: data.into(),
        });
        lines.extend(six.iter().map(|line| line.number));
    }
    if !answer.records.is_empty() {
        sink.observe(Fact::DnsAnswer(answer), lines);
    }
    absent(run, sink);
}

/// `Name does not exist.` and `No records of type AAAA` below a name and a rule of dashes, in English only.
fn absent(run: &RunText<'_>, sink: &mut Sink) {
    for three in run.lines.windows(3) {
        let [name, ruler, line] = three else { continue };
        let is_ruled = ruler.text.trim().len() > 3 && ruler.text.trim().bytes().all(|byte| byte == b'-');
        let Some(host) = address::host(name.text.trim()).filter(|host| is_ruled && host.as_str().contains('.')) else {
            continue;
        };
        let text = line.text.trim().trim_end_matches('.');
        let (rcode, kind) = match text.strip_prefix("No records of type ") {
            Some(kind) => ("NOERROR", kind),
            None if text == "Name does not exist" => ("NXDOMAIN", "A"),
            None => continue,
        };
        let mut answer = run.answer();
        answer.rcode = Some(rcode.into());
        answer.question = Some(Question { name: host, kind: kind.into() });
        sink.observe(Fact::DnsAnswer(answer), [name.number, line.number]);
    }
}

/// The type by its number, and the data that fits it.
fn data_of(number: &str, data: &str) -> Option<(&'static str, String)> {
    let name = || address::host(data).map(|name| format!("{name}."));
    let address = || data.parse::<std::net::IpAddr>().ok();
    match number {
        "1" => Some(("A", address().filter(std::net::IpAddr::is_ipv4)?.to_string())),
        "28" => Some(("AAAA", address().filter(std::net::IpAddr::is_ipv6)?.to_string())),
        "5" => Some(("CNAME", name()?)),
        "12" => Some(("PTR", name()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::evidence::Fact;
    use crate::saved;

    #[test]
    fn names_that_are_known_not_to_exist() {
        let text = "C:\\>ipconfig /displaydns\r\n\r\nWindows IP Configuration\r\n\r\n    nope.example.com\r\n    \
                    ----------------------------------------\r\n    Name does not exist.\r\n\r\n    \
                    www.example.com\r\n    \
                    ----------------------------------------\r\n    No records of type AAAA\r\n";
        let found =
            saved::read("ticket.txt", text.as_bytes()).observations.into_iter().filter_map(|it| match *it.fact {
                Fact::DnsAnswer(it) => {
                    let question = it.question.unwrap();
                    Some(format!("{} {} {}", question.name, question.kind, it.rcode.unwrap()))
                }
                _ => None,
            });
        assert_eq!(found.collect::<Vec<_>>(), ["nope.example.com A NXDOMAIN", "www.example.com AAAA NOERROR"]);
    }
}
