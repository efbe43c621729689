//! What the rules about the end of a chain share: the chain of the host, and whether its end mattered.

use std::sync::Arc;

use crate::case::Case;
use crate::evidence::ObservationId;
use crate::rules::presented::{self, Presented};
use crate::rules::{Finding, Severity};
use crate::x509::path::Path;

/// The chain of a host.
pub(super) struct Chain<'c, 'e> {
    /// The certificate at its beginning.
    pub(super) it: Presented<'c, 'e>,
    /// The chain.
    pub(super) path: Arc<Path>,
}

/// The chains that the host was shown to clients that asked for it, those of handshakes first.
pub(super) fn of<'c, 'e>(case: &'c Case<'e>) -> Vec<Chain<'c, 'e>> {
    presented::of(case)
        .into_iter()
        .filter(|it| it.connection.is_some() && !it.is_silent())
        .map(|it| Chain { path: it.path(case), it })
        .collect()
}

/// Whether the end of a chain mattered: a client refused it, or the user says whom clients trust.
pub(super) fn matters(case: &Case<'_>, it: &Presented<'_, '_>) -> Option<(Option<ObservationId>, String)> {
    if let Some((id, words)) = presented::distrust_of(case, it) {
        return Some((Some(id), words));
    }
    let roots = &case.known.roots;
    (!roots.is_embedded()).then(|| (None, format!("clients trust the certificates of {} only", roots.dated())))
}

/// The finding with why it mattered; a note where nothing says that it did.
pub(super) fn weighed(
    case: &Case<'_>,
    mut finding: Finding,
    (it, cites): (&Presented<'_, '_>, &[ObservationId]),
) -> Finding {
    match matters(case, it) {
        Some((id, text)) => {
            finding.severity = Severity::Error;
            let all: Vec<ObservationId> = id.map_or_else(|| cites.to_vec(), |id| vec![id]);
            finding.reason(text, all)
        }
        None => Finding { marks: Vec::new(), ..finding },
    }
}

/// The observations of a chain's certificates, in its order.
pub(super) fn cites_of(chain: &Chain<'_, '_>) -> Vec<ObservationId> {
    let Some(connection) = chain.it.connection else {
        return chain.it.cites();
    };
    let certificates = chain.path.order.iter().filter_map(|at| connection.chain.get(*at)).map(|leaf| leaf.id);
    crate::rules::view::cites(certificates.chain([connection.id]))
}
