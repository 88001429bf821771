import { wantsPath } from "@bulwark/benchmark/image";
import { compileWants, executableAnalyzers, analyzers as packageAnalyzers } from "@bulwark/ecosystems";
import type { Analyzer, ContentHead, ContentScanner, LayerEntry, RemoteScanner } from "@bulwark/model";

/** Raised when a layer is read otherwise than before although no analyzer changed. */
const READER_VERSION = 2;
const NOBODY: readonly never[] = [];

/** Who looks at the files of a layer. */
export interface ScannerSet {
  /** The analyzers that want a path. */
  wantedBy(path: string): readonly Analyzer[];
  /** The analyzers that want ELF files whatever their path. */
  readonly executable: readonly Analyzer[];
  readonly scanners: readonly ContentScanner[];
  readonly remote: readonly RemoteScanner[];
  /**
   * Whether files that an OS package vouches for by digest are spared the content scanners. Records of packages come
   * from the image itself: who distrusts the image reads everything.
   */
  readonly trustPackages: boolean;
  /** Whether the image checks want to know of a file. */
  readonly isNotable: ((entry: LayerEntry) => boolean) | undefined;
  /** Names everything above in its version: reports under another name are of no use. */
  readonly key: string;
}

/** What content scanning a reading includes. */
export interface ContentOptions {
  readonly scanners?: readonly ContentScanner[];
  readonly remote?: readonly RemoteScanner[];
  /** Default true. */
  readonly trustPackages?: boolean;
  /** Whether files that checks of the image ask for are told. Default false. */
  readonly notable?: boolean;
  /** `source`: what package managers of operating systems wrote down says nothing. Default `image`. */
  readonly kind?: "image" | "source";
}

/** Files from this size on are told, so that a layer's removed bytes can be told. */
const LARGE_BYTES = 1024 * 1024;

function isNotable({ path, mode, size }: LayerEntry): boolean {
  return wantsPath(path, mode) || size >= LARGE_BYTES;
}

/** Analyzers that read what an operating system is and what it installed. */
const OS_ANALYZERS: ReadonlySet<string> = new Set(["os-release", "dpkg", "apk", "rpm"]);

const wantedBy = compileWants(packageAnalyzers);
const executable = executableAnalyzers(packageAnalyzers);

/** The package analyzers together with the given content scanners. */
export function scannerSet(content: ContentOptions = {}): ScannerSet {
  const { scanners = NOBODY, remote = NOBODY, notable = false, kind = "image" } = content;
  const trustPackages = kind === "image" && (content.trustPackages ?? true);
  const all = [...packageAnalyzers, ...scanners, ...remote].map(({ id, version }) => `${id}@${version}`);
  const trust = scanners.length + remote.length > 0 ? [`trust@${trustPackages}`] : [];
  const told = [...(notable ? ["notable@1"] : []), ...(kind === "source" ? ["source@1"] : [])];
  const key = [`reader@${READER_VERSION}`, ...all, ...trust, ...told].sort().join(" ");
  const wanted =
    kind === "image" ? wantedBy : (path: string) => wantedBy(path).filter(({ id }) => !OS_ANALYZERS.has(id));
  return {
    wantedBy: wanted,
    executable,
    scanners,
    remote,
    trustPackages,
    isNotable: notable ? isNotable : undefined,
    key,
  };
}

/** The content scanners that want a file, local ones first. */
export function scannersFor(
  set: ScannerSet,
  head: ContentHead,
): { readonly local: readonly ContentScanner[]; readonly remote: readonly RemoteScanner[] } {
  if (set.scanners.length + set.remote.length === 0) return { local: NOBODY, remote: NOBODY };
  return {
    local: set.scanners.filter((scanner) => scanner.wants(head)),
    remote: set.remote.filter((scanner) => scanner.wants(head)),
  };
}
