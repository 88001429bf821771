import { imageError } from "./errors.ts";

/** An operating system, an architecture in Go's spelling and its variant (OCI image index, "platform"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  ppc64: "ppc64le",
  loong64: "loong64",
};
const ALIASES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armhf: "arm", i386: "386" };
const PART = /^[A-Za-z0-9._-]{1,64}$/;

/** `linux` and this machine's architecture. */
export function defaultPlatform(): Platform {
  return { os: "linux", architecture: ARCHITECTURES[process.arch] ?? process.arch, variant: "" };
}

/**
 * Reads `os/arch` or `os/arch/variant`.
 *
 * @throws REFERENCE_INVALID
 */
export function parsePlatform(text: string): Platform {
  const [os = "", architecture = "", variant = "", ...rest] = text.toLowerCase().split("/");
  if (
    rest.length > 0 ||
    ![os, architecture].every((part) => PART.test(part)) ||
    (variant !== "" && !PART.test(variant))
  ) {
    throw imageError(
      "REFERENCE_INVALID",
      `no platform: ${JSON.stringify(text.slice(0, 100))}`,
      "write it as os/arch or os/arch/variant, such as linux/arm64",
    );
  }
  return { os, architecture: ALIASES[architecture] ?? architecture, variant };
}

/** `linux/amd64`, `linux/arm/v7`; empty for a platform without system and architecture. */
export function formatPlatform(platform: Platform): string {
  if (platform.os === "" && platform.architecture === "") return "";
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== "").join("/");
}

/** True when `offered` may stand for `wanted`: a wanted variant must be met, where arm64 means v8. */
export function platformMatches(wanted: Platform, offered: Platform): boolean {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return false;
  if (wanted.variant === "") return true;
  return variantOf(wanted) === variantOf(offered);
}

function variantOf(platform: Platform): string {
  return platform.variant === "" && platform.architecture === "arm64" ? "v8" : platform.variant;
}
