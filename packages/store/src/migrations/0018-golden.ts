import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
const VERSION_STATE = "state text NOT NULL CHECK (state IN ('published', 'at-risk', 'deprecated', 'revoked'))";

/**
 * Golden images: which repositories others may build on, their versions, and what build rules say of every image. Versions
 * are known by their chains, which outlive the image in its registry: what was revoked stays so.
 */
export const golden: NamedMigration = {
  name: "0018-golden",
  ofAllRows: true,
  async up(db) {
    await statements(
      db,
      `CREATE TABLE build_rule_file (
         ${ID}, ${TENANT}, name text NOT NULL, content text NOT NULL, enabled boolean NOT NULL DEFAULT true,
         changed_by text NOT NULL, changed_at timestamptz NOT NULL, UNIQUE (tenant_id, name)
       );
       CREATE TABLE image_assessment (
         ${TENANT}, image_id bigint PRIMARY KEY REFERENCES image ON DELETE CASCADE,
         -- Null until it was assessed.
         passed boolean, violations jsonb NOT NULL DEFAULT '[]', rules_version text, assessed_at timestamptz,
         base_state text NOT NULL DEFAULT 'none', stale boolean NOT NULL DEFAULT false
       ) WITH (fillfactor = 80);
       CREATE INDEX image_assessment_stale ON image_assessment (tenant_id, image_id) WHERE stale;
       CREATE INDEX image_assessment_rules ON image_assessment (tenant_id, rules_version);
       CREATE TABLE golden (
         ${ID}, ${TENANT}, repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
         -- One image alone; empty for whatever the repository's tags name.
         digest text NOT NULL DEFAULT '', purpose text NOT NULL, owner_id bigint REFERENCES owner ON DELETE SET NULL,
         state text NOT NULL CHECK (state IN ('proposed', 'approved', 'published', 'deprecated', 'revoked')),
         proposed_by bigint NOT NULL, proposed_at timestamptz NOT NULL, approved_by bigint, approved_at timestamptz,
         successor_id bigint REFERENCES golden ON DELETE SET NULL, reason text NOT NULL DEFAULT '',
         UNIQUE (repository_id, digest)
       );
       CREATE INDEX golden_state ON golden (tenant_id, state, id DESC);
       CREATE TABLE golden_version (
         ${ID}, ${TENANT}, golden_id bigint NOT NULL REFERENCES golden ON DELETE CASCADE,
         image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE, chain text NOT NULL, layers smallint NOT NULL,
         platform text NOT NULL, tag text NOT NULL, description text NOT NULL, ${VERSION_STATE},
         previous_id bigint REFERENCES golden_version ON DELETE SET NULL, published_by text NOT NULL,
         published_at timestamptz NOT NULL, changed_at timestamptz NOT NULL, reason text NOT NULL DEFAULT '',
         UNIQUE (golden_id, image_id)
       );
       CREATE INDEX golden_version_chain ON golden_version (tenant_id, chain);
       CREATE INDEX golden_version_image ON golden_version (image_id);
       CREATE TABLE golden_event (
         ${ID}, ${TENANT}, golden_id bigint NOT NULL REFERENCES golden ON DELETE CASCADE, version_id bigint,
         at timestamptz NOT NULL, actor text NOT NULL, action text NOT NULL, detail text NOT NULL DEFAULT ''
       );
       CREATE INDEX golden_event_golden ON golden_event (golden_id, id DESC);`,
    );
    await statements(db, NOTES);
    await separateTenants(db, ["build_rule_file", "image_assessment", "golden", "golden_version", "golden_event"]);
  },
};

/** Whatever scans an image, it is assessed afterwards. */
const NOTES = `
  CREATE FUNCTION note_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO image_assessment (tenant_id, image_id, stale) VALUES (NEW.tenant_id, NEW.id, true)
    ON CONFLICT (image_id) DO UPDATE SET stale = true;
    RETURN NULL;
  END $$;
  CREATE TRIGGER assessment_wanted AFTER INSERT ON image FOR EACH ROW WHEN (NEW.state = 'scanned')
    EXECUTE FUNCTION note_assessment();
  CREATE TRIGGER assessment_wanted_again AFTER UPDATE ON image FOR EACH ROW
    WHEN (NEW.state = 'scanned' AND (OLD.state <> 'scanned' OR OLD.scanned_at IS DISTINCT FROM NEW.scanned_at))
    EXECUTE FUNCTION note_assessment();
  INSERT INTO image_assessment (tenant_id, image_id, stale) SELECT tenant_id, id, true FROM image WHERE state = 'scanned';
`;
