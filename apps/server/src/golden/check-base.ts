import { chainIdsOf } from "@bulwark/image";
import { assessBase, type BaseStanding, type BuildViolation, standingOnPath } from "@bulwark/policy";
import { type BaseOnPath, basesOfChains, type TenantQueries } from "@bulwark/store";
import { pathBase } from "./assess-images.ts";
import { rulesOf } from "./rule-files.ts";

/** An image that need not have been pushed. */
export interface CheckedImage {
  readonly diffIds: readonly string[];
  readonly platform: string;
  /** Under which name it is to be pushed; tells only which older builds are no bases. */
  readonly reference: string;
}

export interface BaseCheck {
  readonly path: readonly BaseOnPath[];
  readonly base: BaseStanding;
  readonly passed: boolean;
  readonly violations: readonly BuildViolation[];
  readonly rulesVersion: string;
}

/** Judges what an image stands on by its layers. */
export async function checkBase(db: TenantQueries, image: CheckedImage, now: Date): Promise<BaseCheck> {
  const chains = chainIdsOf(image.diffIds);
  const path = await basesOfChains(db, chains);
  const { files, version } = await rulesOf(db);
  const own = repositoryOf(image.reference);
  const base = standingOnPath(path.map((each) => pathBase(each, isOlderBuild(each, own))));
  // Whose layers are a golden image's, and no more, is one: it is judged as such when it is scanned.
  const { reference, platform } = image;
  const judged = assessBase(base, { reference, platform, role: "leaf" }, files, now.toISOString().slice(0, 10));
  return { path, base, ...judged, rulesVersion: version };
}

/** Registry and repository of a reference, without tag and digest. */
function repositoryOf(reference: string): string {
  return reference
    .replace(/^[a-z]+:\/\//, "")
    .replace(/@.*$/, "")
    .replace(/:[^/:]*$/, "");
}

function isOlderBuild({ onlyRepository }: BaseOnPath, own: string): boolean {
  if (onlyRepository === null || own === "") return false;
  const { name, registry, host } = onlyRepository;
  return own === `${host}/${name}` || own === `${registry}/${name}`;
}
