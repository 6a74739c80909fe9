//! The tenants' own words for messages.

use countersign_model::{Template, TenantId, Uuid};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Stored;
use crate::configuration::{lock, touch_tenant};
use crate::transaction::{On, change};

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, tenant_id, service_id, channel, locale, name, subject, body, version, by_choice, created_at FROM templates ",
            $which
        )
    };
}

/// The table of templates, every version. Made by [`Records::templates`](crate::Records::templates).
///
/// A text that was sent is never changed: a change is a new version, and the newest is the one in use.
#[derive(Debug)]
pub struct Templates<'a> {
    pub(crate) on: On<'a>,
}

impl Templates<'_> {
    /// Adds a template's first version to the tenant it names, and gives the tenant's new revision. The tenant has a template of this id
    /// already: [`RecordsError::Exists`]; no such tenant or service: [`RecordsError::Missing`].
    pub async fn insert(self, template: &Template) -> Result<u64, RecordsError> {
        change!(self.on, |connection| insert(connection, template).await)
    }

    /// Adds a version: `template.version` is what it read plus one. Who changes what somebody else has just changed gets
    /// [`RecordsError::Exists`]; a version of nothing, or one that leaves a gap, is [`RecordsError::Missing`].
    pub async fn update(self, template: &Template) -> Result<u64, RecordsError> {
        change!(self.on, |connection| update(connection, template).await)
    }

    /// Removes all versions and gives the tenant's new revision; none where the tenant has no such template.
    pub async fn delete(self, tenant: TenantId, id: Uuid) -> Result<Option<u64>, RecordsError> {
        change!(self.on, |connection| delete(connection, tenant, id).await)
    }

    /// The newest version of a template, where the tenant has it.
    pub async fn find(self, tenant: TenantId, id: Uuid) -> Result<Option<Template>, RecordsError> {
        Ok(self.versions(tenant, id).await?.into_iter().next())
    }

    /// All versions of a template, the newest first; none where the tenant has no such template.
    pub async fn versions(self, tenant: TenantId, id: Uuid) -> Result<Vec<Template>, RecordsError> {
        let rows = sqlx::query(select!("WHERE tenant_id = $1 AND id = $2 ORDER BY version DESC"))
            .bind(tenant.to_string())
            .bind(id.to_string())
            .fetch_all(&mut *self.on.reader().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The newest version of each template of one tenant, by id.
    pub async fn list(self, tenant: TenantId) -> Result<Vec<Template>, RecordsError> {
        let rows = sqlx::query(select!(
            "AS one WHERE tenant_id = $1 AND version = \
             (SELECT MAX(version) FROM templates WHERE tenant_id = one.tenant_id AND id = one.id) ORDER BY id"
        ))
        .bind(tenant.to_string())
        .fetch_all(&mut *self.on.reader().await?)
        .await?;
        rows.iter().map(read).collect()
    }

    /// The newest version of each template of all tenants.
    pub(crate) async fn all(self) -> Result<Vec<Template>, RecordsError> {
        let rows = sqlx::query(select!(
            "AS one WHERE version = \
             (SELECT MAX(version) FROM templates WHERE tenant_id = one.tenant_id AND id = one.id) ORDER BY tenant_id, id"
        ))
        .fetch_all(&mut *self.on.reader().await?)
        .await?;
        rows.iter().map(read).collect()
    }
}

async fn insert(connection: &mut AnyConnection, template: &Template) -> Result<u64, RecordsError> {
    let revision = touch_tenant(&mut *connection, template.tenant).await?;
    if newest(&mut *connection, template).await?.is_some() {
        return Err(RecordsError::Exists);
    }
    write(connection, template).await?;
    Ok(revision)
}

async fn update(connection: &mut AnyConnection, template: &Template) -> Result<u64, RecordsError> {
    let revision = touch_tenant(&mut *connection, template.tenant).await?;
    let newest = newest(&mut *connection, template).await?.ok_or(RecordsError::Missing)?;
    match i64::from(template.version) - newest {
        1 => write(connection, template).await?,
        ..=0 => return Err(RecordsError::Exists),
        2.. => return Err(RecordsError::Missing),
    }
    Ok(revision)
}

async fn newest(connection: &mut AnyConnection, template: &Template) -> Result<Option<i64>, RecordsError> {
    let newest = sqlx::query_scalar("SELECT MAX(version) FROM templates WHERE tenant_id = $1 AND id = $2")
        .bind(template.tenant.to_string())
        .bind(template.id.to_string())
        .fetch_one(connection)
        .await?;
    Ok(newest)
}

async fn write(connection: &mut AnyConnection, template: &Template) -> Result<(), RecordsError> {
    sqlx::query(
        "INSERT INTO templates (tenant_id, id, version, service_id, channel, locale, name, subject, body, created_at, by_choice) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(template.tenant.to_string())
    .bind(template.id.to_string())
    .bind(i64::from(template.version))
    .bind(template.service.map(|service| service.to_string()))
    .bind(template.channel.as_str())
    .bind(&template.locale)
    .bind(&template.name)
    .bind(template.subject.as_deref())
    .bind(&template.body)
    .bind(template.created_at.millis())
    .bind(i64::from(template.by_choice))
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut AnyConnection, tenant: TenantId, id: Uuid) -> Result<Option<u64>, RecordsError> {
    lock(&mut *connection).await?;
    let gone = sqlx::query("DELETE FROM templates WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.to_string())
        .bind(id.to_string())
        .execute(&mut *connection)
        .await?;
    if gone.rows_affected() == 0 {
        return Ok(None);
    }
    touch_tenant(connection, tenant).await.map(Some)
}

fn read(row: &AnyRow) -> Result<Template, RecordsError> {
    let stored = Stored { record: "template", row };
    Ok(Template {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        service: stored.parsed_or_none("service_id")?,
        channel: stored.parsed("channel")?,
        locale: stored.text("locale")?,
        name: stored.text("name")?,
        subject: stored.text_or_none("subject")?,
        body: stored.text("body")?,
        version: stored.number("version")?,
        by_choice: stored.flag("by_choice")?,
        created_at: stored.moment("created_at")?,
    })
}
