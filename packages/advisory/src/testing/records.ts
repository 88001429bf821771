/** An OSV record for tests; `fields` replace the defaults. */
export function osv(id: string, fields: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { id, modified: "2026-01-01T00:00:00Z", summary: `About ${id}`, affected: [affected()], ...fields };
}

/** An affected package: all versions below 2. */
export function affected(fields: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    package: { ecosystem: "npm", name: "thing" },
    ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0" }] }],
    ...fields,
  };
}

/** A range of events. */
export function range(...events: readonly Readonly<Record<string, string>>[]): object {
  return { type: "ECOSYSTEM", events };
}
