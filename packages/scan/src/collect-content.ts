import type { ContentSink } from "@bulwark/model";
import type { Scratch } from "./scratch.ts";

/** What tells archives and programs from other files: the magic number of tar lies at 257. */
const HEAD_BYTES = 512;
const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** Gathers a file's content and hands it on whole; nothing is handed on when the layer ends within the file. */
export function collectContent(sizeBytes: number, scratch: Scratch, done: (content: Uint8Array) => void): ContentSink {
  let filled = 0;
  return {
    write(chunk) {
      scratch.buffer.set(chunk, filled);
      filled += chunk.length;
    },
    end(complete) {
      try {
        if (complete && filled === sizeBytes) done(scratch.buffer.subarray(0, filled));
      } finally {
        scratch.release();
      }
    },
  };
}

/** Gives every piece to both. */
export function toBoth(a: ContentSink | undefined, b: ContentSink | undefined): ContentSink | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    write(chunk) {
      a.write(chunk);
      b.write(chunk);
    },
    end(complete) {
      a.end(complete);
      b.end(complete);
    },
  };
}

/** Looks at the first bytes and goes on with the sink that `elf` gives only when they are an ELF file's. */
export function sniffElf(elf: () => ContentSink | undefined): ContentSink {
  return decideByHead(
    (head) => (head.subarray(0, ELF_MAGIC.length).equals(ELF_MAGIC) ? elf() : undefined),
    ELF_MAGIC.length,
  );
}

/** Goes on with the sink that `decide` gives for the first bytes. The file has to have as many. */
export function decideByHead(decide: (head: Buffer) => ContentSink | undefined, headBytes = HEAD_BYTES): ContentSink {
  let sink: ContentSink | undefined;
  let decided = false;
  let head: Buffer = Buffer.alloc(0);
  return {
    write(chunk) {
      if (decided) {
        sink?.write(chunk);
        return;
      }
      head =
        head.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([head, chunk]);
      if (head.length < headBytes) {
        head = Buffer.from(head);
        return;
      }
      decided = true;
      sink = decide(head);
      sink?.write(head);
      head = Buffer.alloc(0);
    },
    end(complete) {
      sink?.end(complete);
    },
  };
}
