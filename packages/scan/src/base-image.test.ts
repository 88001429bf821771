import { expect, test } from "vitest";
import { annotatedBase, boundaryFromHistory, boundaryFromOs, standsOn } from "./base-image.ts";
import { fact, layer } from "./testing/layers.ts";

const run = (createdBy: string) => ({ createdBy, emptyLayer: false });
const set = (createdBy: string) => ({ createdBy, emptyLayer: true });

test("the base ends at its own CMD, not at the image's", () => {
  const history = [
    run("ADD rootfs.tar /"),
    set('CMD ["bash"]'),
    run("RUN apt-get install nginx"),
    set('CMD ["nginx"]'),
  ];
  expect(boundaryFromHistory(history, 2)).toBe(1);
});

test("of two bases on each other the upper one counts", () => {
  const history = [
    run("ADD rootfs"),
    set('CMD ["bash"]'),
    run("RUN install python"),
    set('ENTRYPOINT ["python3"]'),
    run("COPY app"),
    set("USER 1000"),
  ];
  expect(boundaryFromHistory(history, 3)).toBe(2);
});

test.each([
  ["no history", [], 2],
  ["a base without CMD", [run("ADD rootfs"), run("COPY app")], 2],
  ["an image with nothing of its own", [run("ADD rootfs"), set('CMD ["bash"]')], 1],
  ["a CMD before any layer", [set('CMD ["bash"]'), run("ADD rootfs")], 1],
])("the history of %s tells no boundary", (_what, history, layers) => {
  expect(boundaryFromHistory(history, layers)).toBeUndefined();
});

test("an image stands on a base when all of the base's layers are its lowest", () => {
  const base = (diffIds: string[]) => ({ reference: "b", digest: "", diffIds });
  expect(standsOn(["1", "2", "3"], base(["1", "2"]))).toBe(2);
  expect(standsOn(["1", "2", "3"], base(["1", "3"]))).toBeUndefined();
  expect(standsOn(["1"], base(["1", "2"]))).toBeUndefined();
  expect(standsOn(["1"], base([]))).toBeUndefined();
});

test("the layer that brings the operating system ends the base when something stands on it", () => {
  const os = {
    path: "etc/os-release",
    analyzer: "os",
    packages: [],
    problems: [],
    os: { id: "d", versionId: "", name: "" },
  };
  const debian = layer({ reports: [os], files: { "var/lib/dpkg/status": [fact("apt", "1", { type: "deb" })] } });
  expect(boundaryFromOs([debian, layer({})])).toBe(1);
  expect(boundaryFromOs([debian])).toBeUndefined();
  expect(boundaryFromOs([layer({}), layer({})])).toBeUndefined();
});

test("an annotation names the base", () => {
  const name = "org.opencontainers.image.base.name";
  expect(annotatedBase({ [name]: "docker.io/library/debian:12" })).toEqual({
    reference: "docker.io/library/debian:12",
    digest: "",
  });
  expect(annotatedBase({})).toBeNull();
});
