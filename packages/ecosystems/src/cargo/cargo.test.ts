import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { elfOf } from "../testing/elf-writer.ts";
import { cargoAuditable } from "./cargo-auditable.ts";
import { cargoLock } from "./cargo-lock.ts";

const names = (facts: ReturnType<typeof analyze>) =>
  (facts.packages ?? []).map(({ name, version }) => `${name}@${version}`);

test("Cargo.lock gives the crates that come from somewhere", () => {
  const lock = `version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "time",
]

[[package]]
name = "time"
version = "0.1.43"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00"
`;
  expect(names(analyze(cargoLock, "app/Cargo.lock", lock))).toEqual(["time@0.1.43"]);
});

const list = {
  packages: [
    { name: "app", version: "0.1.0", source: "local", root: true },
    { name: "time", version: "0.1.43", source: "crates.io" },
    { name: "cc", version: "1.0.0", source: "crates.io", kind: "build" },
  ],
};

test("a program built with cargo-auditable names the crates it runs", () => {
  const program = elfOf({ ".text": "x", ".dep-v0": deflateSync(JSON.stringify(list)) });
  expect(names(analyze(cargoAuditable, "usr/bin/app", program))).toEqual(["time@0.1.43"]);
  expect(analyze(cargoAuditable, "usr/bin/app", elfOf({ ".text": "x" }))).toEqual({});
});

test("a damaged list of crates is a problem", () => {
  expect(analyze(cargoAuditable, "app", elfOf({ ".dep-v0": "junk" })).problems).toHaveLength(1);
  const bomb = elfOf({ ".dep-v0": deflateSync(Buffer.alloc(64 * 1024 * 1024)) });
  expect(analyze(cargoAuditable, "app", bomb).problems).toHaveLength(1);
  expectNoThrowOnDamage(cargoAuditable, "app", elfOf({ ".dep-v0": deflateSync(JSON.stringify(list)) }), 200);
});
