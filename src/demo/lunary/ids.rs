//! Ids: the spellings of a UUID that are understood, and UUIDs that can be read back to where in the world a run is.

use crate::{demo::rng::Dice, model::Day};

/// A UUID in lower case with dashes, if the text is one in any spelling that the database takes.
pub(super) fn uuid_of(text: &str) -> Option<String> {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let digits: String = inner.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) || inner.starts_with('-') {
        return None;
    }
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    Some([group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-"))
}

/// Where in a world a row comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) project: usize,
    pub(super) day: Day,
    pub(super) prompt: usize,
    pub(super) engine: usize,
    /// 0 is the run itself; other rows of a day have numbers of their own.
    pub(super) part: u64,
}

const PACKED_BITS: u32 = 60;
const CHECK_BITS: u32 = 62;

impl Place {
    fn pack(self) -> u64 {
        let day = u64::from(self.day.epoch_days().unsigned_abs());
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let parts = [(day, 20), (number(self.prompt), 16), (number(self.engine), 8), (self.part, 8)];
        parts
            .into_iter()
            .fold(number(self.project) & 0xff, |packed, (part, bits)| (packed << bits) | (part & ((1 << bits) - 1)))
    }

    fn unpack(packed: u64) -> Option<Self> {
        let part = |shift: u32, bits: u32| (packed >> shift) & ((1 << bits) - 1);
        Some(Self {
            project: usize::try_from(part(52, 8)).ok()?,
            day: Day::from_epoch_days(i32::try_from(part(32, 20)).ok()?),
            prompt: usize::try_from(part(16, 16)).ok()?,
            engine: usize::try_from(part(8, 8)).ok()?,
            part: part(0, 8),
        })
    }

    /// A UUID (version 4 in form) that no one can guess by counting, and that [`Place::of`] reads back.
    pub(super) fn id(self, seed: u64) -> String {
        let packed = self.pack();
        let check = check(seed, packed);
        let veiled = packed ^ veil(seed, check);
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            veiled >> 28,
            (veiled >> 12) & 0xffff,
            veiled & 0xfff,
            0x8000 | (check >> 48),
            check & 0xffff_ffff_ffff
        )
    }

    /// Where the run of this id is; none for ids that are not of this world.
    pub(super) fn of(seed: u64, id: &str) -> Option<Self> {
        let digits: String = id.chars().filter(|c| *c != '-').collect();
        let hex = |from: usize, to: usize| u64::from_str_radix(digits.get(from..to)?, 16).ok();
        let veiled = (hex(0, 12)? << 12) | hex(13, 16)?;
        let found = hex(16, 32)? & ((1 << CHECK_BITS) - 1);
        let packed = veiled ^ veil(seed, found);
        if check(seed, packed) == found { Self::unpack(packed) } else { None }
    }
}

fn check(seed: u64, packed: u64) -> u64 {
    Dice::at(seed, &[0x1d, packed]).word() & ((1 << CHECK_BITS) - 1)
}

fn veil(seed: u64, check: u64) -> u64 {
    Dice::at(seed, &[0x1e, check]).word() & ((1 << PACKED_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_to_its_place() {
        let places = [(0, 0, 0, 0), (1, 23, 3, 0), (255, 65_535, 255, 255), (2, 499, 5, 7)];
        for (project, prompt, engine, part) in places {
            let place = Place { project, day: Day::from_epoch_days(20_778), prompt, engine, part };
            let id = place.id(7);
            assert_eq!(Place::of(7, &id), Some(place), "{id}");
            assert_eq!(uuid_of(&id).as_deref(), Some(id.as_str()));
            assert_eq!(id.as_bytes()[14], b'4', "{id}");
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
            assert_eq!(Place::of(8, &id), None);
        }
        assert_eq!(Place::of(7, "00000000-0000-4000-8000-000000000000"), None);
    }

    #[test]
    fn a_uuid_has_several_spellings() {
        let plain = "3b420e08-5210-43b8-aa31-80a2daff575c";
        let good = [plain.to_owned(), plain.to_uppercase(), plain.replace('-', ""), format!("{{{plain}}}")];
        for text in good {
            assert_eq!(uuid_of(&text).as_deref(), Some(plain), "{text}");
        }
        for bad in ["", "nope", "null", "3b420e08-5210-43b8-aa31-80a2daff575c ", "3b420e08-5210-43b8-aa31-80a2daff575g"]
        {
            assert_eq!(uuid_of(bad), None, "{bad}");
        }
    }
}
