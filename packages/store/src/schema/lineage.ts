import type { ColumnType, Generated, GeneratedAlways } from "kysely";

/** What came of the base that an image's builder declared. */
export type ClaimState = "none" | "agrees" | "used" | "contradicted" | "unresolved" | "cyclic";

/** A chain on which images end, or at which images part. Named by its chain. */
interface LineageNodeTable {
  readonly chain_id: number;
  readonly tenant_id: number;
  readonly layers: number;
  readonly parent_id: number | null;
  readonly edge_id: number;
  readonly images: Generated<number>;
  readonly live: Generated<number>;
  /** Live images that stand on it, at any distance. */
  readonly beneath: Generated<number>;
  readonly repository_id: number | null;
  readonly several: Generated<boolean>;
  readonly image_id: number | null;
  readonly declared_id: number | null;
  readonly claim: Generated<ClaimState>;
}

interface LineageChangeTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly chain_id: number;
}

/** A base that images which were there before stand on from now on, until what follows from that is done. */
interface LineageFreshBaseTable {
  readonly chain_id: number;
  readonly tenant_id: number;
}

/** Findings with a fix that a node's own layers bring, or take away of what the layer at `from_depth` brought. */
interface LineageRiskTable {
  readonly tenant_id: number;
  readonly chain_id: number;
  readonly from_depth: number;
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly exploited: number;
}

interface LineageSpreadTable {
  readonly tenant_id: number;
  readonly day: ColumnType<string, string, never>;
  readonly measured_at: Date;
  readonly spread: ColumnType<unknown, string, string>;
}

/** What a tag named before it moved. */
interface TagMoveTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly tag_id: number;
  readonly digest: string;
  readonly image_id: number;
  readonly left_at: Date;
}

export interface LineageTables {
  readonly lineage_node: LineageNodeTable;
  readonly lineage_change: LineageChangeTable;
  readonly lineage_fresh_base: LineageFreshBaseTable;
  readonly lineage_risk: LineageRiskTable;
  readonly lineage_spread: LineageSpreadTable;
  readonly tag_move: TagMoveTable;
}
