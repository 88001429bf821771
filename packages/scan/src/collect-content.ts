import type { ContentSink } from "@bulwark/model";
import type { Scratch } from "./scratch.ts";

const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/**
 * Gathers the first bytes of a file, all of them or `keepBytes`, and hands them on; nothing is handed on when the layer
 * ends within the file.
 */
export function collectContent(
  sizeBytes: number,
  keepBytes: number,
  scratch: Scratch,
  done: (content: Uint8Array) => void,
): ContentSink {
  let seen = 0;
  let filled = 0;
  return {
    write(chunk) {
      seen += chunk.length;
      const room = keepBytes - filled;
      if (room <= 0) return;
      const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
      scratch.buffer.set(part, filled);
      filled += part.length;
    },
    end(complete) {
      try {
        if (complete && seen === sizeBytes) done(scratch.buffer.subarray(0, filled));
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
      if (head.length < ELF_MAGIC.length) {
        head = Buffer.from(head);
        return;
      }
      decided = true;
      if (head.subarray(0, ELF_MAGIC.length).equals(ELF_MAGIC)) sink = elf();
      sink?.write(head);
      head = Buffer.alloc(0);
    },
    end(complete) {
      sink?.end(complete);
    },
  };
}
