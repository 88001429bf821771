import type { Analyzer, FileFacts } from "@bulwark/model";
import { findBytes, readElf } from "../elf.ts";
import { factList } from "../language-facts.ts";

const MAX_BYTES = 128 * 1024 * 1024;
/** Enough for any version and what follows it. */
const WINDOW_BYTES = 64;
/** A program repeats its marker rarely; more places than this are not looked at. */
const MAX_PLACES = 10_000;

interface Runtime {
  /** As Bitnami's records name it. */
  readonly name: string;
  /** File names that it has; everything else is not looked into. */
  readonly files: RegExp;
  /** Text right before the version. */
  readonly marker: string;
  /** The version, at the start of what follows the marker; the first group is the version. */
  readonly version: RegExp;
}

const THREE = /^(\d+\.\d+\.\d+)/;

/** Programs that are often copied into images without a package manager, and the text by which they tell their version. */
const RUNTIMES: readonly Runtime[] = [
  { name: "node", files: /^node(?:js)?$/, marker: "nodejs.org/download/release/v", version: THREE },
  {
    name: "python",
    files: /^(?:lib)?python3(?:\.\d+)?(?:\.so[.\d]*)?$/,
    marker: "\0",
    // SQLite, which some builds link in, has been at 3.30 and later since 2019.
    version: /^(3\.[12]?\d\.\d+)\+?\0/,
  },
  { name: "nginx", files: /^nginx$/, marker: "nginx version: nginx/", version: THREE },
  { name: "redis", files: /^redis-server$/, marker: "\0", version: /^(\d+\.\d+\.\d+)\0/ },
  {
    name: "openssl",
    files: /^(?:openssl|libcrypto\.so[.\d]*)$/,
    marker: "OpenSSL ",
    version: /^(\d+\.\d+\.\d+[a-z]*) +\d/,
  },
  {
    name: "php",
    files: /^(?:php|php-fpm|php-cgi|libphp)(?:\d+(?:\.\d+)?)?(?:\.so)?$/,
    marker: "X-Powered-By: PHP/",
    version: THREE,
  },
  { name: "apache", files: /^(?:httpd|apache2)$/, marker: "Apache/", version: THREE },
  { name: "haproxy", files: /^haproxy$/, marker: "\0", version: /^(\d+\.\d+\.\d+)(?:-[\w+.~]*)?\0/ },
  { name: "postgresql", files: /^postgres$/, marker: "postgres (PostgreSQL) ", version: /^(\d+\.\d+)/ },
  { name: "busybox", files: /^busybox$/, marker: "BusyBox v", version: THREE },
  { name: "bash", files: /^bash$/, marker: "@(#)Bash version ", version: THREE },
  { name: "curl", files: /^(?:curl|libcurl\.so[.\d]*)$/, marker: "libcurl/", version: THREE },
];

/** Well-known runtimes installed without a package manager, by the version text inside the program. */
export const runtime: Analyzer = {
  id: "runtime",
  version: 3,
  wants: ["executable"],
  maxBytes: MAX_BYTES,
  read({ path, bytes }): FileFacts {
    const file = path.slice(path.lastIndexOf("/") + 1);
    const known = RUNTIMES.find(({ files }) => files.test(file));
    if (known === undefined) return {};
    const list = factList("generic", "installed");
    const version = findVersion(bytes, known);
    if (version !== undefined) list.add("", known.name, version);
    return list.facts();
  },
};

function findVersion(bytes: Uint8Array, { marker, version }: Runtime): string | undefined {
  const needle = Uint8Array.from([...marker].map((letter) => letter.charCodeAt(0)));
  // Constants lie in the read-only data; a stripped or odd file is searched whole.
  const data = readElf(bytes)?.sections.find(({ name }) => name === ".rodata") ?? { offset: 0, size: bytes.length };
  const end = data.offset + data.size;
  let places = 0;
  for (let at = findBytes(bytes, needle, data.offset, end); at >= 0; at = findBytes(bytes, needle, at + 1, end)) {
    const start = at + needle.length;
    // Most bytes after a marker as short as NUL are no digit: not worth a string.
    const first = bytes[start] ?? 0;
    if (first < 0x30 || first > 0x39) continue;
    if (++places > MAX_PLACES) return undefined;
    const text = String.fromCharCode(...bytes.subarray(start, Math.min(start + WINDOW_BYTES, bytes.length)));
    const found = version.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}
