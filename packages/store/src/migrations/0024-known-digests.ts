import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

/**
 * What a digest names beside an image, whichever tags there are: an index is known as long as its images are. Tokens are used up when
 * the certificate that they gave is shown, and epochs of clusters are numbers.
 */
export const knownDigests: NamedMigration = {
  name: "0024-known-digests",
  ofAllRows: true,
  async up(db) {
    await statements(
      db,
      `CREATE TABLE index_image (
         tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE, digest text NOT NULL,
         image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE, PRIMARY KEY (tenant_id, digest, image_id)
       );
       CREATE INDEX index_image_of ON index_image (image_id);
       ALTER TABLE cluster ADD COLUMN token_serial text NOT NULL DEFAULT '';
       UPDATE cluster SET epoch = '';`,
    );
    await separateTenants(db, ["index_image"]);
  },
};
