//! The HTTP request that was typed into s_client, or piped into it, and the response that it prints.
//!
//! The Host header is a name that HTTP asked for and never the server name of TLS. The body of a response is
//! nothing that s_client says, whatever it resembles.

use std::collections::BTreeMap;

use crate::evidence::{Fact, HttpExchange};
use crate::name::Name;
use crate::saved::grammar::address;
use crate::saved::{Line, RunText, Sink, kept_header};

/// The lines of a run before the first response.
pub(super) fn before(lines: &[Line]) -> &[Line] {
    let at = lines.iter().position(|line| status(&line.text).is_some());
    at.and_then(|at| lines.get(..at)).unwrap_or(lines)
}

/// Adds each exchange: a request that the text shows or its command pipes in, and the head of its response.
pub(super) fn observe(run: &RunText<'_>, sink: &mut Sink) {
    let mut asked = piped(run);
    let mut lines = run.lines.iter();
    let mut is_first = true;
    while let Some(line) = lines.next() {
        let text = line.text.trim_end();
        if is_request(text) {
            let head = lines.as_slice().iter().take(HEAD_LINES_MAX).take_while(|line| status(&line.text).is_none());
            asked = head.into_iter().find_map(|line| Some((host(&line.text)?, line.number))).or(asked);
            is_first = true;
        }
        let Some(status) = status(text).filter(|_| std::mem::take(&mut is_first)) else { continue };
        let mut at = vec![line.number];
        at.extend(asked.as_ref().map(|it| it.1));
        let mut headers = BTreeMap::new();
        for line in lines.as_slice().iter().take(HEAD_LINES_MAX).take_while(|line| !line.text.trim().is_empty()) {
            let Some((name, value)) = line.text.split_once(':') else { continue };
            let name = name.to_ascii_lowercase();
            if let Some(value) = kept_header(&name, value) {
                headers.insert(name, value);
                at.push(line.number);
            }
        }
        let it = HttpExchange {
            host: asked.take().map(|it| it.0),
            status: Some(status),
            headers,
            run: Some(run.number),
            ..HttpExchange::default()
        };
        sink.observe(Fact::HttpExchange(it), at);
    }
}

/// `HTTP/1.1 421 Misdirected Request`.
fn status(text: &str) -> Option<u16> {
    let code = text.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?;
    (code.len() == 3).then(|| code.parse().ok())?
}

/// `GET / HTTP/1.1`.
fn is_request(text: &str) -> bool {
    let mut words = text.split(' ');
    let method = words.next().unwrap_or_default();
    let is_method = method.len() > 2 && method.bytes().all(|byte| byte.is_ascii_uppercase());
    is_method && words.next_back().is_some_and(|version| version.starts_with("HTTP/1.")) && words.next().is_some()
}

/// `Host: www.example.com`.
fn host(text: &str) -> Option<Name> {
    let (name, value) = text.trim().split_once(':')?;
    let value = value.trim();
    let value = if value.starts_with('[') { value } else { value.split(':').next().unwrap_or(value) };
    name.eq_ignore_ascii_case("host").then(|| address::host(value))?
}

/// The Host header of a request that `printf` or `echo` feeds into the pipe, with the command's line.
fn piped(run: &RunText<'_>) -> Option<(Name, u32)> {
    let feeds = |stage: &&Vec<String>| stage.first().is_some_and(|word| word.ends_with("echo") || word == "printf");
    let text = run.pipeline.iter().find(feeds)?.join(" ");
    let lines = text.split("\\n").flat_map(|line| line.split("\\r"));
    let found = lines.into_iter().find_map(host)?;
    Some((found, run.command_line?.number))
}

/// The lines of a head.
const HEAD_LINES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_responses_are_told_from_other_lines() {
        for (line, is_one, code) in [
            ("GET / HTTP/1.1", true, None),
            ("HEAD /a?b=c HTTP/1.0", true, None),
            ("HTTP/1.1 421 Misdirected Request", false, Some(421)),
            ("HTTP/1.0 200 ok", false, Some(200)),
            ("HTTP/1.1 requests are refused", false, None),
            ("New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384", false, None),
            ("GET HTTP/1.1", false, None),
        ] {
            assert_eq!((is_request(line), status(line)), (is_one, code), "{line}");
        }
    }

    #[test]
    fn only_a_host_header_names_the_host() {
        for (line, expected) in [
            ("Host: www.example.com", Some("www.example.com")),
            ("host: WWW.example.com:8443", Some("www.example.com")),
            ("Host name: www.example.com", None),
            ("X-Forwarded-Host: www.example.com", None),
        ] {
            assert_eq!(host(line).map(|name| name.to_string()).as_deref(), expected, "{line}");
        }
    }
}
