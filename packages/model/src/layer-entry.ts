/** What kind of thing a layer entry is. `whiteout` removes `path` of lower layers, `opaque` everything below it. */
export type EntryKind = "file" | "directory" | "symlink" | "hardlink" | "device" | "fifo" | "whiteout" | "opaque";

/** One entry of a layer, already made safe: `path` is relative, normalised, without `..`, and never leaves the root. */
export interface LayerEntry {
  readonly path: string;
  readonly kind: EntryKind;
  /** Bytes of content that follow, 0 for everything but files. */
  readonly size: number;
  /** Permission bits with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Target of a symlink as written, or normalised path of a hard link's target; empty otherwise. */
  readonly linkTarget: string;
}

/** Takes the content of one file in pieces. A piece is valid only during the call. */
export interface ContentSink {
  write(chunk: Uint8Array): void;
  /** `complete` is false when the layer ended within the file. */
  end(complete: boolean): void;
}

/** Called for every entry in the order of the layer; a returned sink gets the file's content. */
export type EntryVisitor = (entry: LayerEntry) => ContentSink | undefined;
