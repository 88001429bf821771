import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { fixDockerfile } from "./fix.ts";
import { lintDockerfile } from "./lint.ts";

const work = mkdtempSync(join(tmpdir(), "bulwark-build-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const DOCKERFILE = `FROM scratch
ADD root/ /
MAINTAINER Ann Example
ENV MODE fast and safe
RUN apt update && apt install tool
RUN pip install flask==3
CMD show --all
`;

/** A root file system of this machine's shell and rm, and of package managers that insist on the options of the fixes. */
function makeRoot(): void {
  const root = join(work, "root");
  for (const program of ["/bin/sh", "/bin/rm"]) {
    const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
    for (const file of [program, ...[...libraries].map(([, path = ""]) => path)]) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      copyFileSync(file, join(root, file));
    }
  }
  const insist = (options: string) => `#!/bin/sh\ncase "$*" in update|*"${options}"*) ;; *) exit 1;; esac\n`;
  writeFileSync(join(root, "bin/apt-get"), insist("-y --no-install-recommends"), { mode: 0o755 });
  writeFileSync(join(root, "bin/pip"), insist("--no-cache-dir"), { mode: 0o755 });
  symlinkSync("apt-get", join(root, "bin/apt"));
}

function build(dockerfile: string, tag: string): boolean {
  writeFileSync(join(work, "Dockerfile"), dockerfile);
  return buildah("build", "--isolation", "chroot", "-t", tag, work).status === 0;
}

function buildah(...args: readonly string[]) {
  const store = ["--storage-driver", "vfs", "--root", join(work, "store"), "--runroot", join(work, "run")];
  return spawnSync("buildah", [...store, ...args], { encoding: "utf8", timeout: 90_000 });
}

/** Not every machine lets buildah work: containers without user namespaces do not. */
const works = (() => {
  try {
    makeRoot();
    return build("FROM scratch\nCOPY root/ /\nRUN true\n", "probe");
  } catch {
    return false;
  }
})();

test.skipIf(!works)("a fixed Dockerfile builds, and its image starts what the old one meant to start", () => {
  expect(build(DOCKERFILE, "before")).toBe(false);
  const fixed = fixDockerfile(DOCKERFILE, lintDockerfile(DOCKERFILE, SHIPPED_CHECKS).facts);
  expect(build(fixed.text, "after")).toBe(true);
  const { config } = JSON.parse(buildah("inspect", "--type", "image", "after").stdout).OCIv1;
  expect(config.Cmd).toEqual(["show", "--all"]);
  expect(config.Env).toContain("MODE=fast and safe");
  expect(config.Labels["org.opencontainers.image.authors"]).toBe("Ann Example");
});
