//! `delv` of BIND: records with the result of DNSSEC validation above them. It prints no header: the
//! response code stands only in its message of failure.

use super::grammar::{asked, message};
use super::{RunText, SavedFormat, Sink};
use crate::dns::Answer;
use crate::evidence::{Fact, ServerName};

/// `delv`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "delv",
    made_by: "delv",
    is_command: |words| words.first().is_some_and(|word| word == "delv"),
    opens: |line| {
        matches!(
            line.trim_end(),
            "; fully validated"
                | "; unsigned answer"
                | "; answer not validated"
                | "; negative response, fully validated"
                | "; negative response, unsigned answer"
                | "; negative response, answer not validated"
        ) || line.starts_with(";; resolution failed: ")
            || line.starts_with(";; fetch: ")
    },
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let query = asked::dig(&run.command);
    sink.observe(run.fact("delv", None, query.name.clone(), ServerName::Unknown), [run.first_line()]);
    query.observe_server(run, sink);
    let question = query.question();
    let failed = run.lines.iter().find_map(|line| {
        let reason = line.text.strip_prefix(";; resolution failed: ")?;
        let rcode = if reason.contains("nxdomain") { "NXDOMAIN" } else { "SERVFAIL" };
        (reason.contains("nxdomain") || reason.contains("SERVFAIL")).then_some((line.number, rcode))
    });
    if let Some((line, rcode)) = failed {
        let answer = Answer { rcode: Some(rcode.into()), question, ..run.answer() };
        sink.observe(Fact::DnsAnswer(answer), [line]);
        return;
    }
    message::read(run, question.as_ref(), sink);
}
