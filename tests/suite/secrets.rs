//! No secret of an input is ever printed: every form in which people paste one, through every output.
//!
//! Each secret holds a marker that nothing else holds; the outputs are searched for the markers.

use std::path::Path;

use crate::support::{printed, said, whycert_in};

/// In words: what the inputs below hold in each place where a secret stands.
const WORD: &str = "hUnTeR2x";
/// In hexadecimal, as keys and tickets are printed, with every separator that tools use.
const HEXADECIMAL: [&str; 4] = ["5ec7e75ec7e7", "5e c7 e7 5e", "5e:c7:e7:5e", "5ec7e7-5ec7e7"];
/// The start of a private key in base64.
const BASE64: &str = "MC4CAQAwBQYDK2VwBCIEI";

fn transcript() -> String {
    TRANSCRIPT.replace("{word}", WORD).replace("{key}", &HEXADECIMAL[0].repeat(6)).replace("{pem}", BASE64)
}

const TRANSCRIPT: &str = r#"$ openssl s_client -connect www.example.com:443 -servername www.example.com -psk {key} -pass pass:{word}
CONNECTED(00000003)
---
Certificate chain
 0 s:CN = *.execute-api.us-east-1.amazonaws.com
   i:C = US, O = Amazon, CN = Amazon RSA 2048 M02
---
SSL-Session:
    Protocol  : TLSv1.2
    Cipher    : ECDHE-RSA-AES128-GCM-SHA256
    Session-ID: {key}
    Session-ID-ctx: {key}
    Master-Key: {key}
    Resumption PSK: {key}
    PSK identity: {word}
    TLS session ticket lifetime hint: 7200 (seconds)
    TLS session ticket:
    0000 - 5e c7 e7 5e c7 e7 5e c7-5e c7 e7 5e c7 e7 5e c7   ................
    0010 - 5e c7 e7 5e-c7 e7                                 ......
    Verify return code: 0 (ok)
---
-----BEGIN SSL SESSION PARAMETERS-----
{pem}
-----END SSL SESSION PARAMETERS-----
$ curl -v -u joe:{word} -H 'Authorization: Bearer {word}' -H "X-Amz-Security-Token: {word}" -H 'X-Own: {word}' -HX-Own:{word} --user=joe:{word} -b 'sid={word}' -d 'password={word}' --oauth2-bearer {word} 'https://joe:{word}@www.example.com/x?X-Amz-Security-Token={word}&X-Amz-Signature={word}&access_token={word}' --proxy-user=a:{word} -ujoe:{word} -kuj:{word} --data-urlencode tok={word} --json '{"k":"{word}"}' -F 'pw={word}' --cookie={word} -x http://joe:{word}@proxy.example.com:3128 --pass {word} -E cert.pem:{word} --proxy-header 'Proxy-Authorization: Basic {word}' --cert c.pem:{word}
*   Trying 203.0.113.14:443...
* Connected to www.example.com (203.0.113.14) port 443 (#0)
* TLSv1.2 (OUT), TLS handshake, Client hello (1):
* Server certificate:
*  subject: CN=*.execute-api.us-east-1.amazonaws.com
*  issuer: C=US; O=Amazon; CN=Amazon RSA 2048 M02
* [HTTP/2] [1] [authorization: Bearer {word}]
* [HTTP/2] [1] [x-own-token: {word}]
> GET /x?access_token={word} HTTP/1.1
> Host: www.example.com
> Authorization: Basic {word}
> Proxy-Authorization: Basic {word}
> Cookie: sid={word}
> X-Api-Key: {word}
> X-Amz-Security-Token: {word}
> x-auth-token: {word}
< HTTP/1.1 403 Forbidden
< Set-Cookie: AWSALB={word}; Path=/
< Location: https://joe:{word}@www.example.com/?token={word}
< x-amzn-ErrorType: ForbiddenException
curl: (60) SSL: no alternative certificate subject name matches target host name 'www.example.com'
$ curl -v \
    -H 'Authorization: Bearer {word}' \
    -u joe:{word} \
    https://www.example.com/
*   Trying 203.0.113.14:443...
curl: (60) SSL: no alternative certificate subject name matches target host name 'www.example.com'
$ AWS_SECRET_ACCESS_KEY={word} AWS_SESSION_TOKEN="{word}" aws sts get-session-token --token-code {word} --external-id {word}
{"Credentials": {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "{word}", "SessionToken": "{word}", "Expiration": "2026-11-25T00:00:00Z"}}
$ aws acm export-certificate --certificate-arn arn:aws:acm:us-east-1:111122223333:certificate/x --passphrase {word}
{
    "Certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "PrivateKey": "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{pem}\n-----END ENCRYPTED PRIVATE KEY-----\n"
}
$ export AWS_SECRET_ACCESS_KEY={word}
aws_secret_access_key = {word}
CLIENT_RANDOM {key} {key}
CLIENT_TRAFFIC_SECRET_0 {key} {key}
-----BEGIN PRIVATE KEY-----
{pem}
-----END PRIVATE KEY-----
-----BEGIN RSA PRIVATE KEY-----
{pem}
-----END RSA PRIVATE KEY-----
$ wget --http-user=joe --http-password={word} --password {word} --header='Authorization: Bearer {word}' --post-data='p={word}' https://joe:{word}@www.example.com/
--2026-11-22 07:01:23--  https://joe:{word}@www.example.com/?token={word}
Resolving www.example.com (www.example.com)... 203.0.113.14
Connecting to www.example.com (www.example.com)|203.0.113.14|:443... connected.
ERROR: no certificate subject alternative name matches
        requested host name 'www.example.com'.
requests.exceptions.SSLError: HTTPSConnectionPool(host='www.example.com', port=443): Max retries exceeded with url: /x?api_key={word} (Caused by SSLError(SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'www.example.com'. (_ssl.c:1006)")))
fatal: unable to access 'https://joe:{word}@www.example.com/x.git/': server certificate verification failed. CAfile: none CRLfile: none
2026/11/25 04:42:34 Get "https://joe:{word}@www.example.com/?sig={word}": x509: certificate is valid for *.execute-api.us-east-1.amazonaws.com, not www.example.com
$ gnutls-cli --pskkey {key} --pskusername {word} www.example.com
- Session ID: {key}
- Status: The certificate is NOT trusted. The name in the certificate does not match the expected.
$ keytool -list -v -keystore k.jks -storepass {word} -keypass {word}
$ openssl pkcs12 -in s.p12 -passin pass:{word} -password pass:{word}
$ sslscan --pkpass={word} www.example.com
$ dig -y hmac-sha256:key:{word} @192.0.2.1 www.example.com
; <<>> DiG 9.18.1 <<>> -y hmac-sha256:key:{word} @192.0.2.1 www.example.com
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
;; flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1
; COOKIE: {key} (good)
;; QUESTION SECTION:
;www.example.com. IN A
;; ANSWER SECTION:
www.example.com. 60 IN CNAME abc123.execute-api.us-east-1.amazonaws.com.
"#;

fn har() -> serde_json::Value {
    let url = format!("https://joe:{WORD}@www.example.com/x?token={WORD}");
    serde_json::json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{
        "startedDateTime": "2026-11-22T07:01:23.000Z", "time": 1, "serverIPAddress": "203.0.113.14", "connection": "443",
        "request": {
            "method": "POST", "url": url, "httpVersion": "HTTP/2",
            "headers": [{"name": "Authorization", "value": WORD}, {"name": "Cookie", "value": WORD}],
            "cookies": [{"name": "sid", "value": WORD}], "queryString": [{"name": "token", "value": WORD}],
            "postData": {"mimeType": "text/plain", "text": WORD}, "headersSize": 1, "bodySize": 1
        },
        "response": {
            "status": 403, "statusText": "Forbidden", "httpVersion": "HTTP/2",
            "headers": [
                {"name": "Set-Cookie", "value": WORD}, {"name": "x-amzn-errortype", "value": "ForbiddenException"}
            ],
            "cookies": [{"name": "a", "value": WORD}], "content": {"size": 1, "mimeType": "text/plain", "text": WORD},
            "redirectURL": url, "headersSize": 1, "bodySize": 1
        },
        "cache": {}, "timings": {"send": 0, "wait": 0, "receive": 0}
    }]}})
}

