//! The public suffix list, embedded (crate `psl`): which names belong to one owner ([`registrable`]).
//!
//! Names below a suffix of the private section (`github.io`, `execute-api.REGION.amazonaws.com`) belong
//! to different owners as well.

use crate::name::Name;

/// The version of the crate, which stands for the list's date; a test compares it with the lock file.
pub const VERSION: &str = "2.1.247";

/// The registrable domain of a name: its public suffix and one label more.
pub fn registrable(name: &str) -> Option<Name> {
    let bare = name.strip_prefix("*.").unwrap_or(name);
    Name::parse(psl::domain_str(bare)?)
}

/// The registrable domain of a name; the name itself where it has none.
pub fn owner(name: &str) -> String {
    registrable(name).map_or_else(|| name.trim_start_matches("*.").to_ascii_lowercase(), |it| it.to_string())
}

/// Whether two names belong to one registrable domain.
pub fn have_one_owner(one: &str, other: &str) -> bool {
    registrable(one).is_some_and(|domain| registrable(other) == Some(domain))
}

/// Whether a name is itself a public suffix of the ICANN section, such as `com` or `co.uk`.
pub fn is_icann_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| {
        suffix.is_known() && suffix.typ() == Some(psl::Type::Icann) && suffix.as_bytes() == name.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_apart_by_registrable_domains() {
        for (one, other, expected) in [
            ("www.example.com", "*.example.com", true),
            ("example.com", "a.b.example.com", true),
            ("example.com", "example.org", false),
            ("a.co.uk", "b.co.uk", false),
            ("one.github.io", "other.github.io", false),
            ("com", "com", false),
        ] {
            assert_eq!(have_one_owner(one, other), expected, "{one} and {other}");
        }
        for (name, expected) in [("com", true), ("co.uk", true), ("github.io", false), ("example.com", false)] {
            assert_eq!(is_icann_suffix(name), expected, "{name}");
        }
    }
}
