//! UUIDs as numbers: 16 bytes in a table of a hundred thousand rows, and in the same order
//! as their text, which is what the cloud sorts ties by.

use std::fmt;
use std::str::FromStr;

use rand::Rng;

/// A UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u128);

/// The text is no UUID.
#[derive(Debug)]
pub(crate) struct NotAnId;

impl Id {
    /// A random (version 4) UUID.
    pub(crate) fn random(rng: &mut impl Rng) -> Self {
        let raw = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        Self(raw & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62))
    }

    /// The 32 hexadecimal digits without dashes, as Keystone writes its ids.
    pub(crate) fn simple(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Appends the usual text with dashes.
    pub(crate) fn write(self, out: &mut String) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for position in 0..32 {
            if matches!(position, 8 | 12 | 16 | 20) {
                out.push('-');
            }
            let digit = (self.0 >> (124 - 4 * position)) & 0xf;
            out.push(char::from(DIGITS[digit as usize]));
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(36);
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut value = 0;
        let mut digits = 0;
        for (position, byte) in text.bytes().enumerate() {
            if text.len() == 36 && matches!(position, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(NotAnId);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(NotAnId)?;
            value = value << 4 | u128::from(digit);
            digits += 1;
            if digits > 32 {
                return Err(NotAnId);
            }
        }
        if digits == 32 {
            Ok(Self(value))
        } else {
            Err(NotAnId)
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn an_id_survives_being_written_and_read() {
        let id = Id::random(&mut StdRng::seed_from_u64(7));
        let text = id.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "4");
        assert_eq!(text.parse::<Id>().ok(), Some(id));
        assert_eq!(id.simple().parse::<Id>().ok(), Some(id));
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in ["", "zzz", "1234", "a83be301-0000-4000-8000-00000000000g"] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_sort_like_their_text() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut ids: Vec<Id> = (0..100).map(|_| Id::random(&mut rng)).collect();
        ids.sort();
        let mut texts: Vec<String> = ids.iter().map(Id::to_string).collect();
        texts.sort();
        assert_eq!(texts, ids.iter().map(Id::to_string).collect::<Vec<_>>());
    }
}
