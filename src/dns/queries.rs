//! Questions of queries, for the answers that leave theirs out: [`Queries`].
//!
//! A server that refuses a query (FORMERR, NOTIMP) may answer with a header alone (RFC 1035 section
//! 7.3 matches by id and ports; so does this). An answer with a question of its own needs none.

use std::collections::VecDeque;
use std::net::SocketAddr;

use hashbrown::HashMap;

use super::Question;
use super::wire::Message;
use crate::limits::DNS_QUERIES_WAITING_MAX;
use crate::provenance::FrameNumber;

type Key = (SocketAddr, SocketAddr, u16);

/// The queries that were seen last and that no whole answer followed, by client, server and id.
#[derive(Debug, Default)]
pub struct Queries {
    waiting: HashMap<Key, (Question, Vec<FrameNumber>), foldhash::fast::RandomState>,
    order: VecDeque<Key>,
}

impl Queries {
    /// Remembers a query by its question, which it takes, and gives a response its question where it has
    /// none, with the frames of the query.
    pub fn see(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
        message: &mut Message,
        frames: &[FrameNumber],
    ) -> Vec<FrameNumber> {
        if message.flags.qr {
            let key = (destination, source, message.id);
            if message.question.is_some() {
                self.waiting.remove(&key);
                return Vec::new();
            }
            let found = self.waiting.get(&key).cloned();
            return found.map_or_else(Vec::new, |(question, frames)| {
                message.question = Some(question);
                frames
            });
        }
        let key = (source, destination, message.id);
        if let Some(question) = message.question.take()
            && self.waiting.insert(key, (question, frames.to_vec())).is_none()
        {
            self.make_room();
            self.order.push_back(key);
        }
        Vec::new()
    }

    /// Forgets the order of queries that were answered, and the oldest query where too many wait.
    fn make_room(&mut self) {
        let (waiting, order) = (&mut self.waiting, &mut self.order);
        if order.len() > waiting.len().saturating_mul(2).saturating_add(ORDER_KEPT) {
            order.retain(|key| waiting.contains_key(key));
        }
        if waiting.len() > DNS_QUERIES_WAITING_MAX
            && let Some(oldest) = order.pop_front()
        {
            waiting.remove(&oldest);
        }
    }
}

/// Answered queries whose order is kept, so that it need not be put right at each query.
const ORDER_KEPT: usize = 64;
