//! What a tool prints of itself when it is asked for its version: `openssl version`, `curl -V`, `dig -v`.
//!
//! It is no evidence of a connection. The version of `openssl` and `curl` counts for their runs at the same place,
//! since it decides what they send by themselves.

use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;

/// Versions.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "version",
    made_by: "openssl version, curl -V, dig -v, nmap --version, java -version and their like",
    is_command: |words| match words {
        [tool, what, ..] if tool == "openssl" => what == "version",
        [tool, option, ..] => {
            let is_option = matches!(option.as_str(), "-V" | "--version" | "-v" | "-version" | "version");
            is_option && words.len() == 2 && TOOLS.iter().any(|(known, _)| tool == known)
        }
        _ => false,
    },
    opens: |line| told(line).is_some(),
    repeats: true,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let Some((line, (tool, version))) = run.lines.iter().find_map(|line| Some((line.number, told(&line.text)?))) else {
        return;
    };
    let at = run.command_line.map(|line| line.number).into_iter().chain([line]);
    sink.observe(run.fact(tool, Some(version), None, ServerName::Unknown), at);
}

/// `OpenSSL 3.0.16 11 Feb 2025 (Library: …)`: the tool, and its name with its version.
pub fn told(line: &str) -> Option<(&'static str, String)> {
    let (tool, words) = TOOLS.iter().find(|(_, words)| line.starts_with(words))?;
    let version = line.get(words.len()..)?.trim_start_matches('"').split([' ', '"', ',']).next()?;
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.');
    // A sentence that begins with a tool's name goes on with other words and ends with a dot; a window can cut a
    // version behind one as well.
    let end = line.trim_end();
    let is_sentence = end.strip_suffix('.').is_some_and(|words| !words.ends_with(|c: char| c.is_ascii_digit()));
    let is_line = !is_sentence && !end.ends_with(':') && line.len() <= LINE_CHARS_MAX;
    (is_version && is_line).then(|| (*tool, format!("{} {version}", words.split([' ', '(']).next().unwrap_or(words))))
}

/// The tools, and the words before the version.
const TOOLS: &[(&str, &str)] = &[
    ("openssl", "OpenSSL "),
    ("openssl", "LibreSSL "),
    ("curl", "curl "),
    ("dig", "DiG "),
    ("kdig", "kdig (Knot DNS), version "),
    ("nslookup", "nslookup "),
    ("wget", "GNU Wget "),
    ("gnutls-cli", "gnutls-cli "),
    ("nmap", "Nmap version "),
    ("tcpdump", "tcpdump version "),
    ("java", "openjdk version \""),
    ("java", "java version \""),
    ("go", "go version go"),
    ("python", "Python "),
    ("git", "git version "),
];
const LINE_CHARS_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_no_sentences() {
        for (line, expected) in [
            ("OpenSSL 3.0.16 11 Feb 2025 (Library: OpenSSL 3.0.16 11 Feb 2025)", Some(("openssl", "OpenSSL 3.0.16"))),
            ("OpenSSL 1.0.2k-fips  26 Jan 2017", Some(("openssl", "OpenSSL 1.0.2k-fips"))),
            ("LibreSSL 3.3.6", Some(("openssl", "LibreSSL 3.3.6"))),
            ("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.16", Some(("curl", "curl 7.88.1"))),
            ("DiG 9.18.41-1~deb12u1-Debian", Some(("dig", "DiG 9.18.41-1~deb12u1-Debian"))),
            ("openjdk version \"17.0.15\" 2025-04-15", Some(("java", "openjdk 17.0.15"))),
            ("curl 7 and later send the name.", None),
            ("OpenSSL errors are long", None),
            ("curl 203.0.113.10 works from here:", None),
        ] {
            let found = told(line);
            assert_eq!(found.as_ref().map(|(tool, version)| (*tool, version.as_str())), expected, "{line}");
        }
    }
}
