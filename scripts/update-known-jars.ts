import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Brings packages/ecosystems/src/maven/known-jars.ts up to date: the SHA-1 that the repository lists beside each published
// jar. Run it with `group:artifact …` to refresh or add those, without to refresh all.

const REPOSITORY = process.env.BULWARK_MAVEN_URL ?? "https://repo1.maven.org/maven2";
const FILE = join(import.meta.dirname, "../packages/ecosystems/src/maven/known-jars.ts");
const PARALLEL = 8;
const ENTRY = /^ {2}"([^"]+)": `\n([\s\S]*?)`,\n/gm;

const text = readFileSync(FILE, "utf8");
const known = new Map(Array.from(text.matchAll(ENTRY), ([, name = "", lines = ""]) => [name, lines]));
const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : known.keys()) {
  const lines = await digestsOf(name);
  console.log(`${name}: ${lines.split("\n").length - 1} jars`);
  known.set(name, lines);
}
const start = text.search(ENTRY);
const end = text.indexOf("};", start);
const entries = Array.from(known, ([name, lines]) => `  "${name}": \`\n${lines}\`,\n`).join("");
writeFileSync(FILE, text.slice(0, start) + entries + text.slice(end));

/** One line for each release that has a jar: version and digest, oldest first as the repository lists them. */
async function digestsOf(name: string): Promise<string> {
  const [group = "", artifact = ""] = name.split(":");
  const folder = `${REPOSITORY}/${group.replaceAll(".", "/")}/${artifact}`;
  const metadata = await fetchText(`${folder}/maven-metadata.xml`);
  if (metadata === undefined) throw new Error(`${REPOSITORY} has no ${name}`);
  const versions = Array.from(metadata.matchAll(/<version>([^<]+)<\/version>/g), ([, version = ""]) => version);
  const digests = new Map<string, string>();
  const queue = versions.values();
  const work = async () => {
    for (const version of queue) {
      const listed = await fetchText(`${folder}/${version}/${artifact}-${version}.jar.sha1`);
      const digest = /\b[0-9a-f]{40}\b/.exec(listed ?? "")?.[0];
      if (digest !== undefined) digests.set(version, digest);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return versions.map((version) => (digests.has(version) ? `${version} ${digests.get(version)}\n` : "")).join("");
}

async function fetchText(address: string): Promise<string | undefined> {
  const response = await fetch(address);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${address} answers with status ${response.status}`);
  return response.text();
}
