//! Command lines: the prompt before one, its words, what must not be shown of it.
//!
//! A prompt counts only before a known tool, in the forms of every shell; what runs a tool for
//! somebody else (`sudo`, `timeout`, `docker exec`, `ssh`) is taken off.

use std::net::IpAddr;

use super::decode::secret;
use super::loops::Loop;

/// A command found behind a prompt, or alone on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompted {
    /// The prompt as it stands, where it tells one from other text.
    pub prompt: Option<String>,
    /// The prompt's `user@host`.
    pub vantage: Option<String>,
    /// The stages of the pipeline, each as words, the tool first.
    pub stages: Vec<Vec<String>>,
    /// The command as it stands, secrets removed.
    pub shown: String,
    /// The loop that it is.
    pub looped: Option<Loop>,
}

/// Finds a known command in a line.
pub fn find(line: &str) -> Option<Prompted> {
    if line.len() > COMMAND_CHARS_MAX {
        return None;
    }
    let (prompt, command) = split_prompt(line)?;
    let words = words(command, prompt.is_some_and(is_windows));
    let stages: Vec<Vec<String>> =
        words.split(|word| SEPARATORS.contains(&word.as_str())).map(stage).filter(|stage| !stage.is_empty()).collect();
    let is_known = stages.iter().any(|stage| stage.first().is_some_and(|word| is_tool(word)));
    is_known.then(|| Prompted {
        prompt: prompt.filter(|prompt| is_telling(prompt)).map(str::to_owned),
        vantage: prompt.and_then(vantage),
        stages,
        shown: secret::hidden(command).into_owned(),
        looped: Loop::of(&words),
    })
}

/// Words as the shell splits them; a quote that is never closed splits at blanks.
fn words(command: &str, is_windows: bool) -> Vec<String> {
    let spaced = spaced(command);
    let split = if is_windows { None } else { shlex::split(&spaced) };
    split.unwrap_or_else(|| {
        let apart = command.replace(';', " ; ").replace('|', " | ");
        apart.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
    })
}

/// The command with blanks around what separates commands; within quotes nothing does.
fn spaced(command: &str) -> String {
    let mut spaced = String::with_capacity(command.len());
    let mut quote: Option<char> = None;
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => {
                spaced.push(c);
                spaced.extend(chars.next());
                continue;
            }
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ';' | '|') => {
                let second = chars.next_if(|next| c == '|' && matches!(next, '|' | '&'));
                spaced.extend([Some(' '), Some(c), second, Some(' ')].into_iter().flatten());
                continue;
            }
            _ => {}
        }
        spaced.push(c);
    }
    spaced
}

/// One stage without redirections and without what runs the tool.
fn stage(words: &[String]) -> Vec<String> {
    let mut kept: Vec<&str> = Vec::new();
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        if matches!(word.as_str(), "<" | ">" | ">>" | "2>" | "&>") {
            skip = true;
        } else if !word.starts_with(['<', '>']) && !word.starts_with("2>") && !word.starts_with("&>") && word != "&" {
            kept.push(word);
        }
    }
    let kept = without_runner(&kept);
    let mut stage: Vec<String> = kept.iter().map(|word| (*word).to_owned()).collect();
    if let Some(tool) = stage.first_mut() {
        *tool = tool_name(tool).to_owned();
    }
    let long = stage.first().is_some_and(|tool| LONG_OPTION_TOOLS.contains(&tool.as_str()));
    for word in stage.iter_mut().skip(1) {
        plain_dashes(word, long);
    }
    stage
}

/// Word processors make one long dash of two hyphens, and of one.
fn plain_dashes(word: &mut String, is_long: bool) {
    if let Some(rest) = word.strip_prefix(['\u{2013}', '\u{2014}', '\u{2212}']) {
        let dashes = if is_long && rest.len() > 1 { "--" } else { "-" };
        *word = format!("{dashes}{}", rest.trim_start_matches(['\u{2013}', '\u{2014}']));
    }
}

/// `/usr/bin/dig` and `curl.exe` are `dig` and `curl`.
fn tool_name(word: &str) -> &str {
    let base = word.rsplit(['/', '\\']).next().unwrap_or(word);
    base.strip_suffix(".exe").unwrap_or(base)
}

