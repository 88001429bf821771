import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { compileBundle } from "./compile-bundle.ts";
import { exportPolicy } from "./export-vap.ts";
import { UNKNOWN_NAMESPACE, unknownImage } from "./facts.ts";
import { judge } from "./judge.ts";
import { readAdmissionPolicy } from "./read-policy.ts";
import { readReview } from "./review.ts";
import { makeBundle, makeReview } from "./testing/make-review.ts";

const ROOT = join(import.meta.dirname, "../../../../content/policies/admission");
const FOLDERS = readdirSync(ROOT);
/** Policies that need nothing but the object; the API server can judge by them alone. */
const EXPORTED = [
  ...["capabilities", "host-namespaces", "host-path", "host-ports", "no-latest", "no-privileged", "pinned-digest"],
  ...["pod-security-baseline", "pod-security-restricted", "privilege-escalation", "proc-mount", "read-only-root"],
  ...["resource-limits", "run-as-root", "runtime-sockets", "seccomp", "service-account-token", "sysctls"],
];

type Case = { readonly kind: string; readonly expect?: readonly string[] };

function read(folder: string, file: string): string {
  try {
    return readFileSync(join(ROOT, folder, file), "utf8");
  } catch {
    return "";
  }
}

function casesOf(folder: string, file: string): readonly Case[] {
  return parseAllDocuments(read(folder, file)).flatMap((document) => document.toJSON() ?? []);
}

function broken(folder: string, { expect: _expect, ...object }: Case): readonly string[] {
  const told: Record<string, { counts?: object; base?: object; findings?: object[] }> =
    parse(read(folder, "facts.yaml")) ?? {};
  const none = unknownImage("");
  const images = Object.entries(told).map(([reference, facts]) => [
    reference,
    {
      ...{ ...none, ...facts, state: "known" as const },
      counts: { ...none.counts, ...facts.counts },
      base: { ...none.base, ...facts.base },
    },
  ]);
  const namespace = { ...UNKNOWN_NAMESPACE, known: true, exposedSelectors: [{ app: "front" }] };
  const answer = { namespace, images: Object.fromEntries(images) };
  const compiled = compileBundle(makeBundle([read(folder, "policy.yaml")]));
  const request = readReview(makeReview({ metadata: { name: "web" }, ...object }));
  const { violations } = judge(request, compiled, answer, { now: 0, elapsed: () => 0 });
  expect(violations.filter(({ message }) => message.includes("cannot be evaluated") || message.includes("?"))).toEqual(
    [],
  );
  return [...new Set(violations.map(({ rule }) => rule))].sort();
}

test("there are policies for images, for pods, and the Pod Security Standards", () => {
  expect(FOLDERS.length).toBeGreaterThanOrEqual(25);
});

test.each(FOLDERS)("%s says what it is for, and begins by watching", (folder) => {
  const policy = readAdmissionPolicy(read(folder, "policy.yaml"), folder);
  expect(policy.name).toBe(folder);
  expect(policy.mode).not.toBe("enforce");
  expect([policy.title === folder, policy.description === ""]).toEqual([false, false]);
  expect(policy.rules.filter(({ id, title }) => title === `${id} is violated`)).toEqual([]);
});

test.each(FOLDERS)("%s passes what is good, denies what is bad, and each of its rules is played", (folder) => {
  for (const good of casesOf(folder, "good.yaml")) expect(broken(folder, good), JSON.stringify(good)).toEqual([]);
  const bad = casesOf(folder, "bad.yaml");
  for (const each of bad) expect(broken(folder, each), JSON.stringify(each)).toEqual([...(each.expect ?? [])].sort());
  // What the baseline refuses, the restricted level refuses too.
  const lower = folder === "pod-security-restricted" ? casesOf("pod-security-baseline", "bad.yaml") : [];
  for (const each of lower) expect(broken(folder, each)).toEqual(expect.arrayContaining([...(each.expect ?? [])]));
  const played = new Set([...bad, ...lower].flatMap((each) => each.expect ?? []));
  const { rules } = readAdmissionPolicy(read(folder, "policy.yaml"), folder);
  // It denies nothing before somebody fills its list.
  const unplayed = folder === "allowed-registries" ? ["registry"] : [];
  expect(rules.map(({ id }) => id).filter((id) => !played.has(id))).toEqual(unplayed);
});

test("what needs only the object can be written as objects of Kubernetes", () => {
  const exported = FOLDERS.filter((folder) => {
    try {
      return exportPolicy(readAdmissionPolicy(read(folder, "policy.yaml"), folder), "enforce", ["kube-system"]);
    } catch (error) {
      expect(String(error)).toContain("needs Bulwark's webhook");
      return false;
    }
  });
  expect(exported).toEqual(EXPORTED);
});
