import type { Fetch } from "@bulwark/advisory/maintain";
import { readTextFile } from "./text-files.ts";

/** The built-in fetch; with `caFile` one that also trusts those certificates. */
export async function feedFetch(caFile: string | undefined): Promise<Fetch> {
  if (caFile === undefined) return fetch;
  const extra = await readTextFile(caFile, "certificate");
  const { getCACertificates, setDefaultCACertificates } = await import("node:tls");
  setDefaultCACertificates([...getCACertificates("default"), extra]);
  return fetch;
}
