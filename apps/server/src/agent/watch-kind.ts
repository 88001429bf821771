import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { redactArguments } from "@bulwark/detect";
import { fitObject, type Json, mapAt, mapsAt, pruneObject, textAt } from "@bulwark/kubernetes";
import type { FastifyBaseLogger } from "fastify";
import { AgentError } from "./errors.ts";
import { METADATA_ONLY, pathOf, type WatchedKind } from "./kinds.ts";
import { ApiStatus, type KubeApi, LARGEST_OBJECT_BYTES } from "./kube-api.ts";
import type { Outbox } from "./outbox.ts";

/** Objects of a page; fewer where these are so large that a page would not fit the agent's memory. */
const PAGE = 100;
const LARGEST_PAGE_BYTES = 8 * 1024 * 1024;
/** The API server ends a watch after so long; spread, so that not all of them come back at once. */
const WATCH_SECONDS = 300;
const WATCH_SPREAD_SECONDS = 120;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** What is refused or not there is asked for again after so long. */
const ABSENT_PAUSE_MS = 60_000;
const FULL_PAUSE_MS = 50;
/** Enough to tell states of one object apart. */
const HASH_BYTES = 8;
const GONE = 410;

const WHOLE = { list: "application/json", one: "application/json" };
/** Kubernetes API concepts, "Metadata-only fetches". */
const METADATA = {
  list: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  one: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
};

/** How the watch of a kind is. */
export interface KindState {
  /** Objects that are known. */
  readonly count: number;
  /** `waiting` until the first list · `watched` · `absent`: the cluster has no such kind · `refused` */
  readonly state: "waiting" | "watched" | "absent" | "refused";
  readonly why: string;
}

/** The watch of one kind. */
export interface KindWatch {
  readonly kind: WatchedKind;
  state(): KindState;
  /** Resolves when it was tried once to list the kind. */
  readonly listed: Promise<void>;
  /** Resolves when it was ended. */
  readonly ended: Promise<void>;
}

/**
 * Follows all objects of a kind: lists them page by page, then watches from there, and lists anew where the API server does not
 * remember the place any more (Kubernetes API concepts, "Efficient detection of changes"). Of each object only a hash of
 * what was told is kept.
 */
export function watchKind(
  api: KubeApi,
  kind: WatchedKind,
  { outbox, signal, log }: { readonly outbox: Outbox; readonly signal: AbortSignal; readonly log: FastifyBaseLogger },
): KindWatch {
  const known = new Map<string, string>();
  const accepted = METADATA_ONLY.has(kind.kind) ? METADATA : WHOLE;
  let state: Omit<KindState, "count"> = { state: "waiting", why: "" };
  const keep = (object: Json) => {
    const uid = textAt(object, "metadata", "uid");
    if (uid === "") return;
    const document = fitObject(kind.kind, pruneObject(kind.kind, object, redactArguments));
    const hash = createHash("sha1").update(document).digest().subarray(0, HASH_BYTES).toString("latin1");
    if (known.get(uid) === hash) return;
    known.set(uid, hash);
    const metadata = mapAt(object, "metadata");
    const [namespace, name] = [textAt(metadata, "namespace"), textAt(metadata, "name")];
    outbox.changed({ uid, apiVersion: kind.apiVersion, kind: kind.kind, namespace, name, document });
  };
  const drop = (uid: string) => {
    if (known.delete(uid)) outbox.removed(uid);
  };
  const list = async (): Promise<string> => {
    const listed = new Set<string>();
    let next = "";
    let limit = PAGE;
    for (;;) {
      while (outbox.isFull) await pause(FULL_PAUSE_MS, undefined, { signal });
      const query = `?limit=${limit}${next === "" ? "" : `&continue=${encodeURIComponent(next)}`}`;
      let page: Json;
      try {
        const most = limit === 1 ? LARGEST_OBJECT_BYTES : LARGEST_PAGE_BYTES;
        page = await api.json("GET", `${pathOf(kind)}${query}`, { accept: accepted.list, signal, most });
      } catch (error) {
        if (limit === 1 || !(error instanceof AgentError) || error.code !== "TOO_LARGE") throw error;
        limit = Math.ceil(limit / 4);
        continue;
      }
      for (const item of mapsAt(page, "items")) {
        listed.add(textAt(item, "metadata", "uid"));
        keep(item);
      }
      next = textAt(page, "metadata", "continue");
      if (next === "") {
        for (const uid of [...known.keys()]) if (!listed.has(uid)) drop(uid);
        return textAt(page, "metadata", "resourceVersion");
      }
    }
  };
  /** @returns the place up to which the watch came; undefined where it has to be listed anew */
  const watch = async (from: string): Promise<string | undefined> => {
    let version = from;
    const seconds = WATCH_SECONDS + Math.floor(Math.random() * WATCH_SPREAD_SECONDS);
    const query = `?watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${encodeURIComponent(from)}`;
    for await (const line of api.lines(`${pathOf(kind)}${query}`, accepted.one, signal)) {
      const event = JSON.parse(line) as Json;
      const object = mapAt(event, "object");
      if (event.type === "ERROR") {
        if (object.code === GONE) return undefined;
        throw new ApiStatus(Number(object.code), textAt(object, "message"));
      }
      version = textAt(object, "metadata", "resourceVersion") || version;
      if (event.type === "ADDED" || event.type === "MODIFIED") keep(object);
      if (event.type === "DELETED") drop(textAt(object, "metadata", "uid"));
    }
    return version;
  };
  const tried = Promise.withResolvers<void>();
  const run = async () => {
    let version: string | undefined;
    let isTold = false;
    let wait = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        if (version === undefined) {
          version = await list();
          state = { state: "watched", why: "" };
          if (!isTold) outbox.synced(`${kind.apiVersion}/${kind.kind}`);
          isTold = true;
          tried.resolve();
        }
        version = await watch(version);
        wait = FIRST_PAUSE_MS;
      } catch (error) {
        tried.resolve();
        if (signal.aborted) return;
        const status = error instanceof ApiStatus ? error.status : 0;
        const why = error instanceof Error ? error.message : String(error);
        if (status === GONE) version = undefined;
        const isAbsent = status === 404;
        if (isAbsent || status === 403) {
          version = undefined;
          // What may not be read is still there, as far as anybody knows.
          if (isAbsent) for (const uid of [...known.keys()]) drop(uid);
          // A kind that the cluster does not have is complete without any.
          if (isAbsent && !isTold) outbox.synced(`${kind.apiVersion}/${kind.kind}`);
          isTold = isAbsent;
          state = { state: isAbsent ? "absent" : "refused", why };
        } else if (status !== GONE) log.warn({ kind: kind.kind, why }, "a watch of the cluster was cut");
        await pause(isAbsent || status === 403 ? ABSENT_PAUSE_MS : wait, undefined, { signal });
        wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
      }
    }
  };
  return {
    kind,
    state: () => ({ ...state, count: known.size }),
    listed: tried.promise,
    // What ends it is the signal, whose error says no more.
    ended: run()
      .catch(() => {})
      .finally(tried.resolve),
  };
}
