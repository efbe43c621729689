//! `openssl verify`: whether a chain of files is trusted, and why not. It checks no name.

use super::openssl_s_client::says_of;
use super::{RunText, SavedFormat, Sink};
use crate::evidence::{ClientVerdict, Fact, Says, ServerName};

/// `openssl verify`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "openssl_verify",
    made_by: "openssl verify",
    is_command: |words| matches!(words, [tool, sub, ..] if tool == "openssl" && sub == "verify"),
    opens: |line| code(line).is_some() || (line.ends_with(": verification failed") && line.starts_with("error ")),
    repeats: false,
    read,
};

/// `error 20 at 0 depth lookup: unable to get local issuer certificate`; older versions end with a colon.
fn code(line: &str) -> Option<&str> {
    let (code, rest) = line.strip_prefix("error ")?.split_once(" at ")?;
    (rest.contains(" depth lookup:") && code.parse::<u16>().is_ok()).then_some(code)
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    sink.observe(run.fact("openssl verify", run.version.clone(), None, ServerName::Unknown), [run.first_line()]);
    let ok = |line: &str| (!run.command.is_empty() && line.trim_end().ends_with(": OK")).then_some("0");
    for line in run.lines {
        let Some(number) = code(&line.text).or_else(|| ok(&line.text)) else { continue };
        let Some(says) = says_of(number).filter(|says| *says != Says::NameMismatch) else { continue };
        let it = ClientVerdict {
            client: "openssl".to_owned(),
            says,
            host: None,
            presented: Vec::new(),
            code: Some(number.to_owned()),
            words: line.text.trim().to_owned(),
            above: None,
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [line.number]);
    }
}
