//! What the commands of operators share: the installation under their hand, how fields are given, how records are shown.

use std::fmt::{self, Display};
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use countersign_core::Platform;
use countersign_model::Tenant;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{CliError, Context, Output};
use crate::installation::DEFAULT_TENANT;
use crate::planes::Planes;

/// Opens the installation beside whatever server runs on it, does what is asked for and prints what came of it. Nothing can be sent.
pub(super) async fn operate(
    context: &Context,
    output: Output,
    work: impl AsyncFnOnce(&Platform) -> Result<Shown, CliError>,
) -> Result<ExitCode, CliError> {
    operate_on(Planes::open(&context.load()?.config, &context.data_dir()).await?, output, work).await
}

/// The same on planes that are open already.
pub(super) async fn operate_on(
    planes: Planes,
    output: Output,
    work: impl AsyncFnOnce(&Platform) -> Result<Shown, CliError>,
) -> Result<ExitCode, CliError> {
    let shown = work(&planes.platform).await;
    planes.close().await;
    output.print(&shown?)?;
    Ok(ExitCode::SUCCESS)
}

/// Whose records.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OfTenant {
    /// The tenant, by name or id
    #[arg(long, default_value = DEFAULT_TENANT)]
    tenant: String,
}

impl OfTenant {
    pub(super) async fn find(&self, platform: &Platform) -> Result<Tenant, CliError> {
        find_tenant(platform, &self.tenant).await
    }
}

/// The tenant of that name or id.
pub(super) async fn find_tenant(platform: &Platform, named: &str) -> Result<Tenant, CliError> {
    match platform.tenant(named).await {
        Err(countersign_core::manage::ManageError::Missing(_)) => Err(CliError::Usage(format!("there is no tenant {named}"))),
        found => Ok(found?),
    }
}

/// Fields as the admin API takes them.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FieldArgs {
    #[arg(
        long = "set",
        value_name = "FIELD=VALUE",
        value_parser = parse_field,
        help = "A field and its value, such as profile.code_length=8 or prices=null; a value that is not JSON is a text"
    )]
    set: Vec<(String, Value)>,
    /// A file with a JSON object of fields; - reads it from standard input. What is set by --set stands above it
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

fn parse_field(text: &str) -> Result<(String, Value), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE")?;
    let named = !field.is_empty() && field.split('.').all(|part| !part.is_empty());
    if !named {
        return Err("write FIELD=VALUE, with dots between an object and its fields".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((field.to_owned(), value))
}

impl FieldArgs {
    /// All of them as one object, on top of what the command's own arguments say.
    pub(super) fn object(&self, own: &[(&str, Option<Value>)]) -> Result<Map<String, Value>, CliError> {
        let mut object = match &self.from {
            None => Map::new(),
            Some(file) => read_object(file)?,
        };
        for (name, value) in own {
            if let Some(value) = value {
                object.insert((*name).to_owned(), value.clone());
            }
        }
        for (field, value) in &self.set {
            place(&mut object, field, value.clone());
        }
        Ok(object)
    }
}

fn read_object(file: &PathBuf) -> Result<Map<String, Value>, CliError> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(file).map_err(|error| CliError::Usage(format!("{} cannot be read: {error}", file.display())))?
    };
    serde_json::from_str(&text).map_err(|error| CliError::Usage(format!("{} holds no JSON object: {error}", file.display())))
}

/// Puts a value where a path such as `profile.code_length` leads.
fn place(object: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        object.insert(path.to_owned(), value);
        return;
    };
    let inner = object.entry(first).or_insert(Value::Null);
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        place(inner, rest, value);
    }
}

/// What a command shows: the JSON of the admin API, or lines for people.
pub(super) struct Shown {
    value: Value,
    /// Of a list: what people see of each row.
    columns: &'static [&'static str],
}

impl Shown {
    /// One record.
    pub(super) fn one(record: &impl Serialize) -> Result<Self, CliError> {
        Ok(Self { value: serde_json::to_value(record).map_err(std::io::Error::from)?, columns: &[] })
    }