/// Every input on its own, every output of it.
#[test]
fn no_output_prints_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let transcript = transcript();
    let quoted: String = transcript.lines().map(|line| format!("> {line}\n")).collect();
    let numbered: String = (1..).zip(transcript.lines()).map(|(at, line)| format!("{at:>6}\t{line}\n")).collect();
    let har = har();
    let key = HEXADECIMAL[0].repeat(6);
    let eve = format!(
        "{{\"timestamp\":\"2026-11-22T07:01:23.000000+0000\",\"event_type\":\"http\",\"src_ip\":\"192.0.2.9\",\
         \"src_port\":4000,\"dest_ip\":\"203.0.113.14\",\"dest_port\":80,\"http\":{{\"hostname\":\"www.example.com\",\
         \"url\":\"/x?token={WORD}\",\"status\":403}}}}\n\
         {{\"timestamp\":\"2026-11-22T07:01:24.000000+0000\",\"event_type\":\"tls\",\"src_ip\":\"192.0.2.9\",\
         \"src_port\":4001,\"dest_ip\":\"203.0.113.14\",\"dest_port\":443,\
         \"tls\":{{\"sni\":\"www.example.com\",\"version\":\"TLS 1.2\"}}}}\n"
    );
    for (name, text) in [
        ("plain.txt", transcript.clone()),
        ("quoted.txt", quoted),
        ("numbered.txt", numbered),
        ("one_line.har", har.to_string()),
        ("pretty.har", serde_json::to_string_pretty(&har).unwrap()),
        ("eve.json", eve),
        ("sslkeylog.txt", format!("CLIENT_RANDOM {0} {0}\n", key.get(..64).unwrap())),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let is_log = name == "sslkeylog.txt";
        if !is_log {
            let facts = printed(&whycert_in(folder.path(), ["facts", name]));
            assert!(facts.contains("www.example.com"), "{name} is read: {facts}");
        }
        check(folder.path(), name);
    }
    check(folder.path(), ".");
}

fn check(folder: &Path, path: &str) {
    let formats = whycert::report::RENDERERS.iter().map(|renderer| renderer.id);
    let diagnoses = formats.map(|format| vec!["diagnose", "--format", format, path]);
    for arguments in diagnoses.chain([vec!["facts", path]]) {
        let output = whycert_in(folder, &arguments);
        let told = format!("{}\n{}", printed(&output), said(&output));
        for marker in HEXADECIMAL.iter().copied().chain([WORD, BASE64]) {
            let line = told.lines().find(|line| line.to_lowercase().contains(&marker.to_lowercase()));
            // A marker that a page breaks within a long word is one all the same.
            assert_eq!(line, None, "{arguments:?} prints {marker}");
        }
        let unbroken = told.replace("<wbr>", "");
        assert!(!unbroken.contains(WORD) && !unbroken.contains(BASE64), "{arguments:?}");
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let text = transcript();
    for marker in [WORD, BASE64, HEXADECIMAL[0], HEXADECIMAL[1]] {
        assert!(text.contains(marker), "{marker}");
    }
}
