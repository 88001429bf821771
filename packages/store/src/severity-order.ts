import { SEVERITIES } from "@bulwark/model";
import { type RawBuilder, sql } from "kysely";

const LIST = `ARRAY[${SEVERITIES.map((severity) => `'${severity}'`).join(", ")}]`;

/**
 * The place of a severity in their order, 1 for the worst.
 *
 * @param column written into the statement as it is
 */
export function severityOrder(column: string): RawBuilder<number> {
  return sql<number>`${sql.raw(`array_position(${LIST}, ${column})`)}`;
}
