import type { FindingKind, Severity } from "@bulwark/model";
import type { ColumnType, Generated, GeneratedAlways } from "kysely";

type Id = GeneratedAlways<number>;

/** A vulnerability over the whole estate, counted in the background. */
interface EstateVulnerabilityTable {
  readonly tenant_id: number;
  readonly vulnerability_id: string;
  readonly severity: Severity;
  readonly exploited: boolean;
  readonly fixable: boolean;
  readonly images: number;
  readonly packages: readonly string[];
  readonly fixed_versions: readonly string[];
  readonly first_seen: Date;
  readonly rank: number;
}

interface EstateDayTable {
  readonly tenant_id: number;
  readonly day: ColumnType<string, string, string>;
  readonly images: number;
  readonly critical: number;
  readonly high: number;
  readonly exploited: number;
  readonly secrets: number;
  readonly malware: number;
  readonly open_risks: Generated<number>;
}

export type RiskState = "open" | "assigned" | "fixing" | "fixed" | "reopened" | "accepted";

/** Something that somebody has to close: one finding in one repository, in whichever of its images. */
interface RiskTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly repository_id: number;
  readonly key: string;
  readonly kind: FindingKind;
  readonly finding: string;
  readonly severity: Severity;
  readonly title: string;
  readonly package: Generated<string>;
  readonly path: Generated<string>;
  readonly fixed_version: Generated<string>;
  readonly exploited: Generated<boolean>;
  readonly state: Generated<RiskState>;
  readonly assignee_id: number | null;
  readonly images: Generated<number>;
  readonly first_seen: Date;
  readonly due_at: Date | null;
  readonly fixed_at: Date | null;
  readonly reopened: Generated<number>;
  /** When an image that holds it was first released. */
  readonly released_at: Date | null;
  readonly accept_reason: Generated<string>;
  readonly accept_until: ColumnType<string | null, string | null, string | null>;
  readonly asked_by: number | null;
  readonly approved_by: number | null;
  /** Node of the forest whose layers brought it, and the image that stands for that node. */
  readonly stage_id: Generated<number | null>;
  readonly stage_image_id: Generated<number | null>;
  readonly verdict: Generated<"base" | "own" | null>;
  /** Owner of the stage: who acts. */
  readonly actor_id: Generated<number | null>;
}

interface RiskEventTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly risk_id: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly detail: Generated<string>;
}

interface WaiverTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly scope: "tenant" | "registry" | "repository" | "image";
  readonly scope_id: number | null;
  readonly finding: string;
  readonly path: Generated<string>;
  readonly reason: string;
  readonly until: ColumnType<string | null, string | null, string | null>;
  readonly asked_by: number;
  readonly approved_by: number | null;
  readonly created_at: Generated<Date>;
}

interface IncidentCaseTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly title: string;
  readonly query: ColumnType<unknown, string, string>;
  readonly created_by: string;
  readonly created_at: Generated<Date>;
  readonly closed_at: Date | null;
  readonly note: Generated<string>;
}

interface CaseImageTable {
  readonly tenant_id: number;
  readonly case_id: number;
  readonly image_id: number;
  readonly first_seen: Date;
  readonly closed_at: Date | null;
}

interface CasePointTable {
  readonly tenant_id: number;
  readonly case_id: number;
  readonly at: Date;
  readonly open: number;
  readonly closed: number;
}

/** A repository whose images are to be built anew on a fixed base. */
interface RebuildTaskTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly repository_id: number;
  readonly base_repository_id: number;
  readonly from_image_id: number;
  readonly to_image_id: number;
  readonly to_tag: string;
  /** Vulnerabilities that the new base does not have any more. */
  readonly findings: readonly string[];
  readonly state: Generated<"open" | "done" | "cancelled">;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly reopened: Generated<number>;
}

export interface WorkflowTables {
  readonly rebuild_task: RebuildTaskTable;
  readonly estate_vulnerability: EstateVulnerabilityTable;
  readonly estate_day: EstateDayTable;
  readonly risk: RiskTable;
  readonly risk_event: RiskEventTable;
  readonly waiver: WaiverTable;
  readonly incident_case: IncidentCaseTable;
  readonly case_image: CaseImageTable;
  readonly case_point: CasePointTable;
}
