import type { Message } from "../message.ts";

/** A message as plain text of so many bytes at most: whole lines, and a mark where some are left out. */
export function chatText({ subject, lines, link }: Message, maxBytes: number): string {
  const last = link === "" ? [] : [link];
  let room = maxBytes - Buffer.byteLength([subject, ...last, "…"].join("\n")) - 1;
  const kept: string[] = [];
  for (const line of lines) {
    room -= Buffer.byteLength(line) + 1;
    if (room < 0) return [subject, ...kept, "…", ...last].join("\n");
    kept.push(line);
  }
  return [subject, ...kept, ...last].join("\n");
}
