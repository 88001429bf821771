import { openCatalog } from "@bulwark/image";
import type { RegistrySettings } from "@bulwark/store";
import { accessOf, placeOf } from "./access.ts";
import { registryProblem } from "./problem-of.ts";

const COUNTED = 1_000;
const WITHIN_MS = 15_000;

/** Reads the beginning of a registry's catalogue, to tell whether its settings are right. */
export async function tryRegistry(
  settings: RegistrySettings & { readonly address: string; readonly password?: string },
): Promise<{ readonly ok: boolean; readonly problem: string; readonly repositories: number }> {
  const access = { ...accessOf(settings, settings.password), signal: AbortSignal.timeout(WITHIN_MS) };
  let repositories = 0;
  try {
    for await (const _name of openCatalog(placeOf({ address: settings.address, settings }), access).repositories()) {
      if (++repositories >= COUNTED) break;
    }
    return { ok: true, problem: "", repositories };
  } catch (error) {
    return { ok: false, problem: registryProblem(error), repositories };
  }
}
