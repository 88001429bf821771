/** What is not worth reading for secrets, and how content becomes bytes that patterns can be tried on. */

const HEAD_BYTES = 8_000;

// Pictures, sound, fonts and compressed content: what stands in them is not text, and archives are read by their own analyzers.
const SKIPPED_EXTENSIONS = new Set(
  (
    "png jpg jpeg gif bmp ico webp tif tiff psd heic avif icns xcf mp3 mp4 m4a ogg oga opus flac wav avi mkv mov webm " +
    "woff woff2 ttf otf eot pfb pcf gz tgz bz2 xz zst lz4 lzma 7z rar zip jar war ear whl egg apk deb rpm br cab iso " +
    "squashfs qcow2 vmdk mo gmo pdf ps eps djvu mdb dat hyph dic aff tzdata icc cur pyo gir typelib ppd nls kbd qm"
  ).split(" "),
);
const SKIPPED_FOLDERS =
  /^(?:proc|sys|dev|usr\/share\/(?:man|zoneinfo|locale|i18n|icons|fonts|mime|X11|terminfo|info|consolefonts|consoletrans|keymaps|perl\/[^/]+\/unicore)|usr\/share\/perl\/[^/]+\/unicore|lib\/terminfo|usr\/lib\/locale|var\/lib\/(?:dpkg\/info\/[^/]+\.(?:md5sums|list)|apt\/lists|rpm)|var\/cache\/(?:fontconfig|apt))(?:\/|$)/;

// Full of hashes, generated names and integrity sums, on which guesses by name and look go wrong.
const NOISY =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lock|composer\.lock|Cargo\.lock|poetry\.lock|uv\.lock|pdm\.lock|Pipfile\.lock|Gemfile\.lock|go\.sum|go\.work\.sum|flake\.lock|Podfile\.lock|pubspec\.lock|packages\.lock\.json|mix\.lock|gradle\.lockfile|\.package-lock\.json|RECORD|SHA(?:1|256|512)SUMS|md5sums|MANIFEST\.MF|CHANGES|CHANGELOG[^/]*|NEWS[^/]*|copyright|changelog)$|\.(?:map|min\.js|min\.css|svg|lock|sum|sha256|sha512|md5|md5sums|po|pot|pem\.pub|pub|asc|sig|crt|cer|csv|tsv|snap|tm[Ll]anguage(?:\.json)?|d\.ts|d\.mts|d\.cts|h|hpp|md5sum)$/;

// Where package managers put what others published…
const INSTALLED =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|bower_components|vendor\/(?:bundle|github\.com|golang\.org|k8s\.io)|google-cloud-sdk|go\/src|go\/pkg\/mod|\.cargo\/registry|\.m2\/repository|usr\/lib\/python[\d.]+|usr\/local\/lib\/python[\d.]+|usr\/lib\/ruby|usr\/share\/perl5?|usr\/share\/doc)\//;
// … and what of it is there to show or to test something. Everything below usr/share/doc is.
const SHOWN =
  /(?:^|\/)(?:usr\/share\/doc|tests?|testing|test[-_]?data|test[-_]utils?|__tests__|__fixtures__|specs?|examples?|docs?|fixtures?|samples?|demos?|benchmarks?)\/|(?:^|\/)(?:README|HISTORY|CHANGES)[^/]*$|(?:^|\/)(?:PKG-INFO|METADATA|test[-_][^/]*\.py|conftest\.py)$|(?:[._-](?:test|spec|tests)\.[a-z]{1,4}|\.md|\.rst|\.markdown)$/;

/** False for files that hold no text, whatever their name says about secrets. */
export function mayHoldText(path: string): boolean {
  const dot = path.lastIndexOf(".");
  if (dot > path.lastIndexOf("/") && SKIPPED_EXTENSIONS.has(path.slice(dot + 1).toLowerCase())) return false;
  return !SKIPPED_FOLDERS.test(path);
}

/** Whether guesses by name and look are left out. */
export function isNoisy(path: string): boolean {
  return NOISY.test(path);
}

/** Tests, examples and documents of packages that others published. */
export function isPublished(path: string): boolean {
  return INSTALLED.test(path) && SHOWN.test(path);
}

/** Content as the patterns get it. */
export interface ReadableContent {
  readonly bytes: Uint8Array;
  /** Only rules that are precise enough for machine code are tried. */
  readonly binary: boolean;
}

/**
 * UTF-16 with a byte order mark becomes UTF-8; a NUL near the beginning makes anything else binary.
 *
 * @param head the beginning of the file, where `bytes` are a later piece of it
 */
export function readable(bytes: Uint8Array, head: Uint8Array = bytes): ReadableContent {
  const isFirst = head === bytes;
  const content = isFirst ? bytes.subarray(2) : bytes;
  if (head[0] === 0xff && head[1] === 0xfe) return { bytes: fromUtf16(content, false), binary: false };
  if (head[0] === 0xfe && head[1] === 0xff) return { bytes: fromUtf16(content, true), binary: false };
  const nul = head.subarray(0, HEAD_BYTES).indexOf(0);
  return { bytes, binary: nul >= 0 };
}

function fromUtf16(bytes: Uint8Array, bigEndian: boolean): Uint8Array {
  const even = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  return Buffer.from((bigEndian ? even.swap16() : even).toString("utf16le"));
}
