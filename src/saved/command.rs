//! Command lines: the prompt before one, its words, what must not be shown of it.

use std::net::IpAddr;

/// A command found behind a prompt, or alone on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompted {
    /// The prompt's `user@host`.
    pub vantage: Option<String>,
    /// The stages of the pipeline, each as words.
    pub stages: Vec<Vec<String>>,
    /// The command as it stands, secrets removed.
    pub shown: String,
}

/// Finds a known command in a line.
pub fn find(line: &str) -> Option<Prompted> {
    let (vantage, command) = split_prompt(line.trim())?;
    let words = shlex::split(command)?;
    let stages: Vec<Vec<String>> =
        words.split(|word| matches!(word.as_str(), "|" | ";" | "&&" | "||")).map(without_redirections).collect();
    let is_known = stages.iter().any(|stage| stage.first().is_some_and(|word| is_tool(word)));
    is_known.then(|| Prompted { vantage, stages, shown: without_secrets(command) })
}

fn without_redirections(stage: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    let mut skip = false;
    for word in stage {
        if std::mem::take(&mut skip) {
            continue;
        }
        if matches!(word.as_str(), "<" | ">" | ">>" | "2>") {
            skip = true;
        } else if !word.starts_with(['<', '>']) && !word.starts_with("2>") && word != "sudo" && word != "time" {
            words.push(word.clone());
        }
    }
    words
}

/// The prompt and the command behind it. A prompt counts only before a known tool.
fn split_prompt(line: &str) -> Option<(Option<String>, &str)> {
    if starts_with_tool(line) && reads_as_command(line) {
        return Some((None, line));
    }
    for mark in ["$ ", "# ", "% ", "> ", "❯ ", "➜ ", "+ "] {
        let Some(at) = line.find(mark) else { continue };
        let (prompt, command) = (line.get(..at)?, line.get(at + mark.len()..)?.trim_start());
        if starts_with_tool(command) && prompt.len() < 80 {
            let host = prompt.split_whitespace().map(|word| word.trim_matches(['[', ']', '(', ')']));
            let vantage = host.into_iter().find(|word| word.contains('@'));
            let vantage = vantage.map(|word| word.split(':').next().unwrap_or(word).to_owned());
            return Some((vantage, command));
        }
    }
    None
}

fn starts_with_tool(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    match first {
        "sudo" | "time" | "echo" | "printf" | "true" => words.any(is_tool) && (first != "echo" || text.contains('|')),
        "dig" | "openssl" | "curl" => words.next().is_some(),
        _ => is_tool(first) && words.next().is_some(),
    }
}

/// Whether a line without a prompt is a command and not a sentence that begins with a tool's name
/// ("curl failed to verify …", `curl 8.18.0 (x86_64…)`).
fn reads_as_command(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().skip_while(|word| !is_tool(word)).skip(1).collect();
    if line.split_whitespace().find(|word| is_tool(word)) == Some("openssl") {
        return words.first().is_some_and(|word| OPENSSL_COMMANDS.contains(word));
    }
    if line.starts_with("aws ") {
        return words.len() > 1;
    }
    if line.starts_with("curl: ") || line.ends_with('.') && words.len() > 4 {
        return false;
    }
    let is_version = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<IpAddr>().is_err();
    words.iter().any(|word| {
        let is_option = word.len() > 1 && word.starts_with(['-', '@', '+', '\'', '"']);
        is_option || word.contains("://") || (word.trim_end_matches('.').contains('.') && !is_version(word))
    }) && !words.first().is_some_and(|word| is_version(word))
}

fn is_tool(word: &str) -> bool {
    TOOLS.contains(&word)
}

/// The command with what follows secret options removed.
fn without_secrets(command: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut hide = false;
    for word in command.split(' ') {
        if std::mem::take(&mut hide) {
            shown.push("(removed)".to_owned());
            continue;
        }
        hide = SECRET_OPTIONS.contains(&word);
        let lower = word.to_ascii_lowercase();
        let is_header = ["authorization:", "cookie:", "x-api-key:"].iter().any(|name| lower.contains(name));
        if is_header {
            shown.push("(removed)".to_owned());
            hide = true;
        } else {
            shown.push(word.to_owned());
        }
    }
    shown.join(" ")
}

/// The value of an option, written `-name value` or `--name=value`.
pub fn value<'w>(words: &'w [String], names: &[&str]) -> Option<&'w str> {
    for (at, word) in words.iter().enumerate() {
        for name in names {
            if word == name {
                return words.get(at + 1).map(String::as_str);
            }
            if let Some(rest) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                return Some(rest);
            }
        }
    }
    None
}

const OPENSSL_COMMANDS: &[&str] = &["s_client", "x509", "version", "verify", "s_server", "crl", "ocsp", "asn1parse"];
const TOOLS: &[&str] = &["dig", "openssl", "curl", "host", "nslookup", "kdig", "drill", "aws", "wget", "whois"];
const SECRET_OPTIONS: &[&str] =
    &["-u", "--user", "--proxy-user", "-U", "-b", "--cookie", "--pass", "-pass", "--oauth2-bearer", "-d", "--data"];
