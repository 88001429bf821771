import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/**
 * The forest of base images: the trie of layer chains with its unbranched stretches left out (a radix tree). A node is a
 * chain on which images end, or at which images of the estate part. Since every parting is a node already, a new image
 * splits one stretch at most. Triggers note the chains whose images changed, so that no writer can forget it; who grows
 * the forest works them off. Of an estate that was there before, the first full build makes it.
 */
export const lineage: NamedMigration = {
  name: "0014-lineage",
  async up(db) {
    await statements(db, TABLES);
    await statements(db, NOTES);
    await separateTenants(db, ["lineage_node", "lineage_change", "lineage_risk", "lineage_spread", "tag_move"]);
  },
};

const TABLES = `
  -- Derived from images and chains, and written by one process at a time: it needs no foreign keys.
  CREATE TABLE lineage_node (
    chain_id bigint PRIMARY KEY, ${TENANT}, layers smallint NOT NULL,
    -- The node below, and the first chain above it on the way here: no two nodes share the latter.
    parent_id bigint, edge_id bigint NOT NULL UNIQUE,
    images integer NOT NULL DEFAULT 0, live integer NOT NULL DEFAULT 0, beneath integer NOT NULL DEFAULT 0,
    -- The repository of all images at and above the node; null with \`several\` where they are of more than one.
    repository_id bigint, several boolean NOT NULL DEFAULT false,
    -- The image that stands for the node, and the node of the base that its builder declared.
    image_id bigint, declared_id bigint,
    claim text NOT NULL DEFAULT 'none' CHECK (claim IN ('none', 'agrees', 'used', 'contradicted', 'unresolved', 'cyclic'))
  ) WITH (fillfactor = 80);
  CREATE INDEX lineage_node_parent ON lineage_node (parent_id, beneath DESC, chain_id);
  CREATE INDEX lineage_node_roots ON lineage_node (tenant_id, beneath DESC, chain_id) WHERE parent_id IS NULL;
  CREATE INDEX lineage_node_declared ON lineage_node (declared_id) WHERE declared_id IS NOT NULL;
  -- Chains whose images changed since the forest was grown last.
  CREATE TABLE lineage_change (${ID}, ${TENANT}, chain_id bigint NOT NULL);
  -- Findings with a fix that a node's own layers bring, or take away of what the layer at \`from_depth\` brought.
  CREATE TABLE lineage_risk (
    ${TENANT}, chain_id bigint NOT NULL, from_depth smallint NOT NULL, critical integer NOT NULL, high integer NOT NULL,
    medium integer NOT NULL, exploited integer NOT NULL, PRIMARY KEY (chain_id, from_depth)
  );
  CREATE TABLE lineage_spread (
    ${TENANT}, day date NOT NULL, measured_at timestamptz NOT NULL, spread jsonb NOT NULL, PRIMARY KEY (tenant_id, day)
  );
  CREATE TABLE tag_move (
    ${ID}, ${TENANT}, tag_id bigint NOT NULL REFERENCES tag ON DELETE CASCADE, digest text NOT NULL,
    image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE, left_at timestamptz NOT NULL
  );
  CREATE INDEX tag_move_tag ON tag_move (tag_id, id);
  CREATE INDEX tag_move_image ON tag_move (image_id);
  ALTER TABLE image ADD COLUMN declared_base text GENERATED ALWAYS AS
    (CASE WHEN base->>'how' IN ('annotation', 'provenance') THEN nullif(base->>'digest', '') END) STORED;
  CREATE INDEX image_declared_base ON image (declared_base) WHERE declared_base IS NOT NULL;
  CREATE INDEX tag_digest ON tag (digest);
`;

const NOTES = `
  CREATE FUNCTION note_lineage() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_OP <> 'INSERT' AND OLD.chain_id IS NOT NULL THEN
      INSERT INTO lineage_change (tenant_id, chain_id) VALUES (OLD.tenant_id, OLD.chain_id);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.chain_id IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.chain_id IS DISTINCT FROM NEW.chain_id) THEN
      INSERT INTO lineage_change (tenant_id, chain_id) VALUES (NEW.tenant_id, NEW.chain_id);
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER lineage_added AFTER INSERT ON image FOR EACH ROW WHEN (NEW.chain_id IS NOT NULL)
    EXECUTE FUNCTION note_lineage();
  CREATE TRIGGER lineage_changed AFTER UPDATE ON image FOR EACH ROW
    WHEN (OLD.chain_id IS DISTINCT FROM NEW.chain_id OR (OLD.state = 'gone') <> (NEW.state = 'gone') OR OLD.base IS DISTINCT FROM NEW.base)
    EXECUTE FUNCTION note_lineage();
  CREATE TRIGGER lineage_removed AFTER DELETE ON image FOR EACH ROW WHEN (OLD.chain_id IS NOT NULL)
    EXECUTE FUNCTION note_lineage();
  CREATE FUNCTION note_lineage_place() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO lineage_change (tenant_id, chain_id)
    SELECT NEW.tenant_id, chain_id FROM image WHERE id = NEW.image_id AND chain_id IS NOT NULL;
    RETURN NULL;
  END $$;
  CREATE TRIGGER lineage_placed AFTER INSERT ON image_location FOR EACH ROW EXECUTE FUNCTION note_lineage_place();
  CREATE FUNCTION note_tag_move() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO tag_move (tenant_id, tag_id, digest, image_id, left_at)
    SELECT OLD.tenant_id, OLD.id, OLD.digest, ti.image_id, NEW.moved_at FROM tag_image ti WHERE ti.tag_id = OLD.id;
    RETURN NULL;
  END $$;
  CREATE TRIGGER tag_moved AFTER UPDATE ON tag FOR EACH ROW WHEN (OLD.digest <> NEW.digest) EXECUTE FUNCTION note_tag_move();
`;
