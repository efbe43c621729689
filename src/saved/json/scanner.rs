//! The JSON of scanners: sslyze's `server_scan_results` and testssl.sh's `scanResult`, whose certificates
//! stand in PEM.

use std::net::SocketAddr;

use super::document::{Document, Object, elements};
use crate::evidence::ServerName;
use crate::saved::connection::{self, Connection};
use crate::saved::testssl::{self, Finding};
use crate::saved::{RunText, Sink};
use crate::x509::{self, Certificate};

/// Reads a document of a scanner; whether it is one.
pub fn read(document: &Document<'_>, run: &RunText<'_>, sink: &mut Sink) -> bool {
    let Some(root) = document.root().and_then(Object::of) else { return false };
    if root.has(&["server_scan_results"]) {
        for result in root.list("server_scan_results").into_iter().filter_map(Object::of) {
            sslyze(&result, document, run, sink);
        }
        return true;
    }
    if root.has(&["scanResult"]) {
        for result in root.list("scanResult").into_iter().filter_map(Object::of) {
            testssl_result(&result, document, run, sink);
        }
        return true;
    }
    false
}

fn server(address: Option<String>, port: Option<u16>) -> Option<SocketAddr> {
    Some(SocketAddr::new(address?.parse().ok()?, port?))
}

fn sslyze(result: &Object<'_>, document: &Document<'_>, run: &RunText<'_>, sink: &mut Sink) {
    let place = result.object("server_location");
    let host = place.as_ref().and_then(|it| it.name("hostname"));
    let port = place.as_ref().and_then(|it| it.number("port"));
    let server = server(place.as_ref().and_then(|it| it.text("ip_address")), port);
    let line = document.first_line();
    let info = result.object("scan_result").and_then(|it| it.object("certificate_info")?.object("result"));
    let sni = info.as_ref().and_then(|it| it.name("hostname_used_for_server_name_indication"));
    let server_name = sni.as_ref().map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string()));
    sink.observe(run.fact("sslyze", None, sni.or_else(|| host.clone()), server_name.clone()), [line]);
    let Some(info) = info else { return };
    let with =
        info.list("certificate_deployments").into_iter().filter_map(Object::of).map(|it| (it, server_name.clone()));
    let without = info.object("certificate_deployment_with_sni_disabled").map(|it| (it, ServerName::No));
    for (deployment, server_name) in with.chain(without) {
        let chain = deployment.list("received_certificate_chain").into_iter().filter_map(|value| {
            let certificate = pem(&Object::of(value)?.text("as_pem")?, run)?;
            Some((certificate, document.lines_of(value).collect()))
        });
        let dialed = host.as_ref().map(ToString::to_string);
        Connection { server, dialed, server_name, chain: chain.collect(), lines: vec![line], ..Connection::default() }
            .observe(run, sink);
    }
}

fn pem(text: &str, run: &RunText<'_>) -> Option<Certificate> {
    let block = x509::pem::blocks((1..).zip(text.lines())).into_iter().next()?;
    Some(connection::whole(run, &block.der.ok()?))
}

fn testssl_result(result: &Object<'_>, document: &Document<'_>, run: &RunText<'_>, sink: &mut Sink) {
    let host = result.name("targetHost");
    let server = server(result.text("ip"), result.text("port").and_then(|port| port.parse().ok()));
    let line = document.first_line();
    sink.observe(run.fact("testssl", None, host.clone(), testssl::sent(host.as_ref())), [line]);
    let owned: Vec<(String, String, u32)> = result
        .values()
        .filter(|value| value.get().starts_with('['))
        .flat_map(elements)
        .filter_map(|value| {
            let it = Object::of(value)?;
            Some((it.text("id")?, it.text("finding")?, *document.lines_of(value).start()))
        })
        .collect();
    let findings: Vec<Finding<'_>> = owned.iter().map(|(id, words, line)| Finding { id, words, line: *line }).collect();
    testssl::observe(run, server, host.as_ref(), &findings, vec![line], sink);
}
