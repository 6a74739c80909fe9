//! `MessagePack` as the scripts of an engine read and write it: whole numbers, byte strings, yes and no, arrays. No is also what stands where
//! there is nothing.

use rmp::{Marker, decode, encode};

/// A packed value is not of the form that this release reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a packed value cannot be read")]
pub(crate) struct Malformed;

/// Room for a usual session, so that packing one does not grow its buffer step by step.
const USUAL_SIZE: usize = 768;

/// Appends values to a buffer. Writing to memory does not fail.
#[derive(Debug)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(USUAL_SIZE))
    }

    pub(crate) fn array(&mut self, length: usize) -> &mut Self {
        let _written = encode::write_array_len(&mut self.0, u32::try_from(length).unwrap_or(u32::MAX));
        self
    }

    pub(crate) fn int(&mut self, number: impl Into<i64>) -> &mut Self {
        let _written = encode::write_sint(&mut self.0, number.into());
        self
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let _written = encode::write_str_len(&mut self.0, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn flag(&mut self, flag: bool) -> &mut Self {
        let _written = encode::write_bool(&mut self.0, flag);
        self
    }

    /// What stands where there is nothing.
    pub(crate) fn none(&mut self) -> &mut Self {
        self.flag(false)
    }

    pub(crate) fn int_or_none(&mut self, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.int(number),
            None => self.none(),
        }
    }

    pub(crate) fn bytes_or_none(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.none(),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// What a value may be where it may be several things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A small whole number.
    Number,
    /// A byte string.
    Bytes,
    /// Anything else.
    Other,
}

/// Takes values from the front of a buffer.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(packed: &'a [u8]) -> Self {
        Self(packed)
    }

    pub(crate) fn array(&mut self) -> Result<usize, Malformed> {
        // A script writes a table without entries as whichever it likes.
        if self.0.first() == Some(&Marker::FixMap(0).to_u8()) {
            self.0 = &self.0[1..];
            return Ok(0);
        }
        decode::read_array_len(&mut self.0).map(|length| length as usize).map_err(|_| Malformed)
    }

    /// An array of exactly so many values.
    pub(crate) fn array_of(&mut self, length: usize) -> Result<(), Malformed> {
        if self.array()? == length { Ok(()) } else { Err(Malformed) }
    }

    pub(crate) fn int<T: TryFrom<i64>>(&mut self) -> Result<T, Malformed> {
        let number: i64 = decode::read_int(&mut self.0).map_err(|_| Malformed)?;
        T::try_from(number).map_err(|_| Malformed)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = decode::read_str_len(&mut self.0).map_err(|_| Malformed)? as usize;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.bytes()?.try_into().map_err(|_| Malformed)
    }

    pub(crate) fn id(&mut self) -> Result<u128, Malformed> {
        self.fixed().map(u128::from_be_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        decode::read_bool(&mut self.0).map_err(|_| Malformed)
    }

    /// None where nothing stands; otherwise what `read` takes.
    pub(crate) fn or_none<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
        if self.0.first() == Some(&Marker::False.to_u8()) {
            self.0 = &self.0[1..];
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// What comes next.
    pub(crate) fn kind(&self) -> Kind {
        match self.0.first().map(|first| Marker::from_u8(*first)) {
            Some(Marker::FixPos(_)) => Kind::Number,
            Some(Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32) => Kind::Bytes,
            _ => Kind::Other,
        }
    }

    /// Nothing may be left.
    pub(crate) const fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}