/// The words from the tool on: `sudo -u x timeout 5 dig …`, `docker exec -it web dig …`.
fn without_runner<'w, 't>(words: &'w [&'t str]) -> &'w [&'t str] {
    let mut rest = words;
    for _ in 0..RUNNERS_MAX {
        let Some(first) = rest.first() else { break };
        let after = rest.get(1..).unwrap_or_default();
        let is_assignment = first
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        rest = match tool_name(first) {
            _ if is_assignment => after,
            "sudo" | "doas" | "time" | "command" | "nohup" | "exec" | "env" | "nice" | "watch" | "busybox"
            | "winpty" | "wsl" | "do" | "then" | "(" | "{" | "!" | "xargs" | "stdbuf" => without_options(after),
            "timeout" => without_options(after).get(1..).unwrap_or_default(),
            "docker" | "podman" | "kubectl" | "oc" | "nerdctl" | "ssh" | "ip" | "nsenter" | "chroot" | "lxc" => {
                let tool = after.iter().take(RUNNER_WORDS_MAX).position(|word| is_tool(tool_name(word)));
                return tool.map_or(rest, |at| after.get(at..).unwrap_or_default());
            }
            _ => break,
        };
    }
    rest
}

fn without_options<'w, 't>(words: &'w [&'t str]) -> &'w [&'t str] {
    let options = words.iter().take_while(|word| word.starts_with('-')).count();
    let takes_value =
        options > 0 && words.get(options - 1).is_some_and(|word| matches!(*word, "-u" | "-n" | "-g" | "-k"));
    words.get(options + usize::from(takes_value)..).unwrap_or_default()
}

/// The prompt and the command behind it.
fn split_prompt(line: &str) -> Option<(Option<&str>, &str)> {
    let bare = line.trim();
    if starts_with_tool(bare) && reads_as_command(bare) {
        return Some((None, bare));
    }
    if let Some((at, command)) = windows_prompt(line) {
        return starts_with_tool(command.trim()).then(|| (line.get(..at), command.trim()));
    }
    for mark in MARKS {
        let Some(at) = line.find(mark) else { continue };
        let (prompt, command) = (line.get(..at + mark.len())?, line.get(at + mark.len()..)?.trim());
        if prompt.len() >= PROMPT_CHARS_MAX {
            continue;
        }
        // A mark alone begins other text as well: comments, quotes, PowerShell's error messages.
        let is_bare = matches!(prompt.trim(), "#" | ">" | "+" | "%") || mark == "~ ";
        if starts_with_tool(command) && (!is_bare || is_certain(command)) {
            return Some((Some(prompt), command));
        }
        let behind = if mark == "\u{279c} " { behind_directory(command) } else { None };
        if let Some(command) = behind {
            return Some((Some(prompt), command));
        }
    }
    None
}

/// Whether a text behind a bare mark is a command and nothing else.
fn is_certain(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_powershell = POWERSHELL_TOOLS.iter().any(|tool| tool.eq_ignore_ascii_case(first));
    let names_file = words.next().is_some_and(|word| word.starts_with('/'));
    !is_powershell && (reads_as_command(command) || names_file)
}

/// `~ git:(main) dig …`: what an arrow prompt prints before the command.
fn behind_directory(text: &str) -> Option<&str> {
    let mut rest = text;
    for _ in 0..3 {
        let (_, after) = rest.split_once(' ')?;
        rest = after.trim_start();
        if starts_with_tool(rest) {
            return Some(rest);
        }
    }
    None
}

/// `C:\Users\jdoe>nslookup`, `PS C:\>Resolve-DnsName`: where the command begins, and the command.
fn windows_prompt(line: &str) -> Option<(usize, &str)> {
    let at = line.find('>')?;
    let prompt = line.get(..at)?;
    let path = prompt.rsplit("PS ").next().unwrap_or(prompt).trim_start();
    let is_path = path.chars().nth(1) == Some(':') && path.chars().nth(2) == Some('\\') && !path.contains("  ");
    let is_shell = prompt.starts_with("PS ") || prompt.contains("]: PS ");
    ((is_path || is_shell) && at < PROMPT_CHARS_MAX).then(|| (at + 1, line.get(at + 1..).unwrap_or_default()))
}

fn is_windows(prompt: &str) -> bool {
    windows_prompt(prompt).is_some()
}

/// Whether a prompt is more than a mark that other text begins with as well.
fn is_telling(prompt: &str) -> bool {
    prompt.trim().len() > 1 || prompt.starts_with(['$', '\u{276f}', '\u{279c}'])
}

fn vantage(prompt: &str) -> Option<String> {
    let mut words = prompt.split_whitespace().map(|word| word.trim_matches(['[', ']', '(', ')', '$', '#', '%']));
    let word = words.find(|word| word.contains('@'))?;
    Some(word.split(':').next().unwrap_or(word).to_owned())
}

