//! Which of many fixed phrases a line holds, found in one pass over it: [`Phrases`].
//!
//! A text has many lines and nearly all of them hold none; asking for each phrase in turn took most of the time that
//! reading a transcript takes.

use aho_corasick::AhoCorasick;

/// Phrases, the more telling first.
pub struct Phrases {
    phrases: Vec<String>,
    automaton: Option<AhoCorasick>,
}

impl Phrases {
    /// Of these phrases.
    pub fn of<'p>(phrases: impl IntoIterator<Item = &'p str>) -> Self {
        let phrases: Vec<String> = phrases.into_iter().map(str::to_owned).collect();
        let automaton = AhoCorasick::new(&phrases).ok();
        Self { phrases, automaton }
    }

    /// The numbers of the phrases that stand in a text, ascending, each once.
    pub fn in_text(&self, text: &str) -> Vec<usize> {
        let mut found: Vec<usize> = match &self.automaton {
            Some(automaton) => automaton.find_overlapping_iter(text).map(|it| it.pattern().as_usize()).collect(),
            None => (0..self.phrases.len()).filter(|at| self.stands_in(*at, text)).collect(),
        };
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The number of the first of the phrases that stands in a text.
    pub fn first_in(&self, text: &str) -> Option<usize> {
        match &self.automaton {
            Some(automaton) => automaton.find_overlapping_iter(text).map(|it| it.pattern().as_usize()).min(),
            None => (0..self.phrases.len()).find(|at| self.stands_in(*at, text)),
        }
    }

    /// Whether one of the phrases stands in a text.
    pub fn any_in(&self, text: &str) -> bool {
        match &self.automaton {
            Some(automaton) => automaton.is_match(text),
            None => self.first_in(text).is_some(),
        }
    }

    fn stands_in(&self, at: usize, text: &str) -> bool {
        self.phrases.get(at).is_some_and(|phrase| text.contains(phrase.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_in_their_own_order() {
        let phrases = Phrases::of(["certificate has expired", "expired", "x509: "]);
        for (text, first, all) in [
            ("x509: certificate has expired", Some(0), vec![0, 1, 2]),
            ("x509: it expired and expired", Some(1), vec![1, 2]),
            ("nothing of this", None, vec![]),
            ("", None, vec![]),
        ] {
            assert_eq!(phrases.first_in(text), first, "{text}");
            assert_eq!(phrases.in_text(text), all, "{text}");
            assert_eq!(phrases.any_in(text), first.is_some(), "{text}");
            let plain = Phrases { automaton: None, phrases: phrases.phrases.clone() };
            assert_eq!((plain.first_in(text), plain.in_text(text)), (first, all), "{text}");
        }
    }
}
