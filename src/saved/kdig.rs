//! `kdig` of Knot DNS: the layout of dig with its own separators; `+short`. Its `+json` is read with the
//! other JSON documents.

use super::grammar::{asked, message, short};
use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;

/// `kdig`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "kdig",
    made_by: "kdig",
    is_command: |words| words.first().is_some_and(|word| word == "kdig") && !words.iter().any(|word| word == "+json"),
    opens: |line| {
        line.starts_with(";; ->>HEADER<<- opcode: QUERY; status: ")
            || line.starts_with(";; TLS session (")
            || line.starts_with(";; WARNING: response timeout for ")
    },
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let query = asked::dig(&run.command);
    sink.observe(run.fact("kdig", None, query.name.clone(), ServerName::Unknown), [run.first_line()]);
    query.observe_server(run, sink);
    if run.command.iter().any(|word| word == "+short") {
        short::read(run, query.question(), sink);
    } else {
        message::read(run, query.question().as_ref(), sink);
    }
}
