//! How a server refuses a handshake before a certificate ([`Refusal`]): what the rules about it share.

use crate::case::{Case, Connection};
use crate::evidence::{HttpExchange, ObservationId, Says};
use crate::name::Name;
use crate::rules::view;
use crate::tls::{ChainState, Side};

/// A server's alert that ended a handshake without a certificate.
#[derive(Clone, Debug)]
pub struct Refusal<'c, 'e> {
    /// The handshake.
    pub connection: &'c Connection<'e>,
    /// The observation of the alert.
    pub alert: ObservationId,
    /// The alert, in RFC 8446's spelling.
    pub description: String,
}

/// All refusals of a case.
pub fn all<'c, 'e>(case: &'c Case<'e>) -> Vec<Refusal<'c, 'e>> {
    let connections = case.connections.iter().filter(|it| it.handshake.chain_state == ChainState::Missing);
    connections.filter_map(of).collect()
}

fn of<'c, 'e>(connection: &'c Connection<'e>) -> Option<Refusal<'c, 'e>> {
    let fatal = connection
        .alerts
        .iter()
        .find(|(_, alert)| alert.from == Side::Server && alert.level.as_deref() != Some("warning"));
    let (alert, description) = fatal.and_then(|(id, alert)| Some((*id, alert.description.clone()?)))?;
    Some(Refusal { connection, alert, description })
}

/// What a client said of a failed handshake, in lower case, with the observation.
pub fn words(case: &Case<'_>) -> Vec<(ObservationId, String)> {
    let said = view::said(case, Says::HandshakeFailed);
    said.iter().map(|(id, verdict)| (*id, format!("{} says: {}", verdict.client, verdict.words))).collect()
}

/// Whether a client's words are about the alert unrecognized_name: Chrome, Firefox, curl and Java each have
/// their own.
pub fn is_about_name(text: &str) -> bool {
    text.to_lowercase().replace('_', " ").contains("unrecognized name")
}

/// A handshake that the same server answered with a certificate.
pub fn answered<'c, 'e>(case: &'c Case<'e>, refused: &Connection<'_>) -> Option<&'c Connection<'e>> {
    let by_server =
        refused.handshake.server.and_then(|server| case.around.with_server(server).find(|it| is_answered(it)));
    by_server.or_else(|| case.connections.iter().find(|it| is_answered(it)))
}

fn is_answered(connection: &Connection<'_>) -> bool {
    matches!(connection.handshake.chain_state, ChainState::Seen | ChainState::Encrypted)
}

/// What shows that the server is API Gateway or CloudFront: an AWS name in DNS, or API Gateway's headers.
pub fn aws(case: &Case<'_>) -> Option<(String, Vec<ObservationId>)> {
    if let Some((target, cites)) = view::aws_target(case) {
        return Some((format!("the host leads to {target}"), cites));
    }
    let is_own =
        |it: &HttpExchange| it.headers.contains_key("x-amzn-errortype") || it.headers.contains_key("x-amz-apigw-id");
    let (id, _) = case.exchanges.iter().find(|(_, it)| is_own(it))?;
    Some(("the response carries a header of API Gateway".to_owned(), vec![*id]))
}

/// The command that shows how a server answers a version.
pub fn ask_for_versions(host: &Name) -> String {
    format!(
        "openssl s_client -connect {host}:443 -servername {host} -tls1_2 </dev/null; openssl s_client -connect {host}:443 -servername {host} -tls1_3 </dev/null"
    )
}
