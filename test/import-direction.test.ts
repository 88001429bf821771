import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** Which packages of ours each may import: the table of the layout, top to bottom the way the data flows. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "packages/model": [],
  "packages/image": ["model"],
  "packages/ecosystems": ["model"],
  "packages/advisory": ["model"],
  "packages/policy": ["model"],
  "packages/benchmark": ["model"],
  "packages/detect": ["model"],
  "packages/lineage": ["model"],
  "packages/kubernetes": ["model", "policy"],
  "packages/signature": ["model", "image", "policy"],
  "packages/store": ["model"],
  "packages/scan": ["model", "image", "ecosystems", "advisory", "benchmark"],
  "apps/server": [
    "model",
    "image",
    "ecosystems",
    "advisory",
    "policy",
    "benchmark",
    "detect",
    "kubernetes",
    "lineage",
    "scan",
    "signature",
    "store",
  ],
  "apps/console": ["model"],
  "apps/cli": [
    "model",
    "image",
    "ecosystems",
    "advisory",
    "policy",
    "benchmark",
    "detect",
    "kubernetes",
    "scan",
    "signature",
  ],
};
/** Compiled without Node's types, so that no file, socket or clock can slip in. */
const PURE = [
  "packages/model",
  "packages/ecosystems",
  "packages/policy",
  "packages/benchmark",
  "packages/detect",
  "packages/kubernetes",
  "packages/lineage",
];

const folders = ["packages", "apps"].flatMap((parent) =>
  readdirSync(join(ROOT, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`),
);

function importsOf(folder: string): readonly { readonly file: string; readonly specifier: string }[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !file.includes("node_modules"))
    .flatMap((file) => {
      const text = readFileSync(join(ROOT, folder, file), "utf8");
      const found = text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g);
      return [...found].map(([, specifier = ""]) => ({ file: `${folder}/${file}`, specifier }));
    });
}

test("every package has its place in the table", () => {
  expect([...folders].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

test.each(Object.entries(MAY_IMPORT))("%s imports only what lies before it", (folder, allowed) => {
  const wrong = importsOf(folder).filter(({ file, specifier }) => {
    const own = /^@bulwark\/([^/]+)/.exec(specifier)?.[1];
    const isTest = file.endsWith(".test.ts") || file.includes("/testing/");
    return own !== undefined && !allowed.includes(own) && !isTest;
  });
  expect(wrong).toEqual([]);
});

test.each(Object.entries(MAY_IMPORT))(
  "%s declares exactly the packages of ours that it may import",
  (folder, allowed) => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    const own = Object.keys(dependencies).filter((name) => name.startsWith("@bulwark/"));
    expect(own.filter((name) => !allowed.includes(name.slice("@bulwark/".length)))).toEqual([]);
  },
);

test.each(PURE)("%s reaches nothing of Node", (folder) => {
  const isCode = (file: string) => !file.endsWith(".test.ts") && !file.includes("/testing/");
  const wrong = importsOf(folder).filter(({ file, specifier }) => isCode(file) && specifier.startsWith("node:"));
  expect(wrong).toEqual([]);
  const { include } = JSON.parse(readFileSync(join(ROOT, "tsconfig.pure.json"), "utf8"));
  expect(include).toContain(`${folder}/src`);
});
