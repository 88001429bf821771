import type { ContentSink, LayerEntry } from "@bulwark/model";
import type { LayerPass } from "../analyze-layer.ts";

/** An entry of a layer for tests; what is left out is that of an ordinary file. */
export interface TestEntry extends Partial<LayerEntry> {
  readonly path: string;
  readonly content?: Uint8Array;
}

/** Plays the entries in pieces of `pieceBytes`, as a layer would stream by. */
export function playing(entries: readonly TestEntry[], pieceBytes = 3, onPass = () => {}): LayerPass {
  return async (visit) => {
    onPass();
    for (const { content = new Uint8Array(), ...fields } of entries) {
      const entry: LayerEntry = {
        kind: "file",
        size: content.length,
        mode: 0o644,
        uid: 0,
        gid: 0,
        linkTarget: "",
        ...fields,
      };
      feed(visit(entry), content, pieceBytes);
    }
    return { diffId: "sha256:0", entries: entries.length, bytes: 0 };
  };
}

function feed(sink: ContentSink | undefined, content: Uint8Array, pieceBytes: number): void {
  for (let at = 0; at < content.length; at += pieceBytes) sink?.write(content.subarray(at, at + pieceBytes));
  sink?.end(true);
}
