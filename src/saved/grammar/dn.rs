//! Distinguished names in every layout become `C=US, O=Amazon, CN=x`.

/// The one form of a distinguished name written with slashes, commas or semicolons. RFC 4514 writes
/// the most specific part first; a name that begins with CN and ends with C is turned round.
pub fn normal(text: &str) -> String {
    // OpenSSL up to 1.0.2 and LibreSSL write `C=DE, CN=x/emailAddress=a@b.example`.
    let text = text.trim();
    let mixed = text.replacen("/emailAddress=", ", emailAddress=", 1);
    let text = if text.starts_with('/') { text } else { mixed.as_str() };
    let by_semicolons = split_before(text, ';');
    let parts: Vec<&str> = if text.starts_with('/') {
        split_before(text, '/')
    } else if by_semicolons.len() > 1 {
        by_semicolons
    } else {
        split_before(text, ',')
    };
    let mut parts: Vec<(&str, String)> = parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(kind, value)| (kind.trim(), unquoted(value.trim())))
        .collect();
    let is_reversed = parts.len() > 1
        && parts.first().is_some_and(|(kind, _)| *kind == "CN")
        && parts.last().is_some_and(|(kind, _)| *kind == "C");
    if is_reversed {
        parts.reverse();
    }
    parts.into_iter().map(|(kind, value)| format!("{kind}={value}")).collect::<Vec<_>>().join(", ")
}

/// One attribute with its long name, as `-nameopt multiline` prints it:
/// `commonName                = www.example.com`.
pub fn attribute(line: &str) -> Option<String> {
    let (kind, value) = line.split_once(" = ")?;
    let kind = kind.trim();
    let is_kind = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    let short = LONG_NAMES.iter().find(|(long, _)| *long == kind).map_or(kind, |(_, short)| *short);
    is_kind.then(|| format!("{short}={}", unquoted(value.trim())))
}

/// The names of attribute types (RFC 4519, RFC 4524) and the short ones that stand for them.
const LONG_NAMES: &[(&str, &str)] = &[
    ("commonName", "CN"),
    ("countryName", "C"),
    ("domainComponent", "DC"),
    ("localityName", "L"),
    ("organizationName", "O"),
    ("organizationalUnitName", "OU"),
    ("stateOrProvinceName", "ST"),
    ("streetAddress", "street"),
];

/// An AttributeTypeAndValue (RFC 4514 section 2.3) in that form, from a value as it is: its commas are escaped.
pub fn type_and_value(kind: &str, value: &str) -> String {
    format!("{kind}={}", value.replace(',', "\\,"))
}

/// A value without quotes, its commas escaped as those of a decoded certificate are.
fn unquoted(value: &str) -> String {
    unescaped(value.trim_matches('"')).replace("\\\"", "\"").replace("\\,", ",").replace(',', "\\,")
}

/// `\C3\9C` and `\xC3\x9C` are the bytes that older versions of OpenSSL print of what is no ASCII.
fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = behind.strip_prefix('x').unwrap_or(behind);
        let byte = digits.get(..2).and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|byte| !byte.is_ascii());
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = digits.get(2..).unwrap_or_default();
        } else {
            bytes.push(b'\\');
            rest = behind;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

/// Splits at a separator only where an attribute type and `=` follow, and, but for slashes, not between
/// quotes: keytool writes `OU="No SNI provided; please fix your client."`.
fn split_before(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut is_quoted = false;
    for (at, found) in text.match_indices([separator, '"']) {
        if found == "\"" {
            is_quoted = !is_quoted && separator != '/';
            continue;
        }
        if is_quoted {
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or_default().trim_start();
        let kind = rest.split('=').next().unwrap_or_default().trim_end();
        let is_kind =
            rest.contains('=') && !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        if is_kind {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stand_alone_with_their_long_names() {
        for (line, expected) in [
            ("commonName                = *.example.com", Some("CN=*.example.com")),
            ("organizationName          = Example, Inc.", Some("O=Example\\, Inc.")),
            ("emailAddress              = a@example.com", Some("emailAddress=a@example.com")),
            ("notBefore=Jan  1 00:00:00 2026 GMT", None),
            ("Signature Algorithm = x", None),
        ] {
            assert_eq!(attribute(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn every_layout_gives_one_form() {
        for (text, expected) in [
            ("/C=US/O=Amazon/CN=*.example.com", "C=US, O=Amazon, CN=*.example.com"),
            ("C = US, O = \"Starfield, Inc.\", CN = x", "C=US, O=Starfield\\, Inc., CN=x"),
            ("C=US; O=Amazon; CN=x", "C=US, O=Amazon, CN=x"),
            ("CN=x, OU=\"Please fix; your client.\"", "CN=x, OU=Please fix; your client."),
            ("CN=x, O=\"A, CN=b\"", "CN=x, O=A\\, CN=b"),
            ("CN=x,O=Amazon,C=US", "C=US, O=Amazon, CN=x"),
            ("/C=DE/CN=\\xC3\\x9Cn\\xC3\\xAFcode", "C=DE, CN=\u{dc}n\u{ef}code"),
            ("C = DE, CN = \"\\C3\\9Cn, x\"", "C=DE, CN=\u{dc}n\\, x"),
            ("CN=*.execute-api.us-east-1.amazonaws.com", "CN=*.execute-api.us-east-1.amazonaws.com"),
        ] {
            assert_eq!(normal(text), expected);
        }
    }
}
