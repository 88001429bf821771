import { type RawBuilder, sql } from "kysely";

/** Images that something happened to: a scan ended, or tags of a repository moved. */
export interface ConcernedImages {
  readonly images?: readonly number[];
  readonly repositories?: readonly number[];
}

/** Condition on a column with the id of an image. */
export function isConcerned(of: ConcernedImages, image: string): RawBuilder<unknown> {
  const { images = [], repositories = [] } = of;
  return sql`(${sql.ref(image)} = ANY(${images}::bigint[]) OR ${sql.ref(image)} IN (
    SELECT image_id FROM image_location WHERE repository_id = ANY(${repositories}::bigint[])))`;
}
