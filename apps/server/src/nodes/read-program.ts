import { ServerError } from "../errors.ts";

/** Of an uploaded program; sensors take no larger one. */
const MAX_PROGRAM_BYTES = 64 * 1024 * 1024;
const ELF_HEADER_BYTES = 64;
/** ELF, "ELF Identification": class 64 bit, data little-endian. */
const ELF64_LITTLE = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const MACHINE_AT = 18;
/** ELF, "ELF Header", `e_machine`. */
const PLATFORMS: ReadonlyMap<number, string> = new Map([
  [0x3e, "linux/amd64"],
  [0xb7, "linux/arm64"],
]);

/**
 * The platform that a program is for, by its ELF header.
 *
 * @throws ServerError `INVALID_REQUEST` for what no node could run
 */
export function platformOfProgram(content: Buffer): string {
  const next = "give the file bulwark-sensor of a release, unpacked";
  if (content.length > MAX_PROGRAM_BYTES) {
    throw new ServerError("INVALID_REQUEST", `the program has more than ${MAX_PROGRAM_BYTES} bytes`, next);
  }
  const isElf = content.length >= ELF_HEADER_BYTES && content.subarray(0, ELF64_LITTLE.length).equals(ELF64_LITTLE);
  const platform = isElf ? PLATFORMS.get(content.readUInt16LE(MACHINE_AT)) : undefined;
  if (platform === undefined) {
    throw new ServerError("INVALID_REQUEST", "the file is no program for Linux on x86-64 or arm64", next);
  }
  return platform;
}
