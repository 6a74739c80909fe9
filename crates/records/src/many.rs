//! Many rows in one statement, in a few sizes, so that a database prepares few statements and keeps them.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

use crate::RecordsError;

/// A statement that values are bound to.
pub(crate) type Statement = Query<'static, Any, AnyArguments>;

/// How many rows a statement takes, the largest size that fits first. `SQLite` takes 32,766 values in a statement.
const SIZES: [usize; 3] = [64, 8, 1];

/// Adds rows: `head` names table and columns, `tail` says what becomes of rows that are there already.
pub(crate) async fn insert_many<T>(
    connection: &mut AnyConnection,
    head: &str,
    columns: usize,
    tail: &str,
    rows: &[T],
    bind: impl Fn(Statement, &T) -> Result<Statement, RecordsError>,
) -> Result<(), RecordsError> {
    for part in parts(rows) {
        let places: Vec<_> = (0..part.len()).map(|row| places(row * columns, columns)).collect();
        // Text of our own: only numbers of values are put into it.
        let mut query = sqlx::query(AssertSqlSafe(format!("{head} VALUES {} {tail}", places.join(", "))));
        for row in part {
            query = bind(query, row)?;
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The rows whose `id` is one of these, in any order. `select` ends before its WHERE.
pub(crate) async fn fetch_many(
    connection: &mut AnyConnection,
    select: &str,
    column: &str,
    ids: &[String],
) -> Result<Vec<AnyRow>, RecordsError> {
    let mut found = Vec::with_capacity(ids.len());
    for part in parts(ids) {
        let mut query = sqlx::query(AssertSqlSafe(format!("{select} WHERE {column} IN {}", places(0, part.len()))));
        for id in part {
            query = query.bind(id.clone());
        }
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// Removes the rows whose column is one of these.
pub(crate) async fn delete_many(
    connection: &mut AnyConnection,
    table: &str,
    column: &str,
    ids: &[String],
) -> Result<(), RecordsError> {
    for part in parts(ids) {
        let mut query = sqlx::query(AssertSqlSafe(format!("DELETE FROM {table} WHERE {column} IN {}", places(0, part.len()))));
        for id in part {
            query = query.bind(id.clone());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// `($3, $4)`
fn places(before: usize, count: usize) -> String {
    let names: Vec<_> = (1..=count).map(|nth| format!("${}", before + nth)).collect();
    format!("({})", names.join(", "))
}

fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (part, rest) = rows.split_at(size);
        rows = rest;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_in_few_sizes() {
        let rows = [0; 139];
        assert_eq!(parts(&rows).map(<[i32]>::len).collect::<Vec<_>>(), [64, 64, 8, 1, 1, 1]);
        assert_eq!(places(2, 3), "($3, $4, $5)");
    }
}
