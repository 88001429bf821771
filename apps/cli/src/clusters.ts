import { CliError } from "./failure.ts";
import { askServer, findAccess } from "./server-client.ts";

/** A cluster as the server lists it. */
export interface ListedCluster {
  readonly id: number;
  readonly name: string;
  readonly state: string;
  readonly version: string;
  readonly nodes: number;
  readonly pods: number;
  readonly exposed: number;
  readonly attackPaths: number;
}

/** All whose name holds a text; empty: all that there are. */
export async function clustersNamed(text: string): Promise<readonly ListedCluster[]> {
  const access = findAccess();
  const items: ListedCluster[] = [];
  let cursor = "";
  do {
    const query = new URLSearchParams({
      limit: "200",
      ...(text === "" ? {} : { text }),
      ...(cursor === "" ? {} : { cursor }),
    });
    const page = await askServer<{ items: readonly ListedCluster[]; next?: string }>(
      access,
      "GET",
      `/clusters?${query}`,
    );
    items.push(...page.items);
    cursor = page.next ?? "";
  } while (cursor !== "");
  return items;
}

/** The one of this very name. */
export async function clusterOf(name: string): Promise<ListedCluster | undefined> {
  return (await clustersNamed(name)).find((each) => each.name === name);
}

/**
 * The id of a cluster that is named by its name or its id.
 *
 * @throws CliError `USAGE` where there is none of that name
 */
export async function clusterId(given: string): Promise<number> {
  if (/^\d+$/.test(given)) return Number(given);
  const found = await clusterOf(given);
  if (found === undefined)
    throw new CliError("USAGE", `there is no cluster "${given}"`, "bulwark cluster list shows those that there are");
  return found.id;
}
