import { expect, test } from "vitest";
import { inSameRegistry } from "./base-reference.ts";

test("a base is looked up in the image's own registry alone", () => {
  expect(inSameRegistry("team/base:1", "team/app:1")).toBe("docker.io/team/base:1");
  expect(inSameRegistry("http://r.example/base", "r.example/app")).toBe("r.example/base:latest");
  for (const elsewhere of ["r.example/base", "169.254.169.254/base", "", "/etc/passwd", "x\0y"])
    expect(inSameRegistry(elsewhere, "team/app:1")).toBeUndefined();
});

test("no name that an image gives for its base means a file or daemon of this machine", () => {
  for (const local of ["docker:app", "podman:app", "containerd:app", "oci:app", "dir:etc"]) {
    expect(inSameRegistry(local, "team/app:1")).toBe(`docker.io/library/${local}`);
  }
});
