import type { BaseCandidate, Runtime } from "@bulwark/lineage";
import type { HeldPackage, ImageItem } from "@bulwark/store";

/** Packages that bring a runtime, by how distributions name them; the group is its version where the name tells. */
const RUNTIMES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["node", /^(?:node|nodejs)$/],
  ["python", /^(?:python|python3|python3?(\.\d+|\d\.\d+)(?:-minimal)?|libpython(\d\.\d+)-stdlib)$/],
  ["java", /^(?:openjdk|java|temurin|msopenjdk)-?(\d+)(?:-|\.|$)/],
  ["ruby", /^ruby(\d\.\d+)?$/],
  ["php", /^php(\d+(?:\.\d+)?)?(?:-cli|-fpm)?$/],
  ["perl", /^perl(?:-base|-interpreter)?$/],
  ["dotnet", /^(?:dotnet|aspnetcore)-runtime-(\d+\.\d+)$/],
];

/**
 * Runtimes that packages of an operating system bring.
 *
 * @example runtimesOf([{ type: "deb", name: "openjdk-17-jre-headless", version: "17.0.9+9-1" }]) // [{ name: "java", version: "17.0.9" }]
 */
export function runtimesOf(packages: readonly HeldPackage[]): readonly Runtime[] {
  const found = new Map<string, Runtime>();
  for (const { name: held, version } of packages) {
    for (const [name, pattern] of RUNTIMES) {
      if (!pattern.test(held)) continue;
      const number = upstream(version);
      found.set(`${name} ${number}`, { name, version: number });
    }
  }
  return [...found.values()];
}

/** `1:3.11.2-6+deb12u1` is 3.11.2. */
function upstream(version: string): string {
  return /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? "";
}

/** The C library that programs of an image are linked with; undefined where no package tells. */
export function libcOf(packages: readonly HeldPackage[]): "glibc" | "musl" | undefined {
  const names = new Set(packages.map(({ name }) => name));
  if (names.has("libc6") || names.has("glibc")) return "glibc";
  return names.has("musl") ? "musl" : undefined;
}

/** A golden image as advice weighs it. */
export function candidateOf<Id>(id: Id, item: ImageItem, packages: readonly HeldPackage[]): BaseCandidate<Id> {
  return {
    id,
    platform: item.platform,
    os: { id: item.os?.id ?? "", versionId: item.os?.version ?? "" },
    libc: libcOf(packages),
    runtimes: runtimesOf(packages),
    packages: new Set(packages.map(({ name }) => name)),
    risk: item.risk,
    sizeBytes: item.sizeBytes,
  };
}
