import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EMPTY_BUNDLE, type FactsAnswer, UNKNOWN_NAMESPACE, unknownImage } from "@bulwark/kubernetes";
import { firstState } from "../apps/server/src/admission/authorities.ts";
import type { AdmissionSource } from "../apps/server/src/admission/source.ts";
import { startAdmission } from "../apps/server/src/admission/start-admission.ts";

/** A replica of the webhook that knows every image, with a hundred policies. Says where it is, and at each line what it used. */
const POLICIES = 100;
const NAME = "bulwark-admission.bulwark.svc";
const content = join(import.meta.dirname, "../content/policies/admission");
const shipped = readdirSync(content).map((name) => readFileSync(join(content, name, "policy.yaml"), "utf8"));
const policies = Array.from({ length: POLICIES }, (_, at) => {
  const text = shipped[at % shipped.length] ?? "";
  const again = at < shipped.length ? text : text.replace(/^name: (.*)$/m, `name: $1-${at}`);
  return { text: again, file: `policy-${at}`, mode: "audit" as const };
});
const findings = Array.from({ length: 200 }, (_, at) => ({
  ...{
    id: `CVE-2026-${1_000 + at}`,
    kind: "vulnerability",
    severity: "medium" as const,
    title: "A flaw",
    package: `lib${at}`,
  },
  ...{
    version: "1.0",
    purl: `pkg:deb/debian/lib${at}@1.0`,
    fixedVersion: "1.1",
    path: "",
    layer: 1,
    createdBy: "RUN apt-get",
  },
  ...{ origin: "base", exploited: false, advice: "update" },
}));
const image = {
  ...{
    ...unknownImage(""),
    state: "known" as const,
    complete: true,
    digest: `sha256:${"a".repeat(64)}`,
    resolved: true,
  },
  ...{ findings, flaws: findings.map(({ id }) => id).join("\n"), purls: findings.map(({ purl }) => purl).join("\n") },
};
const source: AdmissionSource = {
  bundle: () => bundle,
  isConnected: () => true,
  facts: async (references): Promise<FactsAnswer> => ({
    namespace: { ...UNKNOWN_NAMESPACE, known: true },
    images: Object.fromEntries(references.map((reference) => [reference, image])),
  }),
  report: () => true,
  onChange: () => () => {},
};
const bundle = { ...EMPTY_BUNDLE, revision: 1, policies };
const { serving, authorities } = await firstState([NAME], new Date());
const role = await startAdmission({
  ...{ source, listen: { host: "127.0.0.1", port: 0 }, certificate: { given: serving }, clock: () => new Date() },
  ...{ log: console, drainMs: 0 },
});
console.log(JSON.stringify({ port: role.port, name: NAME, ca: authorities[0]?.cert }));
for await (const _line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  console.log(
    JSON.stringify({ cpuMs: (user + system) / 1_000, rssMib: process.memoryUsage.rss() / 2 ** 20, ...role.counts }),
  );
}
await role.close();
