//! What the connections of a shard showed: [`Found`], held as observations, or already written as the
//! lines of a facts file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::book::Book;
use super::http;
use crate::dns::{self, wire};
use crate::evidence::{Counts, Fact, Observation, facts};
use crate::limits::GAPS_PER_SOURCE_MAX;
use crate::provenance::{FrameNumber, Gap, GapReason, Place, SourceId, Time};
use crate::tls;
use crate::tls::join::{Joined, Unopened};
use crate::x509::known::{Known, Nobody, Presented};

/// The files of one capture: more than one for a ring buffer.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) names: Vec<String>,
    /// How many frames came before each file that has been begun.
    pub(super) frames_before: Vec<u64>,
}

impl Files {
    /// The places of frames that are counted through all files, in the order of the files.
    pub(super) fn places(&self, mut frames: Vec<FrameNumber>) -> Vec<Place> {
        if frames.is_empty() {
            return vec![Place::Whole { source: SourceId(0) }];
        }
        if self.frames_before.len() < 2 {
            return vec![Place::in_frames(SourceId(0), frames)];
        }
        frames.sort_unstable();
        let mut places: Vec<(usize, Vec<FrameNumber>)> = Vec::new();
        for frame in frames {
            let file = self.frames_before.partition_point(|before| *before < frame.0).saturating_sub(1);
            let before = self.frames_before.get(file).copied().unwrap_or(0);
            let own = FrameNumber(frame.0.saturating_sub(before));
            match places.last_mut() {
                Some((last, of_last)) if *last == file => of_last.push(own),
                _ => places.push((file, vec![own])),
            }
        }
        let source = |file: usize| SourceId(u32::try_from(file).unwrap_or(u32::MAX));
        places.into_iter().map(|(file, frames)| Place::in_frames(source(file), frames)).collect()
    }
}

/// What connections showed.
#[derive(Default)]
pub(super) struct Found {
    files: Arc<Files>,
    /// Lines of a facts file, when facts are written and not held.
    lines: Option<Vec<u8>>,
    pub(super) observations: Vec<Observation>,
    pub(super) presented: Vec<Presented>,
    /// The certificates of the rounds before.
    pub(super) book: Option<Arc<Book>>,
    pub(super) gaps: Vec<Gap>,
    pub(super) gaps_left_out: u64,
    pub(super) counts: Counts,
    /// What is said once in a source, with the first frame that shows it.
    pub(super) seldom: BTreeMap<GapReason, FrameNumber>,
    /// The beginnings of the client randoms whose records stay closed for want of keys.
    pub(super) unopened: Unopened,
    /// Whether any DNS answer or handshake was seen.
    pub(super) is_evidence: bool,
}

/// Who asked, who answered, and when.
pub(super) struct Ends {
    pub(super) time: Option<Time>,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
}

impl Found {
    /// Who knows the certificates of the rounds before.
    pub(super) fn known(&self) -> &dyn Known {
        match &self.book {
            Some(book) => book.as_ref(),
            None => &Nobody,
        }
    }

    /// Another file of the capture has begun.
    pub(super) fn begin_file(&mut self, files: Arc<Files>) {
        self.files = files;
    }

    /// From now on facts become lines; what was held so far does too.
    pub(super) fn write_lines(&mut self) {
        let mut lines = self.lines.take().unwrap_or_default();
        for it in self.observations.drain(..) {
            facts::write_fact(&mut lines, &it.fact, &it.at, &self.files.names);
        }
        self.lines = Some(lines);
    }

    /// The lines since the last time; `room` is used for those that follow.
    pub(super) fn take_lines(&mut self, room: Vec<u8>) -> Vec<u8> {
        self.lines.as_mut().map(|lines| std::mem::replace(lines, room)).unwrap_or_default()
    }

    /// A fact that stands in these frames.
    pub(super) fn observe(&mut self, fact: Fact, frames: Vec<FrameNumber>) {
        self.is_evidence |= matches!(fact, Fact::DnsAnswer(_) | Fact::TlsHandshake(_));
        let at = self.files.places(frames);
        match &mut self.lines {
            Some(lines) => facts::write_fact(lines, &fact, &at, &self.files.names),
            None => self.observations.push(Observation { at, fact: Box::new(fact) }),
        }
    }

    /// Something that could not be read.
    pub(super) fn gap(&mut self, reason: GapReason, frames: Vec<FrameNumber>) {
        if self.gaps.len() < GAPS_PER_SOURCE_MAX {
            self.gaps.push(Gap { at: self.files.places(frames), reason });
        } else {
            self.gaps_left_out = self.gaps_left_out.saturating_add(1);
        }
    }

    /// Something that is said once in a source.
    pub(super) fn seldom(&mut self, reason: GapReason, frame: FrameNumber) {
        let first = self.seldom.entry(reason).or_insert(frame);
        *first = frame.min(*first);
    }

    /// A DNS message that cannot be read, or not all of it.
    pub(super) fn undecoded_dns(&mut self, why: &str, frames: Vec<FrameNumber>) {
        self.gap(GapReason::Undecoded { what: "DNS message".to_owned(), why: why.to_owned() }, frames);
    }

    /// A DNS message, when it is a response.
    pub(super) fn answer(
        &mut self,
        mut message: wire::Message,
        ends: &Ends,
        transport: dns::Transport,
        frames: Vec<FrameNumber>,
    ) {
        for why in std::mem::take(&mut message.problems) {
            self.undecoded_dns(&why, frames.clone());
        }
        if let Some(answer) = message.into_answer(ends.time, ends.client, ends.server, transport) {
            self.observe(Fact::DnsAnswer(answer), frames);
        }
    }

    /// What a connection showed.
    pub(super) fn joined(&mut self, joined: Joined) {
        self.counts.client_hellos = self.counts.client_hellos.saturating_add(joined.client_hellos);
        self.counts.server_hellos = self.counts.server_hellos.saturating_add(joined.server_hellos);
        self.presented.extend(joined.certificates);
        self.unopened.add(joined.unopened);
        if let Some((handshake, _)) = joined.handshakes.first()
            && let (Some(client), Some(server)) = (handshake.client, handshake.server)
        {
            http::inside_tls(self, (client, server), joined.inner);
        }
        for (handshake, frames) in joined.handshakes {
            self.hidden_resolver(&handshake, &frames);
            self.observe(Fact::TlsHandshake(handshake), frames);
        }
        for (alert, frames) in joined.alerts {
            self.observe(Fact::TlsAlert(alert), frames);
        }
        for (reason, frames) in joined.gaps {
            self.gap(reason, frames);
        }
    }

    /// Names may have been resolved where no key lets anybody look: said once of each resolver.
    fn hidden_resolver(&mut self, it: &tls::Handshake, frames: &[FrameNumber]) {
        let (Some(server), None, Some(frame)) = (it.server, &it.keys, frames.first()) else {
            return;
        };
        let is_quic = it.transport == tls::Transport::Quic;
        let how = match dns::encrypted::transport(server.port(), it.sni.as_deref(), &it.alpn, is_quic) {
            Some(dns::Transport::Dot) => "TLS",
            Some(dns::Transport::Doq) => "QUIC",
            Some(_) => "HTTPS",
            None => return,
        };
        let resolver = it.sni.clone().unwrap_or_else(|| server.ip().to_string());
        self.seldom(GapReason::EncryptedResolver { resolver, how }, *frame);
    }
}
