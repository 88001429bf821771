import { expect, test } from "vitest";
import { mergeLayers } from "./merge-layers.ts";
import { fact, layer } from "./testing/layers.ts";

function found(...layers: Parameters<typeof layer>[0][]) {
  const { packages } = mergeLayers(layers.map(layer));
  return packages.map(({ fact: { name, version }, path, layer: index }) => `${name}@${version} ${path} ${index}`);
}

test("packages keep the layer that brought them", () => {
  expect(found({ files: { "a/package.json": [fact("a")] } }, { files: { "b/package.json": [fact("b")] } })).toEqual([
    "a@1.0 a/package.json 0",
    "b@1.0 b/package.json 1",
  ]);
});

test("a whiteout removes a file, and everything below a directory", () => {
  const base = { files: { "app/x/package.json": [fact("x")], "app/y.jar": [fact("y")], "apple.jar": [fact("z")] } };
  expect(found(base, { whiteouts: ["app/y.jar"] })).toHaveLength(2);
  expect(found(base, { whiteouts: ["app"] })).toEqual(["z@1.0 apple.jar 0"]);
});

test("an opaque directory hides what lower layers put there, not what its own layer puts there", () => {
  const own = { opaque: ["app"], files: { "app/new.jar": [fact("new")] } };
  expect(found({ files: { "app/old.jar": [fact("old")] } }, own)).toEqual(["new@1.0 app/new.jar 1"]);
  expect(found({ files: { "old.jar": [fact("old")] } }, { opaque: [""] })).toEqual([]);
});

test("a whiteout in the same layer does not touch the layer's own files", () => {
  expect(found({ files: {} }, { whiteouts: ["a"], files: { "a/b.jar": [fact("b")] } })).toEqual(["b@1.0 a/b.jar 1"]);
});

test("a replaced file no longer tells what it told, even when the new content tells nothing", () => {
  const base = { files: { "usr/bin/tool": [fact("golang.org/x/net", "0.1.0", { type: "golang" })] } };
  expect(found(base, { paths: ["usr/bin/tool"] })).toEqual([]);
  expect(found(base, { paths: ["usr/bin/tool2", "usr/bin/too"] })).toHaveLength(1);
});

test("a file in the place of a directory hides everything that was below it", () => {
  expect(found({ files: { "app/lib/a.jar": [fact("a")] } }, { paths: ["app"] })).toEqual([]);
});

test("a rewritten package database keeps the layer of the packages it still lists", () => {
  const deb = (name: string, version = "1") => fact(name, version, { type: "deb" });
  const status = "var/lib/dpkg/status";
  expect(
    found(
      { files: { [status]: [deb("apt"), deb("bash"), deb("gone")] } },
      { files: { [status]: [deb("apt"), deb("bash", "2"), deb("curl")] } },
      { files: { [status]: [deb("apt"), deb("bash", "2"), deb("curl"), deb("dash")] } },
    ),
  ).toEqual([`apt@1 ${status} 0`, `bash@2 ${status} 1`, `curl@1 ${status} 1`, `dash@1 ${status} 2`]);
});

test("a package that is removed and comes back belongs to the layer that brought it back", () => {
  const file = { files: { "a.jar": [fact("a")] } };
  expect(found(file, { whiteouts: ["a.jar"] }, file)).toEqual(["a@1.0 a.jar 2"]);
});

test("what an OS package owns is not reported a second time, on either side of the /usr merge", () => {
  const list = "var/lib/dpkg/info/python3-django.list";
  const path = "usr/lib/python3/dist-packages/Django.egg-info/PKG-INFO";
  const files = { [path]: [fact("Django", "3.2", { type: "pypi" })] };
  expect(found({ files, owned: { [list]: [path, "usr/share/doc"] } })).toEqual([]);
  expect(found({ files, owned: { [list]: ["lib/python3/dist-packages/Django.egg-info/PKG-INFO"] } })).toEqual([]);
  expect(found({ files, owned: { [list]: ["usr/lib/other"] } })).toHaveLength(1);
  expect(found({ files, owned: { [list]: [path] } }, { whiteouts: [list] })).toHaveLength(1);
});

test("what a later layer puts in the place of an owned file is reported, the same once more is not", () => {
  const list = "var/lib/dpkg/info/libjava.list";
  const path = "usr/share/java/commons.jar";
  const jar = (version: string) => ({ [path]: [fact("commons", version, { type: "maven" })] });
  const base = { files: jar("1.0"), owned: { [list]: [path] } };
  expect(found(base, { files: jar("1.0") })).toEqual([]);
  expect(found(base, { files: jar("2.0") })).toEqual([`commons@2.0 ${path} 1`]);
  expect(found(base, { files: jar("2.0"), owned: { [list]: [path] } })).toEqual([]);
});

test("the operating system is read from etc/os-release before the vendor's copy", () => {
  const os = (id: string) => ({ id, versionId: "1", name: id });
  const report = (path: string, id: string) => ({ path, analyzer: "os", packages: [], problems: [], os: os(id) });
  const both = layer({ reports: [report("usr/lib/os-release", "vendor"), report("etc/os-release", "owner")] });
  expect(mergeLayers([both]).os?.id).toBe("owner");
  expect(mergeLayers([both, layer({ whiteouts: ["etc/os-release"] })]).os?.id).toBe("vendor");
  expect(mergeLayers([]).os).toBeNull();
});

test("problems of a file that a later layer removes are not told", () => {
  const broken = { path: "a.jar", analyzer: "jar", packages: [], problems: ["torn"] };
  expect(mergeLayers([layer({ reports: [broken] })]).problems).toEqual([{ path: "a.jar", layer: 0, what: "torn" }]);
  expect(mergeLayers([layer({ reports: [broken] }), layer({ whiteouts: ["a.jar"] })]).problems).toEqual([]);
});

test("a file that a later layer puts in the place of a package's own is nobody's", () => {
  const list = "var/lib/dpkg/info/mount.list";
  const fact = { kind: "malware", id: "odd", severity: "high", title: "odd", advice: "x", unlessOwned: true } as const;
  const mount = (content: readonly (typeof fact)[]) => [
    { path: "usr/bin/mount", analyzer: "notable", packages: [], problems: [], notable: { mode: 0o4755, sizeBytes: 1 } },
    { path: "usr/bin/mount", analyzer: "scanner", packages: [], problems: [], content },
  ];
  const base = layer({ owned: { [list]: ["bin/mount"] }, reports: mount([fact]) });
  const ofPackage = mergeLayers([base]);
  expect([ofPackage.content, ofPackage.files.map(({ owned }) => owned)]).toEqual([[], [true]]);
  const replaced = mergeLayers([base, layer({ reports: mount([fact]) })]);
  expect(replaced.content.map(({ path, layer: index }) => [path, index])).toEqual([["usr/bin/mount", 1]]);
  expect(replaced.files.map(({ owned }) => owned)).toEqual([false]);
  const upgraded = mergeLayers([base, layer({ owned: { [list]: ["bin/mount"] }, reports: mount([fact]) })]);
  expect([upgraded.content, upgraded.files.map(({ owned }) => owned)]).toEqual([[], [true]]);
});