fn starts_with_tool(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().take(WORDS_LOOKED_AT).collect();
    let Some(first) = words.first() else { return false };
    if first.split('|').next().is_some_and(|feeder| FEEDERS.contains(&feeder)) {
        let parts = text.split(['|', ';']).skip(1);
        return parts
            .take(WORDS_LOOKED_AT)
            .any(|part| part.split_whitespace().next().is_some() && starts_with_tool(part));
    }
    let kept: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('<')).collect();
    let rest = without_runner(&kept);
    rest.first().is_some_and(|word| is_tool(tool_name(word)))
        && (rest.len() > 1 || rest.first().is_some_and(|word| ALONE.contains(&tool_name(word))))
}

/// Whether a line without a prompt is a command and not a sentence that begins with a tool's name
/// ("curl failed to verify …", `curl 8.18.0 (x86_64…)`).
fn reads_as_command(line: &str) -> bool {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || c == '|').filter(|it| !it.is_empty()).collect();
    let at = words.iter().position(|word| is_tool(tool_name(word)));
    let Some((tool, rest)) = at.and_then(|at| words.get(at..)).and_then(<[&str]>::split_first) else {
        return false;
    };
    let tool = tool_name(tool);
    let is_error = rest.first().is_some_and(|word| matches!(*word, ":" | "error:" | "error"));
    if PROMPT_ONLY.contains(&tool) || is_error {
        return false;
    }
    if tool == "openssl" {
        return rest.first().is_some_and(|word| OPENSSL_COMMANDS.contains(word));
    }
    if tool == "aws" {
        return rest.len() > 1;
    }
    let is_sentence = line.ends_with('.') && rest.len() > 4 || line.starts_with("curl: ");
    if is_sentence || (tool == "host" && rest.len() > 3) {
        return false;
    }
    let is_version = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<IpAddr>().is_err();
    rest.iter().any(|word| {
        let is_option = word.len() > 1 && word.starts_with(['-', '@', '+', '\'', '"']);
        is_option || word.contains("://") || (word.trim_end_matches('.').contains('.') && !is_version(word))
    }) && !rest.first().is_some_and(|word| is_version(word))
}