    /// A record with the secret that is shown this once.
    pub(super) fn made(record: &impl Serialize, secret: Option<&str>) -> Result<Self, CliError> {
        let mut shown = Self::one(record)?;
        shown.value["secret"] = json!(secret);
        Ok(shown)
    }

    /// All of `rows`, under `name` in JSON.
    pub(super) fn list<T: Serialize>(name: &str, rows: &[T], columns: &'static [&'static str]) -> Result<Self, CliError> {
        let rows = serde_json::to_value(rows).map_err(std::io::Error::from)?;
        Ok(Self { value: json!({ name: rows }), columns })
    }

    /// What is gone.
    pub(super) fn deleted(id: impl Display) -> Self {
        Self { value: json!({"id": id.to_string(), "deleted": true}), columns: &[] }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.as_object() {
            Some(object) if !self.columns.is_empty() => {
                let rows = object.values().next().and_then(Value::as_array);
                table(f, rows.map_or(&[], Vec::as_slice), self.columns)
            }
            Some(object) => {
                let lines = flat("", object);
                let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
                let lines = lines.iter().map(|(name, value)| format!("{name:width$}  {value}"));
                f.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
            None => write!(f, "{}", self.value),
        }
    }
}

/// Fields by their paths, as `--set` takes them: `wallet.balance`.
fn flat(place: &str, object: &Map<String, Value>) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (name, value) in object {
        let path = format!("{place}{name}");
        match value {
            Value::Object(inner) if !inner.is_empty() => lines.extend(flat(&format!("{path}."), inner)),
            Value::Object(_) => lines.push((path, text(&Value::Null))),
            other => lines.push((path, text(other))),
        }
    }
    lines
}

/// Rows under the names of their columns; no column is wider than need be.
fn table(f: &mut fmt::Formatter<'_>, rows: &[Value], columns: &[&str]) -> fmt::Result {
    let shown: Vec<Vec<String>> = std::iter::once(columns.iter().map(|column| (*column).to_owned()).collect())
        .chain(rows.iter().map(|row| columns.iter().map(|column| text(&row[*column])).collect()))
        .collect();
    let widths: Vec<usize> =
        (0..columns.len()).map(|at| shown.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let lines = shown.iter().map(|row| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    });
    f.write_str(&lines.collect::<Vec<_>>().join("\n"))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            if items.is_empty() {
                "-".to_owned()
            } else {
                items.iter().map(text).collect::<Vec<_>>().join(",")
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(set: &[&str]) -> FieldArgs {
        FieldArgs { set: set.iter().map(|text| parse_field(text).unwrap()).collect(), from: None }
    }

    #[test]
    fn fields_become_one_object_and_what_is_no_json_is_a_text() {
        let args =
            fields(&["profile.code_length=8", "profile.app_name=Acme Ltd", "prices=null", "limits={\"active_per_user\":3}"]);
        let object = args.object(&[("name", Some(json!("shop"))), ("email", None)]).unwrap();
        let expected = json!({
            "name": "shop", "profile": {"code_length": 8, "app_name": "Acme Ltd"}, "prices": null, "limits": {"active_per_user": 3},
        });
        assert_eq!(Value::Object(object), expected);
        for wrong in ["name", "=1", "a..b=1", ".a=1"] {
            assert!(parse_field(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn people_see_lines_and_scripts_see_json() {
        let rows =
            [json!({"id": "a", "name": "shop", "scopes": ["read", "write"]}), json!({"id": "bcd", "name": null, "scopes": []})];
        let list = Shown::list("services", &rows, &["id", "name", "scopes"]).unwrap();
        assert_eq!(list.to_string(), "id   name  scopes\na    shop  read,write\nbcd  -     -");
        assert_eq!(serde_json::to_value(&list).unwrap()["services"][1]["id"], "bcd");
        let one = Shown::made(&json!({"id": "a"}), Some("s")).unwrap();
        assert_eq!(one.to_string(), "id      a\nsecret  s");
        let wallet =
            Shown::one(&json!({"currency": "USD", "wallet": {"balance": "1.00", "held": "0.25"}, "limits": {}})).unwrap();
        assert_eq!(wallet.to_string(), "currency        USD\nwallet.balance  1.00\nwallet.held     0.25\nlimits          -");
    }
}
