//! The sentence in which a browser names the host and the names that it was shown, in whatever language
//! ([`names`]).
//!
//! Of every language only the word for a certificate is known. In all of them the host stands before it and
//! the names of the certificate behind: `… HOST …, … certificate … NAME, NAME`. Prose that a customer writes
//! rarely has this order, and without that word nothing is read.

use crate::name::Name;

use super::address;

/// The host and the presented names of a line, where it is such a sentence.
pub fn names(line: &str) -> Option<(Name, Vec<String>)> {
    let lower = line.to_lowercase();
    // A letter that has another length in lower case would move the places.
    let lower = if lower.len() == line.len() { lower } else { line.to_owned() };
    let certificates: Vec<usize> =
        CERTIFICATE.iter().flat_map(|word| lower.match_indices(word)).map(|(at, _)| at).collect();
    let found = tokens(line);
    let (at, host) = found.first().filter(|(_, name)| !name.starts_with('*'))?;
    let mut rest = found.iter().filter(|(_, name)| name != host);
    let (next, _) = rest.clone().next()?;
    if !certificates.iter().any(|certificate| at < certificate && certificate < next) {
        return None;
    }
    let presented: Vec<String> = rest.by_ref().map(|(_, name)| (*name).to_owned()).collect();
    Some((address::host(host)?, presented))
}

/// The host names of a line with their places, wildcards included.
fn tokens(line: &str) -> Vec<(usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '*' | '_');
    let mut found = Vec::new();
    let mut at = 0;
    for word in line.split(|c: char| !is_part(c)) {
        let start = line.get(at..).and_then(|rest| rest.find(word)).map_or(at, |by| at.saturating_add(by));
        at = start.saturating_add(word.len());
        let name = word.trim_matches('.');
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_name = name.split('.').count() > 1
            && name.split('.').all(|label| !label.is_empty())
            && last.len() > 1
            && last.chars().all(|c| c.is_ascii_alphabetic());
        if is_name {
            found.push((start, name));
        }
    }
    found
}

/// The word for a certificate, as far as its forms share it.
const CERTIFICATE: &[&str] = &[
    "certificat",
    "certificad",
    "certificaa",
    "certifik",
    "certyfikat",
    "zertifikat",
    "sertifika",
    "сертификат",
    "сертифікат",
    "tanúsítvány",
    "πιστοποιητικ",
    "varmen",
    "証明書",
    "证书",
    "憑證",
    "인증서",
    "chứng chỉ",
    "sijil",
    "שהאישור",
    "אישור",
    "شهادة",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_every_language_name_host_and_certificate() {
        for (line, host, presented) in [
            (
                "Firefox vertraut dieser Website nicht, weil das von der Website verwendete Zertifikat nicht für \
                 h.x.com gilt. Das Zertifikat ist nur gültig für folgende Namen: y.com, *.y.com",
                "h.x.com",
                "y.com *.y.com",
            ),
            (
                "Не удалось подтвердить, что это сервер h.x.com. Его сертификат безопасности относится к *.y.com.",
                "h.x.com",
                "*.y.com",
            ),
            (
                "このサーバーが h.x.com であることを確認できませんでした。このサーバーのセキュリティ証明書は *.y.com から発行されています。",
                "h.x.com",
                "*.y.com",
            ),
            ("此服务器无法证明它是h.x.com；其安全证书来自*.y.com。", "h.x.com", "*.y.com"),
        ] {
            let found = names(line).map(|(host, names)| (host.to_string(), names.join(" ")));
            assert_eq!(found, Some((host.to_owned(), presented.to_owned())), "{line}");
        }
    }

    #[test]
    fn other_prose_names_nobody() {
        for line in [
            "Unsere Seite h.x.com zeigt auf y.example.net, seit gestern",
            "Das Zertifikat von h.x.com ist falsch, wir nutzen y.com",
            "h.x.com. 300 IN CNAME y.com.",
            "証明書エラー",
        ] {
            assert_eq!(names(line), None, "{line}");
        }
    }
}
