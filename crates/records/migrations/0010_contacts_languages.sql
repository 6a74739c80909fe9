-- In which language a contact is written to, where the tenant says so: a BCP 47 tag.
ALTER TABLE contacts ADD COLUMN locale TEXT;

-- Whether a tenant says so of anybody is asked before its contacts are: without such a contact no row is read.
CREATE INDEX contacts_with_locale ON contacts (tenant_id) WHERE locale IS NOT NULL;
