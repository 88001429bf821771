import { successorOf } from "@bulwark/lineage";
import {
  assignStages,
  baseTags,
  type ConcernedImages,
  type FixedBase,
  lockAssessments,
  movedBases,
  openRebuilds,
  repositoriesAtRisk,
  repositoriesOfImages,
  type Store,
  settleRebuilds,
  staleInRepository,
  staleOnNodes,
  type TenantQueries,
  takeFreshBases,
} from "@bulwark/store";
import { assessImages } from "../golden/assess-images.ts";
import { growWhole } from "../lineage/grow.ts";

/**
 * What follows for bases from what happened to images: the forest grows, risks find who must act on them, and where a base
 * was superseded by one with fewer flaws, those who stand on it are asked to rebuild. Bases that somebody else's growth found,
 * and whose consequences nobody came to, are taken up as well.
 */
export async function settleBases(store: Store, tenantId: number, of: ConcernedImages, now: Date): Promise<void> {
  await growWhole(store, tenantId);
  await store.tenant(tenantId, async (db) => {
    // Assessments before risks and tasks, as who publishes, matches or synchronises takes them: otherwise each waits for the other.
    await lockAssessments(db);
    const bases = await takeFreshBases(db);
    const { images = [], repositories: named = [] } = of;
    // What stands on a base that was not known is judged anew, as are tags that moved; a scan is judged at once.
    await staleOnNodes(db, bases);
    for (const repository of named) await staleInRepository(db, repository);
    await assessImages(db, images, now);
    const repositories = [...new Set([...named, ...(await repositoriesOfImages(db, images))])];
    // A base that came after its children takes over what was thought to be theirs.
    await assignStages(db, [...new Set([...repositories, ...(await repositoriesAtRisk(db, bases))])]);
    const moved = await movedBases(db, { images, repositories });
    for (const base of moved) await openRebuilds(db, base, now);
    for (const repository of repositories) {
      for (const base of await newerBases(db, repository)) await openRebuilds(db, base, now);
    }
    await settleRebuilds(db, repositories, now);
  });
}

/** Images of a repository that something stands on, and that a higher version of the same major supersedes. */
async function newerBases(db: TenantQueries, repository: number): Promise<readonly FixedBase[]> {
  const tags = await baseTags(db, repository);
  return tags.flatMap((used) => {
    if (used.beneath === 0) return [];
    const next = successorOf(
      used,
      tags.filter(({ platform }) => platform === used.platform),
    );
    const target = tags.find(({ name, platform }) => name === next?.name && platform === used.platform);
    if (target?.isScanned !== true || target.imageId === used.imageId) return [];
    return [{ baseRepositoryId: repository, fromImageId: used.imageId, toImageId: target.imageId, toTag: target.name }];
  });
}
