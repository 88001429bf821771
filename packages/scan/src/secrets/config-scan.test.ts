import { describe, expect, it } from "vitest";
import { createConfigSecretScan } from "./config-scan.ts";
import { readSecretRules } from "./read-rules.ts";
import { expandSample } from "./sample.ts";
import { imageConfig } from "./testing/image-config.ts";
import { shippedRules } from "./testing/shipped-rules.ts";

const scan = createConfigSecretScan([await shippedRules()]);
const secretKey = expandSample("{b64:40}", "config");
const token = expandSample("ghp_{alnum:36}", "config");

function history(createdBy: string) {
  return { created: "", createdBy, comment: "", emptyLayer: false };
}

function told(parts: Parameters<typeof imageConfig>[0]): readonly (readonly [string, string | undefined])[] {
  return scan(imageConfig(parts)).facts.map(({ id, detail }) => [id, detail]);
}

describe("secrets of an image's configuration", () => {
  it("are found in the environment, with the variable's name", () => {
    expect(told({ env: ["PATH=/usr/bin", `AWS_SECRET_ACCESS_KEY=${secretKey}`] })).toEqual([
      ["aws-secret-access-key", `ENV AWS_SECRET_ACCESS_KEY=${secretKey.slice(0, 4)}****`],
    ]);
  });

  it("are found by the variable's name alone", () => {
    expect(told({ env: ["MYSQL_ROOT_PASSWORD=letmein99"] })).toEqual([
      ["variable-secret", "ENV MYSQL_ROOT_PASSWORD=l****"],
    ]);
  });

  it.each([
    `MYSQL_ROOT_PASSWORD=\${SECRET}`,
    "MYSQL_ROOT_PASSWORD=",
    "MYSQL_ALLOW_EMPTY_PASSWORD=yes",
    "POSTGRES_PASSWORD_FILE=/run/secrets/pg",
    "GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305",
    "PYTHON_SHA256=0123",
    "TOKENIZERS_PARALLELISM=false",
    "SSH_KEY_PATH=/root/.ssh/id",
    "PWD=/app/dir",
    "API_KEY=<your key>",
    "DB_PASSWORD=changeme",
    "TOKEN_URL=https://auth.example.org/token",
  ])("leave %s alone", (variable) => {
    expect(told({ env: [variable] })).toEqual([]);
  });

  it("are found in labels, entry point, command and health check", () => {
    expect(told({ labels: { "org.example.token": token } })).toEqual([
      ["github-personal-token", "LABEL org.example.token=ghp_****"],
    ]);
    expect(told({ entrypoint: ["sh", "-c", `curl -H 'X: ${token}'`] })).toEqual([
      ["github-personal-token", "ENTRYPOINT: ghp_****"],
    ]);
    expect(told({ cmd: ["--token", token] })).toEqual([["github-personal-token", "CMD: ghp_****"]]);
    expect(told({ healthcheck: { test: ["CMD-SHELL", `curl ${token}`] } })).toEqual([
      ["github-personal-token", "HEALTHCHECK: ghp_****"],
    ]);
  });

  it("are found in the history: build arguments, ARG, ENV and commands", () => {
    const argument = `|2 NPM_TOKEN=${"s3cr3tValue99"} V=1 /bin/sh -c npm ci # buildkit`;
    expect(told({ history: [history("/bin/sh -c #(nop) ADD file:x in / "), history(`RUN ${argument}`)] })).toEqual([
      ["variable-secret", "history 2, ARG NPM_TOKEN=s3****"],
    ]);
    expect(told({ history: [history("ARG ADMIN_PASSWORD=s3cr3tValue99")] })).toEqual([
      ["variable-secret", "history 1, ARG ADMIN_PASSWORD=s3****"],
    ]);
    expect(
      told({ history: [history(`RUN /bin/sh -c git clone https://x:${token}@github.com/a/b # buildkit`)] }),
    ).toEqual([["github-personal-token", "history 1: ghp_****"]]);
  });

  it("are told once when the environment and the history hold the same", () => {
    const variable = "APP_SECRET=s3cr3tValue99";
    expect(told({ env: [variable], history: [history(`ENV ${variable}`)] })).toEqual([
      ["variable-secret", "ENV APP_SECRET=s3****"],
    ]);
  });

  it("of hostile size are bounded", () => {
    const env = Array.from({ length: 20_000 }, (_, at) => `PASSWORD_${at}=value-${at}-s3cr3t`);
    const bounded = scan(imageConfig({ env }));
    expect(bounded.facts).toHaveLength(200);
    expect(bounded.problems).toEqual([expect.stringMatching(/more than is looked at/)]);
    const long = scan(imageConfig({ env: [`X=${"=".repeat(2_000_000)}`], cmd: ["\0\x1b[2J"] }));
    expect(long).toMatchObject({ facts: [], problems: ["ENV: only the first 65536 characters were read"] });
  });

  it("are taken out of any text that tells them", () => {
    const { redact } = scan(imageConfig({ env: ["DB_PASSWORD=tr0ub4dor-and-3"] }));
    expect(redact("ENV DB_PASSWORD=tr0ub4dor-and-3 USER=täglich")).toBe("ENV DB_PASSWORD=tr0**** USER=täglich");
    expect(redact("RUN echo nothing")).toBe("RUN echo nothing");
  });

  it("by a user's hostile rule are cut off and told", () => {
    const rules = readSecretRules(
      "rules: [{id: slow-name, title: Slow pattern, severity: low, kind: variable, pattern: '^(\\w+\\d?)+!$'}]",
      "mine.yaml",
    );
    const { facts, problems } = createConfigSecretScan([rules])(
      imageConfig({ env: [`A=${"a".repeat(10)}`, "a".repeat(60)] }),
    );
    expect(facts).toEqual([]);
    expect(problems).toEqual(["rule slow-name (mine.yaml:1) was cut off: its pattern took longer than 500 ms"]);
  });
});
