import {
  type FoundSubject,
  type ImagePlace,
  type Located,
  locateSubjects,
  type Sight,
  subjectsByName,
  subjectsByVulnerability,
  type TenantQueries,
} from "@bulwark/store";
import { ServerError } from "../errors.ts";
import { isInRange, parseRange } from "./version-range.ts";

/** Versions of one component that are looked at. */
const MAX_SUBJECTS = 20_000;

/** What is looked for in an emergency: a component in a range of versions, or a vulnerability that is on record. */
export interface SearchQuery {
  readonly component?: string;
  readonly ecosystem?: string;
  readonly range?: string;
  readonly vulnerability?: string;
}

export interface SearchResult extends Located {
  /** The package versions that were found in the estate and lie in the range. */
  readonly subjects: readonly FoundSubject[];
  /** Versions that the ecosystem's order could not place: never to be taken for unaffected. */
  readonly undetermined: readonly FoundSubject[];
}

/**
 * Finds everything of the estate that holds a component, at once and without a scan.
 *
 * @throws ServerError `INVALID_REQUEST`
 */
export async function searchEstate(
  db: TenantQueries,
  query: SearchQuery,
  sight: Sight,
  after?: ImagePlace,
): Promise<SearchResult> {
  const { subjects, undetermined } = await findSubjects(db, query);
  const ids = [...subjects, ...undetermined].map(({ id }) => id);
  return { ...(await locateSubjects(db, ids, sight, after)), subjects, undetermined };
}

/** The package versions that a query means. */
export async function findSubjects(
  db: TenantQueries,
  { component, ecosystem, range = "", vulnerability }: SearchQuery,
): Promise<{ readonly subjects: readonly FoundSubject[]; readonly undetermined: readonly FoundSubject[] }> {
  if (component === undefined) {
    if (vulnerability !== undefined)
      return { subjects: await subjectsByVulnerability(db, vulnerability), undetermined: [] };
    throw new ServerError("INVALID_REQUEST", "the search names nothing", "give a component, or a vulnerability's id");
  }
  const bounds = parseRange(range);
  const named = await subjectsByName(db, component, {
    limit: MAX_SUBJECTS,
    ...(ecosystem === undefined ? {} : { ecosystem }),
  });
  const judged = named.map((subject) => ({ subject, holds: isInRange(subject.ecosystem, subject.version, bounds) }));
  const those = (wanted: boolean | undefined) =>
    judged.filter(({ holds }) => holds === wanted).map(({ subject }) => subject);
  return { subjects: those(true), undetermined: those(undefined) };
}
