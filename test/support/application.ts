import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LayerInput } from "@bulwark/image/testing";
import { goProgramOf } from "../../packages/ecosystems/src/testing/elf-writer.ts";
import { zipOf } from "../../packages/ecosystems/src/testing/zip-writer.ts";

/** What a tool of another language takes at most; then it hangs. */
const BUILD_MS = 300_000;

/** Layers of an application with one landmark flaw each: old log4j-core, lodash, Django, and a Go program. */
export function applicationLayers(): readonly LayerInput[] {
  return [
    {
      createdBy: "COPY log4j-core-2.14.1.jar /app/lib/ # buildkit",
      files: {
        "app/lib/log4j-core-2.14.1.jar": zipOf({
          "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties":
            "version=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n",
        }),
      },
    },
    {
      createdBy: "RUN npm install lodash@4.17.4",
      files: { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version: "4.17.4" }) },
    },
    {
      createdBy: "RUN pip install Django==2.2.0",
      files: {
        "usr/local/lib/python3.11/site-packages/Django-2.2.dist-info/METADATA":
          "Metadata-Version: 2.1\nName: Django\nVersion: 2.2.0\n\n",
      },
    },
    {
      createdBy: "COPY server /usr/local/bin/server",
      entries: [{ path: "usr/local/bin/server", mode: 0o755, content: goProgram() }],
    },
  ];
}

/**
 * A program that Go itself builds against golang.org/x/text v0.3.0, which is served from a module proxy on disk so that no
 * network is needed; without Go a file with the same build information.
 */
function goProgram(): Uint8Array {
  if (spawnSync("go", ["version"]).status === 0) return buildGoProgram();
  return goProgramOf("go1.20.1", "dep\tgolang.org/x/text\tv0.3.0\th1:x\n");
}

function buildGoProgram(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-go-"));
  try {
    const module = "golang.org/x/text";
    const proxy = join(folder, "proxy", module, "@v");
    mkdirSync(proxy, { recursive: true });
    const mod = `module ${module}\n`;
    writeFileSync(join(proxy, "v0.3.0.info"), JSON.stringify({ Version: "v0.3.0", Time: "2018-01-01T00:00:00Z" }));
    writeFileSync(join(proxy, "v0.3.0.mod"), mod);
    const root = `${module}@v0.3.0`;
    writeFileSync(
      join(proxy, "v0.3.0.zip"),
      zipOf({ [`${root}/go.mod`]: mod, [`${root}/text.go`]: 'package text\n\nfunc Name() string { return "text" }\n' }),
    );
    writeFileSync(join(folder, "go.mod"), `module example.org/server\n\ngo 1.18\n\nrequire ${module} v0.3.0\n`);
    writeFileSync(
      join(folder, "main.go"),
      `package main\n\nimport "${module}"\n\nfunc main() { println(text.Name()) }\n`,
    );
    const env = {
      ...process.env,
      GOPROXY: `file://${join(folder, "proxy")}`,
      GOMODCACHE: join(folder, "modules"),
      GONOSUMDB: "*",
      GOFLAGS: "-mod=mod -modcacherw",
      GOSUMDB: "off",
      GOTOOLCHAIN: "local",
    };
    execFileSync("go", ["build", "-o", "server", "."], { cwd: folder, env, stdio: "pipe", timeout: BUILD_MS });
    return readFileSync(join(folder, "server"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
