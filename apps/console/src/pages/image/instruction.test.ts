import { expect, test } from "vitest";
import { instructionOf } from "./instruction.ts";

test.each([
  ["/bin/sh -c #(nop) ADD file:3c1 in / ", "ADD", "file:3c1 in /"],
  ['/bin/sh -c #(nop)  CMD ["bash"]', "CMD", '["bash"]'],
  ["/bin/sh -c apt-get update", "RUN", "apt-get update"],
  ["RUN /bin/sh -c npm ci # buildkit", "RUN", "npm ci"],
  ["COPY . /app # buildkit", "COPY", ". /app"],
  ["bazel build ...", "", "bazel build ..."],
  ["", "", ""],
])("%j is read as %s", (createdBy, verb, rest) => {
  expect(instructionOf(createdBy)).toEqual({ verb, rest });
});
