import type { AdvisoryDatabase } from "@bulwark/advisory";
import type { AdvisoryMatch, AdvisorySubject } from "@bulwark/model";

/** Names a state of the advisory database: subjects that were matched with another are matched again. */
export function stateOfDatabase({ info }: AdvisoryDatabase): string {
  return `${info.built} ${info.records}`;
}

/** Asks the advisory database; gives a list for each subject, in their order. */
export function matcherOf(
  database: AdvisoryDatabase,
): (subjects: readonly AdvisorySubject[]) => readonly (readonly AdvisoryMatch[])[] {
  return (subjects) => {
    const found: (readonly AdvisoryMatch[])[] = subjects.map(() => []);
    for (const { subject, matches } of database.match(subjects)) found[subject] = matches;
    return found;
  };
}
