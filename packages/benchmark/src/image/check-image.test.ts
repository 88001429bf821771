import { expect, test } from "vitest";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { checkImage } from "./check-image.ts";
import { readHistoryStep } from "./history.ts";
import { wantsPath } from "./interesting-paths.ts";
import { EMPTY_IMAGE } from "./subject.ts";

test.each([
  ['/bin/sh -c #(nop)  CMD ["bash"]', "CMD", []],
  ["/bin/sh -c apt-get update && apt-get install -y x", "RUN", ["apt-get", "apt-get"]],
  ["RUN /bin/sh -c make # buildkit", "RUN", ["make"]],
  ["RUN |2 A=1 B=two words /bin/sh -c make install # buildkit", "RUN", ["make"]],
  ["|1 A=1 /bin/sh -c make", "RUN", ["make"]],
  ["/bin/bash -o pipefail -c curl x | tar xz", "RUN", ["curl", "tar"]],
  ["COPY a /b # buildkit", "COPY", []],
  ["bazel build //x", "", []],
])("the history entry %j is read", (createdBy, keyword, commands) => {
  const step = readHistoryStep(createdBy);
  expect(step.keyword).toBe(keyword);
  expect(step.commands.map(({ name }) => name)).toEqual(commands);
});

test("a finding of the history is tied to its layer; entries without a layer do not count", () => {
  const { facts } = checkImage(
    {
      ...EMPTY_IMAGE,
      history: [
        { createdBy: "/bin/sh -c #(nop) ADD file:x in /", emptyLayer: false },
        { createdBy: "/bin/sh -c #(nop) ENV A=b", emptyLayer: true },
        { createdBy: "/bin/sh -c curl x | sh", emptyLayer: false },
      ],
    },
    SHIPPED_CHECKS,
  );
  expect(facts.find(({ id }) => id === "image-pipe-to-shell")?.layer).toBe(1);
});

test("ten thousand cached files are one finding", () => {
  const files = Array.from({ length: 10_000 }, (_, at) => ({
    path: `root/.cache/pip/http/${at}`,
    mode: 0o644,
    sizeBytes: 1_000,
    layer: 3,
    owned: false,
  }));
  const facts = checkImage({ ...EMPTY_IMAGE, files }, SHIPPED_CHECKS).facts.filter(
    ({ id }) => id === "image-package-cache",
  );
  expect(facts).toEqual([expect.objectContaining({ layer: 3, detail: "pip cache: 10000 files, 10 MB" })]);
});

test("no value of a secret leaves the checks", () => {
  const secret = "hunter2-geheim";
  const { facts } = checkImage(
    {
      ...EMPTY_IMAGE,
      config: { ...EMPTY_IMAGE.config, env: [`DB_PASSWORD=${secret}`, `URL=https://u:${secret}@h/`, `PATH=.:${"x"}`] },
      history: [
        {
          createdBy: `RUN |1 NPM_TOKEN=${secret} /bin/sh -c useradd -p ${secret} x && apt-get --force-yes install password=${secret} # buildkit`,
          emptyLayer: false,
        },
        { createdBy: `ENV DB_PASSWORD=${secret}`, emptyLayer: true },
        { createdBy: `ADD https://u:${secret}@h/x /x # buildkit`, emptyLayer: false },
      ],
    },
    SHIPPED_CHECKS,
  );
  expect(facts.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      "image-secret-in-env",
      "image-secret-in-build-argument",
      "image-password-set",
      "image-add-remote",
    ]),
  );
  expect(JSON.stringify(facts)).not.toContain(secret);
});

test.each([
  "usr/bin/curl",
  "bin/sh",
  "usr/sbin/sshd",
  "var/lib/apt/lists/x_Packages",
  "root/.npm/_cacache/a",
  "usr/local/bin/npm",
  "etc/ssh/ssh_host_rsa_key",
  "app/.git/HEAD",
])("%s is wanted", (path) => {
  expect(wantsPath(path)).toBe(true);
});

test.each(["usr/share/doc/curl", "app/server.js", "var/lib/apt/lists/lock", "usr/lib/x/sh"])(
  "%s is not wanted",
  (path) => {
    expect(wantsPath(path)).toBe(false);
  },
);

test("a set-uid file is wanted wherever it lies", () => {
  expect(wantsPath("opt/x", 0o4755)).toBe(true);
});

test("a hostile history ends within seconds and says what was left out", () => {
  const history = Array.from({ length: 5_000 }, () => ({
    createdBy: `RUN |1 A=b ${"A=b ".repeat(500)}/bin/sh -c ${"curl x | sh;".repeat(500)}`,
    emptyLayer: false,
  }));
  const start = performance.now();
  expect(checkImage({ ...EMPTY_IMAGE, history }, SHIPPED_CHECKS).problems.length).toBeGreaterThan(0);
  expect(performance.now() - start).toBeLessThan(20_000);
});