fn is_tool(word: &str) -> bool {
    TOOLS.contains(&word) || POWERSHELL_TOOLS.iter().any(|tool| tool.eq_ignore_ascii_case(word))
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

const MARKS: [&str; 10] = ["$ ", "# ", "% ", "> ", "\u{276f} ", "\u{279c} ", "+ ", "\u{3bb} ", "\u{bb} ", "~ "];
const SEPARATORS: [&str; 5] = ["|", ";", "&&", "||", "|&"];
/// Commands that feed a tool through a pipe, or loop over one.
const FEEDERS: [&str; 9] = ["echo", "printf", "true", "yes", "cat", "for", "while", ":", "(echo"];
const OPENSSL_COMMANDS: &[&str] = &[
    "s_client",
    "x509",
    "version",
    "verify",
    "s_server",
    "crl",
    "ocsp",
    "asn1parse",
    "pkcs7",
    "pkcs12",
    "crl2pkcs7",
    "storeutl",
];
const TOOLS: &[&str] = &[
    "dig",
    "openssl",
    "curl",
    "host",
    "nslookup",
    "kdig",
    "drill",
    "delv",
    "aws",
    "wget",
    "whois",
    "unbound-host",
    "resolvectl",
    "systemd-resolve",
    "getent",
    "dscacheutil",
    "scutil",
    "ping",
    "ping6",
    "traceroute",
    "tracert",
    "tracepath",
    "gnutls-cli",
    "gnutls-cli-debug",
    "keytool",
    "certutil",
    "nmap",
    "testssl.sh",
    "testssl",
    "sslyze",
    "sslscan",
    "certtool",
    "ipconfig",
    "cat",
    "type",
    "khost",
    "date",
    "grep",
    "python",
    "python3",
    "node",
    "java",
    "git",
    "http",
    "https",
    "httpie",
    "php",
    "ruby",
    "go",
    "tshark",
    "tcpdump",
    "terraform",
    "tofu",
];
const POWERSHELL_TOOLS: &[&str] =
    &["Resolve-DnsName", "Invoke-WebRequest", "iwr", "irm", "Invoke-RestMethod", "Test-NetConnection", "Get-Content"];
/// Words of the language as well: without a prompt they are prose.
const PROMPT_ONLY: &[&str] = &[
    "cat",
    "type",
    "date",
    "grep",
    "git",
    "go",
    "http",
    "https",
    "node",
    "java",
    "php",
    "ruby",
    "python",
    "python3",
    "ping",
    "ipconfig",
    "terraform",
    "tofu",
];
/// Tools that say something without any argument.
const ALONE: &[&str] = &["date", "nslookup"];
const LONG_OPTION_TOOLS: &[&str] = &["curl", "wget", "aws", "gnutls-cli", "nmap", "sslyze", "testssl.sh"];
const COMMAND_CHARS_MAX: usize = 1 << 16;
const PROMPT_CHARS_MAX: usize = 120;
const RUNNERS_MAX: usize = 6;
const RUNNER_WORDS_MAX: usize = 16;
const WORDS_LOOKED_AT: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_has_its_prompt() {
        for (line, vantage, tool) in [
            ("$ dig www.example.com", None, "dig"),
            ("[ec2-user@ip-172-31-20-77 ~]$ dig www.example.com", Some("ec2-user@ip-172-31-20-77"), "dig"),
            ("ubuntu@bastion:~$ openssl s_client -connect x:443", Some("ubuntu@bastion"), "openssl"),
            ("root@web:/# dig x.example.com", Some("root@web"), "dig"),
            ("(base) jo@mac ~ % host www.example.com", Some("jo@mac"), "host"),
            ("jo@mac ~> kdig www.example.com", Some("jo@mac"), "kdig"),
            ("\u{276f} dig www.example.com", None, "dig"),
            ("\u{279c}  ~ git:(main) openssl s_client -connect x:443", None, "openssl"),
            ("C:\\Users\\jdoe>nslookup www.example.com", None, "nslookup"),
            ("PS C:\\Users\\jdoe> Resolve-DnsName www.example.com", None, "Resolve-DnsName"),
            ("PS /home/jo> curl -v https://www.example.com", None, "curl"),
            ("+ dig www.example.com", None, "dig"),
            ("dig www.example.com", None, "dig"),
            ("$ sudo -u app timeout 5 /usr/bin/dig www.example.com", None, "dig"),
            ("$ docker exec -it web curl -v https://www.example.com", None, "curl"),
            ("$ kubectl exec pod -- dig +short www.example.com", None, "dig"),
            ("$ LC_ALL=C busybox nslookup www.example.com", None, "nslookup"),
            ("C:\\> curl.exe -v https://www.example.com", None, "curl"),
            ("~ openssl s_client -connect www.example.com:443 -showcerts", None, "openssl"),
            ("> echo|openssl s_client -connect www.example.com:443 2>&1|grep subject=", None, "openssl"),
        ] {
            let found = find(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(found.vantage.as_deref(), vantage, "{line}");
            assert!(
                found.stages.iter().any(|stage| stage.first().is_some_and(|word| word == tool)),
                "{line}: {found:?}"
            );
        }
    }

    #[test]
    fn sentences_are_no_commands() {
        for line in [
            "curl failed to verify the legitimacy of the server and therefore could not",
            "curl: (60) SSL: no alternative certificate subject name matches target host name 'x'",
            "host is down since this morning",
            "> GET / HTTP/1.1",
            "# dig output below",
            "type of record: CNAME",
            "dig: couldn't get address for 'nosuch.server.invalid': failure",
            "ping www.example.com works",
            "about ~ dig output of yesterday",
            "keytool error: java.lang.Exception: No certificate from the SSL server",
        ] {
            assert_eq!(find(line), None, "{line}");
        }
    }

    #[test]
    fn pipelines_loops_and_dashes_are_taken_apart() {
        for (line, expected) in [
            (
                "$ echo | openssl s_client -connect x:443 2>/dev/null | openssl x509 -noout",
                "openssl s_client -connect x:443",
            ),
            ("$ for i in 1 2; do dig +short www.example.com; done", "dig +short www.example.com"),
            (
                "$ openssl s_client \u{2013}connect x:443 \u{2013}servername y",
                "openssl s_client -connect x:443 -servername y",
            ),
            ("$ curl \u{2014}resolve x:443:192.0.2.1 https://x/", "curl --resolve x:443:192.0.2.1 https://x/"),
        ] {
            let found = find(line).unwrap_or_else(|| panic!("{line}"));
            assert!(found.stages.iter().any(|stage| stage.join(" ") == expected), "{line}: {:?}", found.stages);
        }
    }
}
