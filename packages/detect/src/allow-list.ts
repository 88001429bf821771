import type { RuntimeContainer, RuntimeEvent, RuntimeProcess } from "@bulwark/model";
import { compileGlob, type TextTest } from "./compile/glob.ts";
import { compileFilter, type Filter } from "./filter.ts";

/** Which events something holds for: all conditions together; an empty list is no condition. Patterns are globs. */
export interface RuleScope {
  /** The host itself; without it only containers are meant. */
  readonly host: boolean;
  readonly images: readonly string[];
  readonly namespaces: readonly string[];
  readonly containerNames: readonly string[];
  readonly containerIds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Only containers of which others than the node can reach a port. */
  readonly exposed: boolean;
  /** Only containers of images that no connected registry has. */
  readonly selfBuilt: boolean;
}

/** Every container and the host. */
export const EVERYWHERE: RuleScope = {
  host: true,
  images: [],
  namespaces: [],
  containerNames: [],
  containerIds: [],
  labels: {},
  exposed: false,
  selfBuilt: false,
};

/** What is known and accepted: an alert of this rule, in this scope, that meets the condition is not raised. */
export interface AllowEntry {
  readonly id: string;
  /** A rule's name; empty is every rule. */
  readonly rule: string;
  /** In the rules' language; empty is every event. */
  readonly condition: string;
  readonly scope: RuleScope;
  /** Microseconds since 1970; null never ends. */
  readonly untilUs: number | null;
  readonly reason: string;
}

export interface AllowList {
  /** The entry that accepts it. */
  readonly accepts: (rule: string, event: RuntimeEvent, nowUs: number) => AllowEntry | undefined;
}

/** Compiles a scope into a test of events. */
export function compileScope(scope: RuleScope): Filter {
  const images = scope.images.map((pattern) => compileGlob(pattern, false));
  const namespaces = scope.namespaces.map((pattern) => compileGlob(pattern, false));
  const names = scope.containerNames.map((pattern) => compileGlob(pattern, false));
  const labels = Object.entries(scope.labels);
  const fits = (tests: readonly TextTest[], text: string) => tests.length === 0 || tests.some((test) => test(text));
  const holds = (container: RuntimeContainer): boolean =>
    (!scope.exposed || container.exposed === true) &&
    (!scope.selfBuilt || container.selfBuilt === true) &&
    fits(images, container.image) &&
    fits(namespaces, container.namespace) &&
    fits(names, container.name) &&
    (scope.containerIds.length === 0 || scope.containerIds.includes(container.id)) &&
    labels.every(([name, value]) => Object.hasOwn(container.labels, name) && container.labels[name] === value);
  const onHost = scope.host && !scope.exposed && !scope.selfBuilt;
  return ({ container }) => (container === null ? onHost : holds(container));
}

/**
 * Compiles an allow-list.
 *
 * @throws DetectError `FILTER_INVALID` for a condition that is none
 */
export function compileAllowList(entries: readonly AllowEntry[]): AllowList {
  const compiled = entries.map((entry) => ({
    entry,
    inScope: compileScope(entry.scope),
    meets: entry.condition.trim() === "" ? () => true : compileFilter(entry.condition),
  }));
  return {
    accepts: (rule, event, nowUs) =>
      compiled.find(
        ({ entry, inScope, meets }) =>
          (entry.rule === "" || entry.rule === rule) &&
          (entry.untilUs === null || nowUs < entry.untilUs) &&
          inScope(event) &&
          meets(event),
      )?.entry,
  };
}

/** What of an event an allowance is made of. */
export type AllowableEvent = Pick<
  RuntimeEvent,
  "type" | "path" | "remoteAddress" | "remotePort" | "family" | "dnsName"
> & { readonly process: Pick<RuntimeProcess, "exe" | "name" | "arguments"> | null };

/**
 * The condition that accepts just what an alert saw: this program, and this file or peer. For a click on "allow".
 *
 * @example allowConditionFor(alert.event); // 'evt.type = open and proc.exepath = "/usr/bin/tool" and fd.name = "/etc/passwd"'
 */
export function allowConditionFor(event: AllowableEvent): string {
  const parts = [event.type === "syscall" ? "" : `evt.type = ${event.type}`];
  const equal = (field: string, value: string | undefined) =>
    parts.push(value === undefined || value === "" ? "" : `${field} = ${quotedText(value)}`);
  equal("proc.exepath", event.process?.exe);
  if (event.type === "execve") equal("proc.cmdline", commandOf(event));
  else if (event.path !== "") equal("evt.abspath", event.path);
  if (event.remoteAddress !== "" && event.family !== 1) {
    equal("fd.rip", event.remoteAddress);
    parts.push(`fd.rport = ${event.remotePort}`);
  }
  equal("dns.name", event.dnsName);
  return parts.filter((part) => part !== "").join(" and ");
}

function commandOf({ process }: AllowableEvent): string | undefined {
  if (process === null) return undefined;
  const rest = process.arguments.slice(1).join(" ");
  return rest === "" ? process.name : `${process.name} ${rest}`;
}

/** A text as a condition may hold it. */
export function quotedText(text: string): string {
  const escaped = text.replace(/["\\\b\f\n\r\t]/g, (character) => {
    const known: Readonly<Record<string, string>> = { "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    return known[character] ?? `\\${character}`;
  });
  return `"${escaped}"`;
}
