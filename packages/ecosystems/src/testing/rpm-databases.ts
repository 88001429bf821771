import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hasTool, runTool } from "./tools.ts";

/** The same packages in every format rpm has had, made by the real tools as far as they still write them. */
export interface RpmDatabases {
  readonly sqlite: Uint8Array;
  readonly ndb: Uint8Array;
  readonly berkeleyLittle: Uint8Array;
  readonly berkeleyBig: Uint8Array;
  /** `name epoch version release arch sourcerpm label` as `rpm -qa` tells, sorted. */
  readonly listed: readonly string[];
  /** The same from rpm's own reader of Berkeley DB. */
  readonly listedFromBerkeley: readonly string[];
  /** Files that are no directories, as `rpm -qal` tells, sorted. */
  readonly files: readonly string[];
  /** `digest path` of every file whose content nobody should change, as rpm itself tells, sorted. */
  readonly digests: readonly string[];
}

const QUERY = "%{NAME} %{EPOCH} %{VERSION} %{RELEASE} %{ARCH} %{SOURCERPM} %{MODULARITYLABEL}\\n";
/** So many files that the header spreads over overflow pages in every format. */
const MANY = 400;

const SPEC = `
Name: tiny
Epoch: 2
Version: 1.2
Release: 3.el9
Summary: a package with an epoch
License: MIT
BuildArch: noarch
%description
%{summary}
%package sub
Summary: with another version than its source, of a module
Version: 7.0
ModularityLabel: nodejs:18:8060020220523:ad008a3a
%description sub
%{summary}
%package many
Summary: with many files
License: Apache-2.0 AND BSD-3-Clause
%description many
%{summary}
%install
mkdir -p %{buildroot}/usr/share/tiny/d %{buildroot}/usr/share/many/deep
echo a > %{buildroot}/usr/share/tiny/a
echo b > %{buildroot}/usr/share/tiny/d/b
for i in $(seq ${MANY}); do echo $i > %{buildroot}/usr/share/many/deep/a-file-with-a-long-name-$i; done
%files
%config /usr/share/tiny/a
/usr/share/tiny/d
%files sub
%files many
/usr/share/many
`;

/** Berkeley DB 5.3 by way of Perl, since rpm itself only reads it any more. */
const MAKE_BERKELEY = `
use DB_File; use Fcntl;
my ($out, $order, @blobs) = @ARGV;
my $info = DB_File::HASHINFO->new; $info->{lorder} = $order; $info->{bsize} = 4096;
tie my %db, 'DB_File', $out, O_RDWR | O_CREAT, 0644, $info or die "$out: $!";
my $key = $order == 4321 ? 'N' : 'V'; my $number = 0;
for my $blob (@blobs) { open my $in, '<:raw', $blob or die; local $/; $db{pack $key, ++$number} = <$in>; }
$db{pack $key, 0} = pack $key, $number;
untie %db;`;

/** What is missing on this machine to make the databases; empty when all is there. */
export function missingRpmTools(): string {
  const missing = ["rpm", "rpmbuild", "rpmdb", "perl"].filter((tool) => !hasTool(tool));
  return missing.join(", ");
}

