//! Host names and addresses that a program has made links of, plain again: Outlook writes the target in angle brackets
//! behind the words, Markdown in parentheses, Slack and Jira put words and target between a bar.
//!
//! Only a link that leads where its words say is undone: one that leads elsewhere is kept as it stands.

/// The line without links; `None` where it has none.
pub fn plain(text: &str) -> Option<String> {
    if !text.contains("http") && !text.contains("mailto:") {
        return None;
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_changed = false;
    while let Some(at) = rest.find(['<', '[']) {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at..).unwrap_or_default());
        shown.push_str(before);
        if let Some((words, behind)) = angle(after, &shown).or_else(|| square(after)) {
            shown.push_str(words);
            rest = behind;
            is_changed = true;
        } else {
            let mark = after.chars().next().map_or(0, char::len_utf8);
            shown.push_str(after.get(..mark).unwrap_or_default());
            rest = after.get(mark..).unwrap_or_default();
        }
    }
    shown.push_str(rest);
    is_changed.then_some(shown)
}

/// `words<target>`, `<target|words>`, `<target>`: what is left of it, and what stands behind.
fn angle<'t>(text: &'t str, before: &str) -> Option<(&'t str, &'t str)> {
    let (inner, behind) = text.strip_prefix('<')?.split_once('>')?;
    if !is_target(inner) || inner.contains(char::is_whitespace) {
        return None;
    }
    if let Some((target, words)) = inner.split_once('|') {
        return leads_to(words, target).then_some((words, behind));
    }
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    if word.is_empty() || word.ends_with(['(', '"', '\'']) {
        return Some((inner, behind));
    }
    ends_with_target(word, inner).then_some(("", behind))
}

/// `[words](target)`, `[words|target]`.
fn square(text: &str) -> Option<(&str, &str)> {
    let (inner, behind) = text.strip_prefix('[')?.split_once(']')?;
    if let Some((words, target)) = inner.split_once('|') {
        return (is_target(target) && leads_to(words, target)).then_some((words, behind));
    }
    let (target, behind) = behind.strip_prefix('(')?.split_once(')')?;
    (is_target(target) && leads_to(inner, target)).then_some((inner, behind))
}

fn is_target(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

fn leads_to(words: &str, target: &str) -> bool {
    !words.is_empty() && bare(words).eq_ignore_ascii_case(bare(target))
}

fn ends_with_target(word: &str, target: &str) -> bool {
    let (word, target) = (word.trim_end_matches(['/', '.']), bare(target));
    let end = word.len().checked_sub(target.len()).and_then(|at| word.get(at..));
    !target.is_empty() && end.is_some_and(|end| end.eq_ignore_ascii_case(target))
}

/// Without what a program adds when it makes a link of a name.
fn bare(text: &str) -> &str {
    let text = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    text.trim_end_matches(['/', '.'])
}

const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_where_it_says_is_plain() {
        for (text, expected) in [
            ("$ curl -v https://www.example.com/<https://www.example.com/>", "$ curl -v https://www.example.com/"),
            (
                "www.example.com<http://www.example.com>.\t60\tIN\tA\t192.0.2.1",
                "www.example.com.\t60\tIN\tA\t192.0.2.1",
            ),
            ("host 'www.example.com<http://www.example.com/>'", "host 'www.example.com'"),
            ("$ dig [www.example.com](http://www.example.com) A", "$ dig www.example.com A"),
            ("$ dig <http://www.example.com|www.example.com> A", "$ dig www.example.com A"),
            ("$ curl [https://www.example.com|https://www.example.com/]", "$ curl https://www.example.com"),
            ("$ curl <https://www.example.com/>", "$ curl https://www.example.com/"),
            ("jo@example.com<mailto:jo@example.com>", "jo@example.com"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_kept() {
        for text in [
            "www.example.com<http://www.example.net>",
            "[click here](http://www.example.com)",
            "; <<>> DiG 9.18 <<>> http.example.com",
            "> Referer: http://www.example.com",
            "[5 bytes data] http",
            "a < b https://www.example.com > c",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
