//! Who stands in line for a lane.

use std::collections::{HashSet, VecDeque};

use countersign_model::{EndpointId, TenantId};

/// The endpoints that wait for a lane, in the order in which they get one, and those that have one.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Endpoints that a task is at.
    busy: HashSet<EndpointId>,
    line: VecDeque<(TenantId, EndpointId)>,
    /// Nobody gets a turn any more.
    is_closed: bool,
}

impl Turns {
    /// The line is this from now on: whoever stood in it before and has something due stands in the new one, too.
    pub(super) fn line_up(&mut self, due: Vec<(TenantId, EndpointId)>) {
        self.line = due.into();
    }

    /// Whose turn it is.
    pub(super) fn next(&mut self) -> Option<(TenantId, EndpointId)> {
        if self.is_closed {
            return None;
        }
        loop {
            let next = self.line.pop_front()?;
            if !self.busy.contains(&next.1) {
                return Some(next);
            }
        }
    }

    /// A task is at it.
    pub(super) fn begin(&mut self, endpoint: EndpointId) {
        self.busy.insert(endpoint);
    }

    /// No task is at it any more.
    pub(super) fn end(&mut self, endpoint: EndpointId) {
        self.busy.remove(&endpoint);
    }

    /// These were asked and could not take their turn: they stay where they stood.
    pub(super) fn keep(&mut self, asked: Vec<(TenantId, EndpointId)>) {
        for one in asked.into_iter().rev() {
            self.line.push_front(one);
        }
    }

    /// It had its turn and wants another one.
    pub(super) fn again(&mut self, tenant: TenantId, endpoint: EndpointId) {
        if !self.line.iter().any(|(_, waiting)| *waiting == endpoint) {
            self.line.push_back((tenant, endpoint));
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    /// Sends everybody home.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.line.clear();
    }

    /// Turns are given again.
    pub(super) fn reopen(&mut self) {
        self.is_closed = false;
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(number: u128) -> (TenantId, EndpointId) {
        (TenantId::from_bits(number), EndpointId::from_bits(number))
    }

    #[test]
    fn those_who_cannot_take_their_turn_keep_their_place() {
        let mut turns = Turns::default();
        turns.line_up(vec![one(1), one(2), one(3), one(4)]);
        turns.begin(one(2).1);
        assert_eq!((turns.next(), turns.next()), (Some(one(1)), Some(one(3))));
        turns.keep(vec![one(1), one(3)]);
        turns.again(one(3).0, one(3).1);
        turns.again(one(2).0, one(2).1);
        turns.end(one(2).1);
        let order: Vec<_> = std::iter::from_fn(|| turns.next()).collect();
        assert_eq!(order, [one(1), one(3), one(4), one(2)]);
    }

    #[test]
    fn nobody_gets_a_turn_while_it_is_closed() {
        let mut turns = Turns::default();
        turns.line_up(vec![one(1)]);
        turns.close();
        turns.again(one(2).0, one(2).1);
        assert_eq!(turns.next(), None);
        turns.reopen();
        assert_eq!((turns.next(), turns.waiting()), (None, 0));
    }
}
