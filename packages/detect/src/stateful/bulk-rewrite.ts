import type { RuntimeEvent } from "@bulwark/model";
import { containerKey, createGroups, type StatefulDetector, secondsToUs } from "./stateful-detector.ts";

/** Files that were created and whose originals may yet be removed; the oldest are forgotten. */
const MAX_CREATED = 4096;
const MAX_FILES = 10_000;
/** An ending longer than that is a name. */
const MAX_ENDING = 24;

interface Seen {
  /** Ending → when each file got it. */
  readonly endings: Map<string, number[]>;
  /** Original's path → ending of the file that was made beside it. */
  readonly created: Map<string, string>;
}

/** Finds many files that get one and the same new ending: by renaming, or by writing a copy and removing the original. */
export const bulkRewrite: StatefulDetector = {
  id: "bulk-rewrite",
  doc: "many files that get the same new ending, in one container",
  settings: [
    { name: "files", doc: "how many files are too many", default: 20 },
    { name: "windowSeconds", doc: "within which time", default: 60 },
  ],
  problem: ({ files }) =>
    Number(files) >= 2 && Number(files) <= MAX_FILES ? undefined : `"files" must be 2 to ${MAX_FILES}`,
  create: (settings) => {
    const files = Number(settings.files);
    const windowUs = secondsToUs(Number(settings.windowSeconds));
    const groups = createGroups<Seen>(() => ({ endings: new Map(), created: new Map() }));
    return (event) => {
      const seen = groups(containerKey(event));
      const ending = newEnding(event, seen);
      if (ending === undefined) return undefined;
      const times = (seen.endings.get(ending) ?? []).filter((timeUs) => event.timeUs - timeUs <= windowUs);
      times.push(event.timeUs);
      seen.endings.set(ending, times.slice(-MAX_FILES));
      for (const [name, [first = 0]] of seen.endings) {
        if (event.timeUs - first > windowUs && name !== ending) seen.endings.delete(name);
      }
      if (times.length < files) return undefined;
      seen.endings.delete(ending);
      return `${files} files got the ending ${ending} within ${Number(settings.windowSeconds)} s`;
    };
  },
};

/** The ending that a file has just got. */
function newEnding(event: RuntimeEvent, { created }: Seen): string | undefined {
  if (event.type === "rename") {
    const after = endingOf(event.newPath);
    return after === "" || after === endingOf(event.path) ? undefined : after;
  }
  if (event.type === "unlink") {
    const ending = created.get(event.path);
    created.delete(event.path);
    return ending;
  }
  const ending = event.type === "creat" ? endingOf(event.path) : "";
  if (ending !== "") {
    created.set(event.path.slice(0, -ending.length), ending);
    if (created.size > MAX_CREATED) {
      const [oldest] = created.keys();
      if (oldest !== undefined) created.delete(oldest);
    }
  }
  return undefined;
}

/** `.locked` of `a.txt.locked`; empty when the name has none. */
function endingOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot <= 0 || name.length - dot > MAX_ENDING ? "" : name.slice(dot);
}
