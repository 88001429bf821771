import type { RegistryKind, RegistrySettings } from "@bulwark/store";
import { accessOf } from "./access.ts";
import { registryProblem } from "./problem-of.ts";
import { openListing } from "./read-registry.ts";

const COUNTED = 1_000;
const WITHIN_MS = 15_000;

/** Reads the beginning of a registry's list, to tell whether its settings are right. */
export async function tryRegistry(
  settings: RegistrySettings & {
    readonly kind: RegistryKind;
    readonly address: string;
    readonly password?: string;
  },
): Promise<{ readonly ok: boolean; readonly problem: string; readonly repositories: number }> {
  const access = { ...accessOf(settings, settings.password), signal: AbortSignal.timeout(WITHIN_MS) };
  const listing = openListing({ ...settings, settings }, access);
  let repositories = 0;
  try {
    for await (const _name of listing.names) {
      if (++repositories >= COUNTED) break;
    }
    return { ok: true, problem: "", repositories };
  } catch (error) {
    return { ok: false, problem: registryProblem(error), repositories };
  } finally {
    listing.close();
  }
}
