import {
  announce,
  type ConcernedImages,
  casesConcerning,
  getCase,
  giveNotice,
  type IncidentCase,
  listCases,
  refreshCase,
  type TenantQueries,
} from "@bulwark/store";
import { findSubjects } from "../search/search.ts";

/** Cases that are watched at once; older ones are looked at when somebody opens them. */
const WATCHED = 200;

/** Looks again at what the cases of a tenant search for; closed ones too, so that what comes back is noticed. */
export async function refreshCases(db: TenantQueries, now: Date): Promise<void> {
  for (const each of await listCases(db, { limit: WATCHED })) await lookAgain(db, each, now);
}

/** Looks again at what happened to some images, in the cases that they concern: at the end of a scan, and when tags move. */
export async function refreshCasesOf(db: TenantQueries, of: ConcernedImages, now: Date): Promise<void> {
  for (const each of await casesConcerning(db, of)) await lookAgain(db, each, now, of);
}

/** Looks again at one case; at some images of it only, where they are given. */
export async function lookAgain(
  db: TenantQueries,
  { id, query }: Pick<IncidentCase, "id" | "query">,
  now: Date,
  of?: ConcernedImages,
): Promise<void> {
  const { subjects, undetermined } = await findSubjects(db, query);
  const before = await getCase(db, id);
  await refreshCase(
    db,
    id,
    [...subjects, ...undetermined].map((subject) => subject.id),
    now,
    of,
  );
  await noticeChange(db, before, await getCase(db, id), now);
  await announce(db, { topic: "cases", id });
}

/** A case whose images came, went or are all gone is told of. */
async function noticeChange(
  db: TenantQueries,
  before: IncidentCase | undefined,
  after: IncidentCase | undefined,
  now: Date,
): Promise<void> {
  if (before === undefined || after === undefined) return;
  const { id, title, open, closed, closedAt } = after;
  if (before.open === open && before.closed === closed) return;
  await giveNotice(db, "case.changed", { facts: { case: id, title, open, closed, isClosed: closedAt !== null } }, now);
}
