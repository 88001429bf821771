import { openAdvisoryDatabase } from "@bulwark/advisory";
import { packDatabase, unpackDatabase } from "@bulwark/advisory/maintain";
import { catalog } from "@bulwark/ecosystems";
import { type OpenOptions, pullArtifact, pushArtifact } from "@bulwark/image";
import type { DatabaseInfo } from "@bulwark/model";

const TYPES = {
  artifactType: "application/vnd.bulwark.advisory-database.v1",
  mediaType: "application/vnd.bulwark.advisory-database.v1.sqlite+zstd",
} as const;
const MAX_PACKED_BYTES = 1024 * 1024 * 1024;

/** Pushes the database as an OCI artifact; gives the manifest's digest. */
export function pushDatabase(file: string, reference: string, access: OpenOptions): Promise<string> {
  const { built } = infoOf(file);
  const annotations = { "org.opencontainers.image.created": built };
  return pushArtifact(reference, { ...TYPES, content: packDatabase(file), annotations }, access);
}

/** Pulls the database and puts it in the place of `file`, once it is verified. */
export async function pullDatabase(file: string, reference: string, access: OpenOptions): Promise<DatabaseInfo> {
  unpackDatabase(await pullArtifact(reference, TYPES, MAX_PACKED_BYTES, access), file);
  return infoOf(file);
}

function infoOf(file: string): DatabaseInfo {
  const database = openAdvisoryDatabase(file, catalog);
  const { info } = database;
  database.close();
  return info;
}
