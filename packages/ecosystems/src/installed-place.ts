/**
 * Places of installed packages and of package managers' stores: npm, pip, Go's module cache, Cargo's registry, RubyGems
 * and Bundler. Many packages ship the lock files they were developed with.
 */
const PLACES =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|pkg\/mod|\.?cargo\/(?:registry|git)|gems\/[^/]+-[0-9][^/]*|bundler\/gems)\//;

/**
 * Whether a path lies inside an installed package: a lock file there says nothing about what is installed.
 *
 * @example isInsidePackage("usr/lib/python3/dist-packages/notebook/yarn.lock") // true
 */
export function isInsidePackage(path: string): boolean {
  return PLACES.test(path);
}
