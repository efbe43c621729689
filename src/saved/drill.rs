//! `drill` of ldns: the layout of dig with `rcode:` for `status:`; `-Q` prints the short form, `-T`
//! the records of each server on the way from the root.

use super::grammar::{asked, message, short};
use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;

/// `drill`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "drill",
    made_by: "drill",
    is_command: |words| words.first().is_some_and(|word| word == "drill"),
    opens: |line| {
        line.starts_with(";; ->>HEADER<<- opcode: QUERY, rcode: ") || line.starts_with("Error: error sending query: ")
    },
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let query = asked::dig(&run.command);
    sink.observe(run.fact("drill", None, query.name.clone(), ServerName::Unknown), [run.first_line()]);
    query.observe_server(run, sink);
    if run.command.iter().any(|word| word == "-Q") {
        short::read(run, query.question(), sink);
    } else {
        message::read(run, query.question().as_ref(), sink);
    }
}
