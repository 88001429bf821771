import { assess, type BaseStanding, type BuildFacts, type PathBase, standingOnPath } from "@bulwark/policy";
import {
  type AssessmentSubject,
  assessmentSubjects,
  type BaseOnPath,
  imagesToAssess,
  lockAssessments,
  type Store,
  saveAssessments,
  settleGolden,
  staleOnChains,
  type TenantQueries,
} from "@bulwark/store";
import { referenceOf } from "../images/reference.ts";
import { rulesOf } from "./rule-files.ts";

/** Images that are assessed in one transaction. */
const BATCH = 200;
/** Batches of one call; the next minute goes on. */
const MAX_BATCHES = 100;

/**
 * Assesses images by the tenant's build rules. A golden version that does not pass any more loses its standing, and whoever
 * stands on it is assessed again.
 */
export async function assessImages(db: TenantQueries, images: readonly number[], now: Date): Promise<void> {
  if (images.length === 0) return;
  await lockAssessments(db);
  const { files, version } = await rulesOf(db);
  const today = now.toISOString().slice(0, 10);
  const subjects = await assessmentSubjects(db, images);
  const assessments = subjects.map((subject) => {
    const facts = factsOf(subject, today);
    return { imageId: subject.item.id, baseState: facts.base.state, ...assess(facts, files) };
  });
  await saveAssessments(db, assessments, { rulesVersion: version, now });
  await staleOnChains(db, await settleGolden(db, images, now));
}

/** Assesses what was not yet, or by other rules or facts, in batches of which each is kept. @returns images that were */
export async function assessPending(store: Store, tenantId: number, clock: () => Date): Promise<number> {
  let assessed = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const images = await store.tenant(tenantId, async (db) => {
      const { version } = await rulesOf(db);
      const waiting = await imagesToAssess(db, version, BATCH);
      await assessImages(db, waiting, clock());
      return waiting;
    });
    assessed += images.length;
    // A base that lost its standing in this batch makes those on it wait again: only nothing is the end.
    if (images.length === 0) break;
  }
  return assessed;
}

/** A base as the policy sees it. What only the image's own repository has is an older build of it. */
export function pathBase(base: BaseOnPath, isOwn: boolean): PathBase {
  const { chain, layers, reference, digest, tags, host, golden } = base;
  return { chain, layers, reference, digest, tags, host, golden, isOwn };
}

/** What an image stands on, by layers alone. */
function standingOf({ bases }: AssessmentSubject): BaseStanding {
  return standingOnPath(bases.map((base) => pathBase(base, base.onlyRepository !== null)));
}

function factsOf(subject: AssessmentSubject, today: string): BuildFacts {
  const { item, labels, checks, packages, fixableCritical, fixableHigh, fixableExploited, denied, isBase } = subject;
  const { critical, high, medium, low, exploited, fixable, secrets, malware, misconfigurations } = item.counts;
  const { digest, platform, os, sizeBytes, layerCount, grade, complete, locations } = item;
  return {
    image: {
      ...{ reference: referenceOf(item), digest, platform, sizeBytes, layers: layerCount, labels, complete },
      os: { id: os?.id ?? "", version: os?.version ?? "" },
      tags: locations.flatMap(({ tags }) => tags),
      grade: grade ?? "",
      role: isBase ? "base" : "leaf",
    },
    counts: {
      ...{ critical, high, medium, low, exploited, fixable, secrets, malware, misconfigurations, denied },
      ...{ fixableCritical, fixableHigh, fixableExploited },
    },
    checks,
    packages,
    base: standingOf(subject),
    today,
  };
}
