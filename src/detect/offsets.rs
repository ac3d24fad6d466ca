//! Where each part of a text that was made from another one stands in that other one.

use std::ops::Range;

/// A stretch of the made text, and what it was made from. Where both are equally long, it was copied byte for byte;
/// else it stands for its origin as a whole.
#[derive(Clone, Debug)]
struct Stretch {
    start: usize,
    origin: Range<usize>,
}

/// From offsets of a made text to offsets of its origin. One stretch is enough for a text that was only copied.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    stretches: Vec<Stretch>,
    len: usize,
}

impl Offsets {
    /// The made text is its origin.
    pub(super) fn same(len: usize) -> Self {
        let mut offsets = Self::default();
        offsets.copied(len, 0);
        offsets
    }

    /// The next `len` bytes are copied from `origin` on.
    pub(super) fn copied(&mut self, len: usize, origin: usize) {
        if len > 0 {
            match self.stretches.last_mut() {
                // Only a copy can be made longer; a stretch of one byte for one byte is a copy as well.
                Some(last) if last.origin.end == origin && last.origin.len() == self.len - last.start => {
                    last.origin.end += len;
                }
                _ => self.stretches.push(Stretch { start: self.len, origin: origin..origin + len }),
            }
            self.len += len;
        }
    }

    /// The next `len` bytes stand for all of `origin`.
    pub(super) fn made(&mut self, len: usize, origin: Range<usize>) {
        if len == origin.len() {
            self.copied(len, origin.start);
        } else if len > 0 {
            self.stretches.push(Stretch { start: self.len, origin });
            self.len += len;
        }
    }

    /// Takes the last character, of `len` bytes, back and says what it was made from.
    pub(super) fn take_back(&mut self, len: usize) -> Range<usize> {
        let end = self.len;
        self.len = end.saturating_sub(len);
        match self.stretches.last_mut() {
            Some(last) if last.start < self.len && last.origin.len() == end - last.start => {
                last.origin.end -= len;
                last.origin.end..last.origin.end + len
            }
            _ => self.stretches.pop().map_or(0..0, |last| last.origin),
        }
    }

    /// Where what begins at `start` begins in the origin.
    pub(super) fn start(&self, start: usize) -> usize {
        let next = self.stretches.partition_point(|stretch| stretch.start <= start);
        self.stretch_before(next).map_or(0, |(stretch, copied)| {
            if copied { stretch.origin.start + (start - stretch.start) } else { stretch.origin.start }
        })
    }

    /// Where what ends at `end` ends in the origin: before anything that was left out after it.
    pub(super) fn end(&self, end: usize) -> usize {
        let next = self.stretches.partition_point(|stretch| stretch.start < end);
        self.stretch_before(next).map_or(0, |(stretch, copied)| {
            if copied { stretch.origin.start + (end - stretch.start) } else { stretch.origin.end }
        })
    }

    /// The stretch before the one at `next`, and whether it is a copy.
    fn stretch_before(&self, next: usize) -> Option<(&Stretch, bool)> {
        let stretch = self.stretches.get(next.checked_sub(1)?)?;
        let until = self.stretches.get(next).map_or(self.len, |next| next.start);
        Some((stretch, until - stretch.start == stretch.origin.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lead_back_over_what_was_left_out_and_replaced() {
        // `Ac**me** &amp; Co` made into `Acme & Co`.
        let mut offsets = Offsets::default();
        offsets.copied(2, 0);
        offsets.copied(2, 4);
        offsets.copied(1, 8);
        offsets.made(1, 9..14);
        offsets.copied(3, 14);
        assert_eq!((offsets.start(0), offsets.end(4)), (0, 6), "the end is before the closing marks");
        assert_eq!((offsets.start(5), offsets.end(6)), (9, 14), "what replaces stands for the whole");
        assert_eq!((offsets.start(7), offsets.end(9)), (15, 17));
        assert_eq!(offsets.start(2), 4, "the start is behind the opening marks");
    }

    #[test]
    fn a_character_can_be_taken_back() {
        let mut offsets = Offsets::same(3);
        assert_eq!(offsets.take_back(1), 2..3);
        offsets.made(2, 2..5);
        assert_eq!((offsets.start(2), offsets.end(4), offsets.end(2)), (2, 5, 2));
        assert_eq!(offsets.take_back(2), 2..5);
        assert_eq!(offsets.end(2), 2);
    }
}
