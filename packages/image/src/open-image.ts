import { existsSync, statSync } from "node:fs";
import { directoryFiles, openLayout } from "./archive/layout.ts";
import { openArchive } from "./archive/open-archive.ts";
import { imageError } from "./errors.ts";
import { limitsWith } from "./limits.ts";
import type { OpenOptions } from "./open-options.ts";
import type { OpenedImage } from "./opened-image.ts";
import { parsePlatform } from "./platform.ts";
import { formatReference, parseReference } from "./reference.ts";
import type { ResolveOptions } from "./resolve.ts";

const ARCHIVE_NAME = /\.(?:tar|tar\.gz|tgz|tar\.zst)$/;

/**
 * Opens an image: reads and verifies its manifest and configuration, and makes its layers ready to be read.
 *
 * | source | what it is |
 * |---|---|
 * | `docker.io/library/x:1`, `x@sha256:…`, `http://host:5000/a/b` | registry; `http://` asks for plain HTTP |
 * | `image.tar`, `image.tar.gz`, `image.tar:NAME` | `docker save` or OCI archive |
 * | `oci:DIR`, `oci:DIR:TAG` | OCI image layout |
 * | `dir:ROOTFS` | root file system, as an image of one layer without digests |
 * | `containerd:REF`, `docker:REF`, `podman:REF` | the daemon on this machine |
 *
 * @throws CodedError with an ImageErrorCode
 * @example const image = await openImage("oci:./layout"); await image.readLayer(0, (entry) => { … }); await image.close();
 */
export async function openImage(source: string, options: OpenOptions = {}): Promise<OpenedImage> {
  const resolve = (reference: string): ResolveOptions => ({
    reference,
    platform: options.platform === undefined ? undefined : parsePlatform(options.platform),
    limits: limitsWith(options.limits),
    signal: options.signal,
  });
  const [scheme, rest] = splitScheme(source);
  switch (scheme) {
    case "oci": {
      const [directory, selector] = splitSelector(rest, (path) => isKind(path, "directory"));
      return openLayout(directory, directoryFiles(directory), selector, resolve(source));
    }
    case "dir": {
      const { openRootfs } = await import("./rootfs.ts");
      return openRootfs(rest, resolve(source));
    }
    case "containerd": {
      const { openContainerd } = await import("./daemon/containerd.ts");
      return openContainerd(rest, options, resolve(source));
    }
    case "docker":
    case "podman": {
      const { openEngine } = await import("./daemon/engine.ts");
      return openEngine(scheme, rest, options, resolve(source));
    }
    default:
      return openUnprefixed(source, options, resolve);
  }
}

async function openUnprefixed(
  source: string,
  options: OpenOptions,
  resolve: (reference: string) => ResolveOptions,
): Promise<OpenedImage> {
  const [path, selector] = splitSelector(
    source,
    (candidate) => ARCHIVE_NAME.test(candidate) || isKind(candidate, "file"),
  );
  const isPath = /^(?:\/|\.\.?\/)/.test(source);
  if (ARCHIVE_NAME.test(path) || isPath) {
    if (isKind(path, "directory")) {
      throw imageError(
        "SOURCE_INVALID",
        `${path} is a directory`,
        "write dir:PATH for a root file system or oci:PATH for an OCI image layout",
      );
    }
    return openArchive(path, selector, resolve(source));
  }
  const reference = parseReference(source);
  if (options.offline === true) {
    throw imageError(
      "OFFLINE",
      `${formatReference(reference)} is in a registry, which may not be asked offline`,
      "save the image to an archive and give its path, or leave --offline out",
    );
  }
  const { openRegistryImage } = await import("./registry/registry-source.ts");
  return openRegistryImage(reference, options, resolve(formatReference(reference)));
}

const SCHEMES = ["oci", "dir", "containerd", "docker", "podman"] as const;

function splitScheme(source: string): readonly [(typeof SCHEMES)[number] | "", string] {
  const scheme = SCHEMES.find((name) => source.startsWith(`${name}:`));
  return scheme === undefined ? ["", source] : [scheme, source.slice(scheme.length + 1)];
}

/** Splits `PATH:SELECTOR` or `PATH@DIGEST` at the last place where PATH is one; the whole text when it is itself. */
function splitSelector(text: string, isOne: (path: string) => boolean): readonly [string, string] {
  if (isOne(text) && existsSync(text)) return [text, ""];
  for (const match of text.matchAll(/[:@]/g)) {
    const path = text.slice(0, match.index);
    if (isOne(path) && existsSync(path)) return [path, text.slice(match.index + 1)];
  }
  return [text, ""];
}

function isKind(path: string, kind: "file" | "directory"): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return kind === "file" ? stat?.isFile() === true : stat?.isDirectory() === true;
}
