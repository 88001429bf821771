import type { OpenOptions } from "@bulwark/image";
import { CodedError, fieldsOf, listOf, textOf } from "@bulwark/model";
import { ServerError } from "../errors.ts";
import type { Outbound } from "../security/outbound.ts";

const PAGE = 100;
/** Pages of one list: who pages for ever is not followed for ever. */
const MAX_PAGES = 5_000;
const MAX_NAME = 255;

export interface HarborDeps {
  readonly outbound: Outbound;
  /** `https://harbor.example.com` */
  readonly base: string;
  /** A robot account's name holds a `$`, as in `robot$scanner`. */
  readonly credentials: OpenOptions["credentials"];
  readonly signal?: AbortSignal | undefined;
}

/**
 * All repositories of a Harbor that the account may see, as `project/repository`, through its API v2.0: its catalogue is for
 * system administrators alone, which a robot account is not. (Harbor API, "listProjects", "listRepositories".)
 *
 * @throws REGISTRY_AUTH, REGISTRY_REFUSED, REGISTRY_UNREACHABLE, ADDRESS_REFUSED
 */
export async function* harborRepositories(deps: HarborDeps): AsyncGenerator<string> {
  for await (const project of pages(deps, "projects", "name")) {
    const path = `projects/${encodeURIComponent(project)}/repositories`;
    for await (const name of pages(deps, path, "name")) {
      if (name.startsWith(`${project}/`) && name.length <= MAX_NAME) yield name;
    }
  }
}

async function* pages(deps: HarborDeps, path: string, member: string): AsyncGenerator<string> {
  for (let page = 1; page <= MAX_PAGES; page++) {
    const items = await readPage(deps, `${path}?page=${page}&page_size=${PAGE}`);
    for (const item of items) {
      const name = textOf(fieldsOf(item)[member]);
      if (name !== "") yield name;
    }
    if (items.length < PAGE) return;
  }
  throw new CodedError("REGISTRY_REFUSED", `${deps.base} lists more than ${MAX_PAGES} pages of ${path}`);
}

async function readPage(
  { outbound, base, credentials, signal }: HarborDeps,
  path: string,
): Promise<readonly unknown[]> {
  // A project may be named by digits alone, which Harbor takes for an id unless it is told.
  const headers = { accept: "application/json", "x-is-resource-name": "true", ...basic(credentials) };
  const answer = await fetched(outbound, `${base}/api/v2.0/${path}`, headers, signal);
  if (answer.status === 401 || answer.status === 403) {
    const who = credentials === undefined ? "without an account" : `to ${credentials.username}`;
    throw new CodedError("REGISTRY_AUTH", `${base} refuses its list of ${path.split("?")[0]} ${who}`);
  }
  if (answer.status !== 200) {
    const why = `${base} answers with status ${answer.status} for its list of ${path.split("?")[0]}`;
    throw new CodedError("REGISTRY_REFUSED", why, "check that the address is that of a Harbor 2.0 or later");
  }
  try {
    return listOf(JSON.parse(await answer.text()));
  } catch (cause) {
    throw new CodedError("REGISTRY_REFUSED", `${base} does not answer with JSON`, "check that it is a Harbor", cause);
  }
}

async function fetched(
  outbound: Outbound,
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  try {
    return await outbound.fetch(url, { headers, signal });
  } catch (error) {
    if (error instanceof ServerError && error.code === "UPSTREAM_FAILED") {
      throw new CodedError("REGISTRY_UNREACHABLE", error.message, error.next, error);
    }
    throw error;
  }
}

function basic(credentials: HarborDeps["credentials"]): Readonly<Record<string, string>> {
  if (credentials === undefined) return {};
  const { username, password } = credentials;
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}
