import fc from "fast-check";
import { expect, test } from "vitest";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { fixDockerfile } from "./fix.ts";
import { lintDockerfile } from "./lint.ts";

const fix = (text: string) => fixDockerfile(text, lintDockerfile(text, SHIPPED_CHECKS).facts);

test("each safe fix changes its own words and nothing else", () => {
  const text = [
    "FROM debian:12",
    "MAINTAINER Ann Example",
    "ADD --chown=1:1  src/   /app",
    "RUN apt update  &&  apt install curl \\",
    "    # certificates",
    "    ca-certificates",
    "ENV MODE fast and safe",
    "RUN pip install flask==3",
    "CMD server --port 80",
    "",
  ].join("\n");
  expect(fix(text).text.split("\n")).toEqual([
    "FROM debian:12",
    'LABEL org.opencontainers.image.authors="Ann Example"',
    "COPY --chown=1:1  src/   /app",
    "RUN apt-get update  &&  apt-get install -y --no-install-recommends curl \\",
    "    # certificates",
    "    ca-certificates \\",
    "    && rm -rf /var/lib/apt/lists/*",
    'ENV MODE="fast and safe"',
    "RUN pip install --no-cache-dir flask==3",
    'CMD ["server", "--port", "80"]',
    "",
  ]);
});

test("line ends of Windows stay", () => {
  expect(fix("FROM debian:12\r\nRUN apt-get update && apt-get install -y curl\r\nUSER 1\r\n").text).toBe(
    "FROM debian:12\r\nRUN apt-get update && apt-get install --no-install-recommends -y curl && rm -rf /var/lib/apt/lists/*\r\nUSER 1\r\n",
  );
});

test.each([
  ["a source that may be an archive", "FROM a:1\nADD rootfs /\n"],
  ["a source that may be an address", "FROM a:1\nADD $SRC /x/\n"],
  [
    "lists that a later RUN needs",
    "FROM debian:12\nRUN apt-get update && true\nRUN apt-get install -y --no-install-recommends curl\n",
  ],
  [
    "a RUN that runs as another user by sudo",
    "FROM debian:12\nRUN sudo apt-get update && sudo apt-get install -y --no-install-recommends x\n",
  ],
  [
    "a RUN that ends in the background",
    "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends x &\n",
  ],
  ["a CMD with shell syntax", "FROM a:1\nCMD server --port $PORT\n"],
  ["a CMD that is a word of the shell", "FROM a:1\nCMD exec server\n"],
  ["a CMD that is handed to an ENTRYPOINT", 'FROM a:1\nENTRYPOINT ["/x"]\nCMD server\n'],
  ["a CMD below a SHELL of an earlier stage", 'FROM a:1 AS b\nSHELL ["/bin/bash", "-c"]\nFROM b\nCMD server\n'],
  ["a MAINTAINER with quotes inside", 'FROM a:1\nMAINTAINER Ann "A" Example\n'],
  ["a value with quotes", 'FROM a:1\nENV A b "c"\n'],
])("%s is left as it is", (_, text) => {
  expect(fix(text)).toEqual({ text, applied: [] });
});

test("a fix is told with its line and check", () => {
  expect(fix("FROM a:1\nMAINTAINER Ann\n").applied).toEqual([
    "line 2: MAINTAINER became a label (dockerfile-maintainer)",
  ]);
});

const line = fc.constantFrom(
  "RUN apt-get update && apt-get install curl",
  "RUN apt update; apt install -y curl git",
  "RUN apt-get update \\\n  && apt-get install curl \\\n  # note\n  git",
  "RUN sh -c 'apt-get install x'",
  "RUN if true; then apt-get install x; fi",
  "RUN apk add curl",
  "RUN yum install curl",
  "RUN dnf -y install curl && echo $(dnf install x)",
  "RUN pip3 install flask; python -m pip install x",
  "RUN <<EOF\napt-get update\napt-get install x\nEOF",
  "ADD . /app",
  "ONBUILD ADD a.json /b",
  "add file.txt /x",
  "MAINTAINER A B",
  "ENV A b c",
  "LABEL k v",
  "CMD run it",
  "CMD run $it",
  "ENTRYPOINT run it",
  "USER 1000",
  "# a comment",
  "",
  "FROM debian:12 AS next",
);

test("fixing twice is fixing once, and no mended finding comes back", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = `FROM debian:12\n${lines.join("\n")}\n`;
      const once = fix(text);
      const again = fix(once.text);
      expect(again).toEqual({ text: once.text, applied: [] });
    }),
    { numRuns: 400 },
  );
});

test("lines without a finding keep every byte", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.string({ maxLength: 30 }), (lines, noise) => {
      const quiet = `#  ${noise.replace(/[\r\n]/g, "")}  \t`;
      const text = `FROM debian:12\n${quiet}\n${lines.join("\n")}\n${quiet}\n`;
      const fixed = fix(text).text;
      expect(fixed.startsWith(`FROM debian:12\n${quiet}\n`)).toBe(true);
      expect(fixed.endsWith(`\n${quiet}\n`)).toBe(true);
    }),
    { numRuns: 150 },
  );
});
