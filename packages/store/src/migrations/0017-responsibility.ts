import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/**
 * Who acts on a risk: the owner of the stage whose layers brought it. And what follows when a base was fixed: a task for
 * every repository whose images stand on the old one.
 */
export const responsibility: NamedMigration = {
  name: "0017-responsibility",
  async up(db) {
    await statements(
      db,
      `ALTER TABLE risk ADD COLUMN stage_id bigint, ADD COLUMN stage_image_id bigint,
         ADD COLUMN verdict text CHECK (verdict IN ('base', 'own')), ADD COLUMN actor_id bigint;
       CREATE INDEX risk_actor ON risk (tenant_id, actor_id, state);
       CREATE TABLE rebuild_task (
         ${ID}, ${TENANT}, repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
         base_repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
         from_image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE,
         to_image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE, to_tag text NOT NULL,
         findings text[] NOT NULL, state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'cancelled')),
         opened_at timestamptz NOT NULL, closed_at timestamptz, reopened integer NOT NULL DEFAULT 0,
         UNIQUE (repository_id, from_image_id)
       );
       CREATE INDEX rebuild_task_state ON rebuild_task (tenant_id, state, id DESC);
       CREATE INDEX rebuild_task_to ON rebuild_task (to_image_id);`,
    );
    await separateTenants(db, ["rebuild_task"]);
  },
};
