//! How values stand in columns: ids and words as text, moments as milliseconds, yes and no as 1 and 0, lists and objects as JSON text.

use std::str::FromStr;

use countersign_model::Timestamp;
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::RecordsError;

/// A row of a table whose records are called `record` in errors.
pub(crate) struct Stored<'r> {
    pub(crate) record: &'static str,
    pub(crate) row: &'r AnyRow,
}

impl Stored<'_> {
    pub(crate) const fn corrupt(&self, field: &'static str) -> RecordsError {
        RecordsError::Corrupt { record: self.record, field }
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<String, RecordsError> {
        self.row.try_get(field).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn text_or_none(&self, field: &'static str) -> Result<Option<String>, RecordsError> {
        self.row.try_get(field).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, field: &'static str) -> Result<T, RecordsError> {
        let number: i64 = self.row.try_get(field).map_err(|_| self.corrupt(field))?;
        T::try_from(number).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn flag(&self, field: &'static str) -> Result<bool, RecordsError> {
        Ok(self.number::<i64>(field)? != 0)
    }

    pub(crate) fn moment(&self, field: &'static str) -> Result<Timestamp, RecordsError> {
        Ok(Timestamp::from_millis(self.number(field)?))
    }

    pub(crate) fn moment_or_none(&self, field: &'static str) -> Result<Option<Timestamp>, RecordsError> {
        let millis: Option<i64> = self.row.try_get(field).map_err(|_| self.corrupt(field))?;
        Ok(millis.map(Timestamp::from_millis))
    }

    /// What is written as its `Display` form: ids, channels.
    pub(crate) fn parsed<T: FromStr>(&self, field: &'static str) -> Result<T, RecordsError> {
        self.text(field)?.parse().map_err(|_| self.corrupt(field))
    }

    pub(crate) fn parsed_or_none<T: FromStr>(&self, field: &'static str) -> Result<Option<T>, RecordsError> {
        let Some(text) = self.text_or_none(field)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, field: &'static str) -> Result<T, RecordsError> {
        serde_json::from_str(&self.text(field)?).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn json_or_none<T: DeserializeOwned>(&self, field: &'static str) -> Result<Option<T>, RecordsError> {
        let Some(text) = self.text_or_none(field)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|_| self.corrupt(field))
    }

    /// 32 bytes in hexadecimal.
    pub(crate) fn hash(&self, field: &'static str) -> Result<[u8; 32], RecordsError> {
        let bytes = HEXLOWER.decode(self.text(field)?.as_bytes()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| self.corrupt(field))
    }
}

/// The JSON text of a list or an object.
pub(crate) fn json<T: Serialize>(record: &'static str, field: &'static str, value: &T) -> Result<String, RecordsError> {
    serde_json::to_string(value).map_err(|_| RecordsError::Corrupt { record, field })
}
