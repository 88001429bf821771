import type { ContentScanner } from "@bulwark/model";

/**
 * A content scanner whose rules are read when the first file comes: a scan whose layers are all in the cache needs none of
 * them. Its version has to cover whatever `load` reads.
 *
 * @example lazyScanner({ id: "secrets", version: digestOfFiles, maxBytes: 1 << 24, load: () => createSecretScanner(rules) });
 */
export function lazyScanner(
  parts: Pick<ContentScanner, "id" | "version" | "maxBytes" | "wantsWhole"> & { readonly load: () => ContentScanner },
): ContentScanner {
  let loaded: ContentScanner | undefined;
  const scanner = () => {
    loaded ??= parts.load();
    return loaded;
  };
  const { load: _, ...told } = parts;
  return {
    ...told,
    wants: (head) => scanner().wants(head),
    wantsDigest: (sizeBytes) => scanner().wantsDigest?.(sizeBytes) ?? false,
    scan: (file) => scanner().scan(file),
  };
}
