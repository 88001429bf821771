import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

/**
 * Which images the digests mean that containers run by: an image's own, an index's, a tag's. Triggers keep it, so that no writer can forget
 * it, and what stands on a base is counted by what runs without looking at every container.
 */
export const runningImages: NamedMigration = {
  name: "0027-running-images",
  ofAllRows: true,
  async up(db) {
    await statements(db, TABLE);
    await statements(db, NOTES);
    await separateTenants(db, ["running_image"]);
  },
};

/** Rows `(digest, image_id)` of images that a digest means. */
const MEANT = `
  SELECT i.digest, i.id AS image_id FROM image i WHERE i.tenant_id = d.tenant_id AND i.digest = d.digest
  UNION SELECT x.digest, x.image_id FROM index_image x WHERE x.tenant_id = d.tenant_id AND x.digest = d.digest
  UNION SELECT t.digest, ti.image_id FROM tag t JOIN tag_image ti ON ti.tag_id = t.id
    WHERE t.tenant_id = d.tenant_id AND t.digest = d.digest`;

/** Notes what fresh digests mean; always in one order, so that two who do it at once do not wait for each other. */
const NOTE = (digests: string) => `
  INSERT INTO running_image (tenant_id, digest, image_id)
  SELECT d.tenant_id, m.digest, m.image_id FROM (${digests}) d CROSS JOIN LATERAL (${MEANT}) m ORDER BY 1, 2, 3
  ON CONFLICT DO NOTHING;`;

/** What a trigger does when an image got a name: notes it where containers run by that. */
const NAMED = (name: string, tenant: string, digest: string, image: string, table: string) => `
  CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO running_image (tenant_id, digest, image_id)
    SELECT ${tenant}, named.digest, ${image} FROM (${digest}) AS named (digest)
    WHERE EXISTS (SELECT FROM container k WHERE k.tenant_id = ${tenant} AND k.image_digest = named.digest)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$;
  CREATE TRIGGER ${name} AFTER INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${name}();`;

const TABLE = `
  CREATE TABLE running_image (
    tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE, digest text NOT NULL,
    image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE, PRIMARY KEY (tenant_id, digest, image_id)
  );
  CREATE INDEX running_image_of ON running_image (image_id, digest);
  CREATE INDEX container_running ON container (tenant_id, image_digest) WHERE stopped_at IS NULL;
  CREATE INDEX container_running_on ON container (node_id) WHERE stopped_at IS NULL;
  CREATE INDEX container_stopped ON container (tenant_id, stopped_at) WHERE stopped_at IS NOT NULL;
  ${NOTE("SELECT DISTINCT tenant_id, image_digest AS digest FROM container WHERE image_digest <> ''")}
`;

const NOTES = `
  CREATE FUNCTION note_running() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    ${NOTE(`SELECT DISTINCT f.tenant_id, f.image_digest AS digest FROM fresh f WHERE f.image_digest <> '' AND f.stopped_at IS NULL
      AND NOT EXISTS (SELECT FROM running_image r WHERE r.tenant_id = f.tenant_id AND r.digest = f.image_digest)`)}
    RETURN NULL;
  END $$;
  CREATE TRIGGER running_added AFTER INSERT ON container REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_running();
  CREATE TRIGGER running_changed AFTER UPDATE ON container REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_running();
  ${NAMED("note_running_image", "NEW.tenant_id", "SELECT NEW.digest", "NEW.id", "image")}
  ${NAMED("note_running_index", "NEW.tenant_id", "SELECT NEW.digest", "NEW.image_id", "index_image")}
  ${NAMED("note_running_tag", "NEW.tenant_id", "SELECT t.digest FROM tag t WHERE t.id = NEW.tag_id", "NEW.image_id", "tag_image")}
`;
