import type { ColumnType, Generated, GeneratedAlways } from "kysely";

interface CleanupHoldTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly repository_id: number;
  /** Empty: the whole repository is held. */
  readonly tag: Generated<string>;
  readonly reason: string;
  readonly until: ColumnType<string | null, string | null, string | null>;
  readonly created_by: number;
  readonly created_at: Generated<Date>;
}

interface CleanupTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly days: number;
  readonly state: Generated<"proposed" | "refused" | "approved" | "done">;
  readonly asked_by: number;
  readonly asked_at: Date;
  readonly decided_by: number | null;
  readonly decided_at: Date | null;
  readonly ended_at: Date | null;
}

interface CleanupItemTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly cleanup_id: number;
  readonly repository_id: number;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly size_bytes: number;
  readonly state: Generated<"waiting" | "deleted" | "kept" | "failed" | "restored">;
  readonly why: Generated<string>;
  /** As the registry gave them before: what the tags named, then what belonged to it, also where that stayed for other tags. */
  readonly manifests: ColumnType<readonly KeptManifest[], string | undefined, string>;
  /** Manifests of it that are still to be deleted. */
  readonly left_digests: Generated<readonly string[]>;
  readonly at: Date | null;
}

/** A manifest that was deleted. */
export interface KeptManifest {
  readonly digest: string;
  readonly mediaType: string;
  /** Base64. */
  readonly bytes: string;
}

export interface CleanupTables {
  readonly cleanup_hold: CleanupHoldTable;
  readonly cleanup: CleanupTable;
  readonly cleanup_item: CleanupItemTable;
}
