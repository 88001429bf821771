import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { RuntimeEvent } from "@bulwark/model";
import { readBatch, type TenantQueries } from "@bulwark/store";
import { runtimeEvents } from "../gateway/runtime-events.ts";
import { eventBatch } from "../gateway/wire.ts";

const decompress = promisify(zstdDecompress);
const MAX_BATCH_BYTES = 64 * 1024 * 1024;

/** Events of a stored batch, by position; undefined when it is not kept any more. */
export async function decodeBatch(
  db: TenantQueries,
  batchId: number,
): Promise<readonly (RuntimeEvent | undefined)[] | undefined> {
  const batch = await readBatch(db, batchId);
  if (batch === undefined) return undefined;
  return readEvents(batch.content);
}

/** Events of a batch as it is stored, by position; undefined those whose type this server does not know. */
export async function readEvents(content: Buffer): Promise<readonly (RuntimeEvent | undefined)[]> {
  const bytes = await decompress(content, { maxOutputLength: MAX_BATCH_BYTES });
  return runtimeEvents(eventBatch.decode(bytes));
}
