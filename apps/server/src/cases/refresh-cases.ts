import { announce, type IncidentCase, listCases, refreshCase, type TenantQueries } from "@bulwark/store";
import { findSubjects } from "../search/search.ts";

/** Cases that are watched at once; older ones are looked at when somebody opens them. */
const WATCHED = 200;

/** Looks again at what the cases of a tenant search for; closed ones too, so that what comes back is noticed. */
export async function refreshCases(db: TenantQueries, now: Date): Promise<void> {
  for (const each of await listCases(db, { limit: WATCHED })) await lookAgain(db, each, now);
}

/** Looks again at one case. */
export async function lookAgain(
  db: TenantQueries,
  { id, query }: Pick<IncidentCase, "id" | "query">,
  now: Date,
): Promise<void> {
  const { subjects, undetermined } = await findSubjects(db, query);
  await refreshCase(
    db,
    id,
    [...subjects, ...undetermined].map((subject) => subject.id),
    now,
  );
  await announce(db, { topic: "cases", id });
}