export function makeRpmDatabases(): RpmDatabases {
  const folder = mkdtempSync(join(tmpdir(), "rpm-databases-"));
  try {
    return makeIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeIn(folder: string): RpmDatabases {
  const sqliteFolder = join(folder, "sqlite");
  const berkeleyFolder = join(folder, "berkeley");
  mkdirSync(sqliteFolder);
  mkdirSync(berkeleyFolder);
  writeFileSync(join(folder, "tiny.spec"), SPEC);
  runTool("rpmbuild", [
    "--define",
    `_topdir ${folder}`,
    "--define",
    `_rpmdir ${folder}/out`,
    "-bb",
    `${folder}/tiny.spec`,
  ]);
  const rpms = runTool("find", [`${folder}/out`, "-name", "*.rpm"])
    .trim()
    .split("\n")
    .toSorted();
  const sqliteArguments = ["--dbpath", sqliteFolder, "--define", "_db_backend sqlite"];
  runTool("rpmdb", [...sqliteArguments, "--initdb"]);
  runTool("rpm", [...sqliteArguments, "-i", "--justdb", "--nodeps", ...rpms]);
  const blobs = blobsOf(join(sqliteFolder, "rpmdb.sqlite"));
  const blobFiles = blobs.map((blob, index) => {
    writeFileSync(join(folder, `blob-${index}`), blob);
    return join(folder, `blob-${index}`);
  });
  runTool("perl", ["-e", MAKE_BERKELEY, join(berkeleyFolder, "Packages"), "1234", ...blobFiles]);
  runTool("perl", ["-e", MAKE_BERKELEY, join(folder, "big"), "4321", ...blobFiles]);
  const berkeleyArguments = ["--dbpath", berkeleyFolder, "--define", "_db_backend bdb_ro"];
  return {
    sqlite: readFileSync(join(sqliteFolder, "rpmdb.sqlite")),
    ndb: ndbOf(blobs),
    berkeleyLittle: readFileSync(join(berkeleyFolder, "Packages")),
    berkeleyBig: readFileSync(join(folder, "big")),
    listed: linesOf(runTool("rpm", [...sqliteArguments, "-qa", "--qf", QUERY])),
    listedFromBerkeley: linesOf(runTool("rpm", [...berkeleyArguments, "-qa", "--qf", QUERY])),
    files: linesOf(runTool("rpm", [...sqliteArguments, "-qa", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\\n]"]))
      .filter((line) => !line.startsWith("d"))
      .map((line) => line.replace(/^\S+ \//, ""))
      .toSorted(),
    digests: linesOf(
      runTool("rpm", [...sqliteArguments, "-qa", "--qf", "[%{FILEFLAGS:fflags}|%{FILEDIGESTS} %{FILENAMES}\n]"]),
    )
      .filter((line) => !/^[^|]*[cg]/.test(line) && !line.includes("| "))
      .map((line) => line.replace(/^[^|]*\|(\S+) \//, "$1 "))
      .toSorted(),
  };
}

function linesOf(output: string): readonly string[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

/** Header blobs by way of SQLite itself. */
function blobsOf(path: string): readonly Uint8Array[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database
      .prepare("SELECT blob FROM Packages ORDER BY hnum")
      .all()
      .map(({ blob }) => blob as Uint8Array);
  } finally {
    database.close();
  }
}

/** rpm's own format as its lib/backend/ndb/rpmpkg.c writes it. Debian's rpm is built without it. */
export function ndbOf(blobs: readonly Uint8Array[]): Uint8Array {
  const blockCounts = blobs.map((blob) => Math.ceil((16 + blob.length + 12) / 16));
  const bytes = new Uint8Array(4096 + 16 * blockCounts.reduce((sum, count) => sum + count, 0));
  const view = new DataView(bytes.buffer);
  const text = new TextEncoder();
  bytes.set(text.encode("RpmP"), 0);
  view.setUint32(12, 1, true);
  view.setUint32(16, blobs.length + 1, true);
  for (let slot = 32; slot < 4096; slot += 16) bytes.set(text.encode("Slot"), slot);
  let block = 256;
  for (const [index, blob] of blobs.entries()) {
    const start = block * 16;
    const end = start + blockCounts[index]! * 16;
    for (const [place, value] of [index + 1, block, blockCounts[index]!].entries()) {
      view.setUint32(32 + 16 * index + 4 + 4 * place, value, true);
    }
    bytes.set(text.encode("BlbS"), start);
    view.setUint32(start + 4, index + 1, true);
    view.setUint32(start + 12, blob.length, true);
    bytes.set(blob, start + 16);
    view.setUint32(end - 8, blob.length, true);
    bytes.set(text.encode("BlbE"), end - 4);
    block += blockCounts[index]!;
  }
  return bytes;
}
