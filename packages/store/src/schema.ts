import type { FindingKind, FixStatus, PackageFact, Problem, Severity } from "@bulwark/model";
import type { ColumnType, Generated, GeneratedAlways, Insertable, Selectable, Updateable } from "kysely";
import type { AccountTables } from "./schema/accounts.ts";
import type { CleanupTables } from "./schema/cleanups.ts";
import type { JobTables } from "./schema/jobs.ts";
import type { LineageTables } from "./schema/lineage.ts";
import type { NotificationTables } from "./schema/notifications.ts";
import type { WorkflowTables } from "./schema/workflow.ts";

/** Set by the database when left out; never changed afterwards. */
type CreatedAt = ColumnType<Date, Date | undefined, never>;
/** Written as JSON text, read as the value. */
type Json<Value> = ColumnType<Value, string, string>;
type JsonDefault<Value> = ColumnType<Value, string | undefined, string>;
type Id = GeneratedAlways<number>;

/** What a place passes on to everything below it. */
interface Inherited {
  readonly owner_id: number | null;
  /** Business grade: how much depends on it. */
  readonly grade: string | null;
  readonly labels: JsonDefault<Readonly<Record<string, string>>>;
}

interface TenantTable {
  readonly id: Id;
  readonly name: string;
  readonly created_at: CreatedAt;
}

/** Whose a login, a session or a token is. `key` is a name or the SHA-256 of a secret, never the secret. */
interface DirectoryTable {
  readonly kind: "login" | "session" | "token" | "webhook" | "oidc" | "enrolment" | "cluster";
  readonly key: string;
  readonly tenant_id: number;
}

interface SettingTable {
  readonly tenant_id: number;
  readonly name: string;
  readonly value: Json<unknown>;
}

interface OwnerTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly name: string;
  readonly email: Generated<string>;
  readonly account_id: number | null;
}

interface RegistryTable extends Inherited {
  readonly id: Id;
  readonly tenant_id: number;
  readonly name: string;
  readonly kind: "oci" | "docker" | "harbor" | "local";
  readonly address: string;
  readonly settings: JsonDefault<Readonly<Record<string, unknown>>>;
  /** Credentials, encrypted. */
  readonly secret: Buffer | null;
  readonly state: Generated<string>;
  readonly problem: Generated<string>;
  readonly synced_at: Date | null;
  readonly created_at: CreatedAt;
  /** When the next image of a registry with a limit may be read. */
  readonly next_slot: Date | null;
  /** SHA-256 of the token in the address of its webhook. */
  readonly webhook_hash: string | null;
  readonly tried_at: Date | null;
}

interface RepositoryTable extends Inherited {
  readonly id: Id;
  readonly tenant_id: number;
  readonly registry_id: number;
  readonly name: string;
  readonly first_seen: CreatedAt;
  readonly gone_at: Date | null;
}

interface TagTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly repository_id: number;
  readonly name: string;
  /** What the tag names: an image's manifest, or an index of several. */
  readonly digest: string;
  readonly moved_at: Generated<Date>;
  readonly gone_at: Date | null;
}

interface TagImageTable {
  readonly tenant_id: number;
  readonly tag_id: number;
  readonly image_id: number;
}

interface LayerTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly diff_id: string;
  readonly digest: string;
  readonly size_bytes: number;
  /** Which analyzers made the report, in which versions. */
  readonly analyzers: Generated<string>;
  readonly report: Buffer | null;
  readonly analyzed_at: Date | null;
}

interface ChainTable {
  readonly id: Id;
  readonly tenant_id: number;
  /** OCI ChainID. */
  readonly digest: string;
  readonly parent_id: number | null;
  readonly layer_id: number;
  /** 0 for the lowest layer. */
  readonly depth: number;
  readonly analyzers: string;
}

type ImageState = "known" | "scanned" | "failed" | "gone";

interface ImageTable extends Inherited {
  readonly id: Id;
  readonly tenant_id: number;
  readonly digest: string;
  readonly platform: Generated<string>;
  readonly state: Generated<ImageState>;
  readonly problem: Generated<string>;
  readonly os_id: Generated<string>;
  readonly os_version: Generated<string>;
  readonly os_name: Generated<string>;
  readonly built_at: Date | null;
  readonly size_bytes: Generated<number>;
  readonly layer_count: Generated<number>;
  readonly chain_id: number | null;
  /** How many of the lowest layers are the base image's. */
  readonly base_layers: Generated<number>;
  readonly base: Json<{ readonly reference: string; readonly digest: string; readonly how: string } | null> | null;
  /** When somebody pulled it last, as far as registries tell. */
  readonly pulled_at: Generated<Date | null>;
  /** Digest of the base that its builder declared, by annotation or provenance. */
  readonly declared_base: GeneratedAlways<string | null>;
  /** One for each layer, lowest first. */
  readonly instructions: JsonDefault<readonly string[]>;
  /** Labels that the image itself carries. */
  readonly image_labels: JsonDefault<Readonly<Record<string, string>>>;
  readonly complete: Generated<boolean>;
  readonly problems: JsonDefault<readonly Problem[]>;
  readonly first_seen: CreatedAt;
  readonly scanned_at: Date | null;
  readonly gone_at: Date | null;
  readonly package_count: Generated<number>;
  /** How many images stand on this one, as counted last. */
  readonly dependents: Generated<number>;
  readonly critical: Generated<number>;
  readonly high: Generated<number>;
  readonly medium: Generated<number>;
  readonly low: Generated<number>;
  readonly other: Generated<number>;
  readonly base_critical: Generated<number>;
  readonly base_high: Generated<number>;
  readonly exploited: Generated<number>;
  readonly fixable: Generated<number>;
  readonly secrets: Generated<number>;
  readonly malware: Generated<number>;
  readonly misconfigurations: Generated<number>;
  readonly risk: GeneratedAlways<number>;
}

interface ImageLocationTable {
  readonly tenant_id: number;
  readonly image_id: number;
  readonly repository_id: number;
  readonly first_seen: CreatedAt;
  readonly gone_at: Date | null;
}

interface ImageChainTable {
  readonly tenant_id: number;
  readonly image_id: number;
  readonly depth: number;
  readonly chain_id: number;
}

/** A package version as advisories name it. */
interface SubjectTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly module: Generated<string>;
  /** State of the advisory database that it was matched with last; empty: not yet. */
  readonly matched_with: Generated<string>;
  readonly lower_name: GeneratedAlways<string>;
  /** Last part of the name, in lower case. */
  readonly short_name: GeneratedAlways<string>;
}

/** Public knowledge, common to all tenants. */
interface VulnerabilityTable {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly malicious: Generated<boolean>;
  readonly cvss: Json<unknown> | null;
  readonly cvss_score: number | null;
  readonly kev: Json<unknown> | null;
  readonly epss: Json<unknown> | null;
  readonly epss_score: number | null;
  readonly public_exploit: Generated<boolean>;
  readonly aliases: Generated<readonly string[]>;
  readonly references: Generated<readonly string[]>;
  readonly changed_at: Generated<Date>;
}

interface SubjectMatchTable {
  readonly tenant_id: number;
  readonly subject_id: number;
  readonly vulnerability_id: string;
  readonly severity: Severity;
  readonly status: FixStatus;
  readonly fixed_version: Generated<string>;
  readonly range: Generated<string>;
  readonly advisories: Generated<readonly string[]>;
  readonly priority: Generated<number>;
  readonly reasons: JsonDefault<readonly string[]>;
  readonly exploited: Generated<boolean>;
  readonly malicious: Generated<boolean>;
  readonly first_seen: CreatedAt;
}

interface PackageVersionTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly key: string;
  readonly purl: string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly fact: Json<PackageFact>;
  readonly lower_name: GeneratedAlways<string>;
  readonly subject_ids: Generated<readonly number[]>;
  /** Why advisories cannot be asked about it; empty when they can. */
  readonly undetermined: Generated<string>;
}

/** What a layer adds to (1) or takes from (-1) an image that stands on the layers below it. */
interface ChainDelta {
  readonly tenant_id: number;
  readonly chain_id: number;
  /** Depth of the layer that brought what is added or taken away. */
  readonly from_depth: number;
  readonly delta: number;
}

interface ChainPackageTable extends ChainDelta {
  readonly package_id: number;
  readonly path: string;
  readonly evidence: PackageFact["evidence"];
}

interface ChainSubjectTable extends ChainDelta {
  readonly subject_id: number;
}

interface ContentFactTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly key: string;
  readonly kind: FindingKind;
  readonly rule_id: string;
  readonly severity: Severity;
  readonly title: string;
  readonly path: Generated<string>;
  readonly line: number | null;
  readonly advice: string;
  readonly detail: Generated<string>;
  readonly fingerprint: Generated<string>;
  readonly found_by: string;
  readonly version: string;
  readonly references: Generated<readonly string[]>;
  readonly first_seen: CreatedAt;
}

interface ChainContentTable extends ChainDelta {
  readonly fact_id: number;
  /** Depth of the layer that hides the file, if one does. */
  readonly removed_at: number | null;
}

/** What an image's own configuration tells, whatever its layers hold. */
interface ImageContentTable {
  readonly tenant_id: number;
  readonly image_id: number;
  readonly fact_id: number;
  readonly depth: number;
}

/** All tables, as kysely wants them. */
export interface Database
  extends AccountTables,
    JobTables,
    WorkflowTables,
    NotificationTables,
    LineageTables,
    CleanupTables {
  readonly tenant: TenantTable;
  readonly directory: DirectoryTable;
  readonly setting: SettingTable;
  readonly owner: OwnerTable;
  readonly registry: RegistryTable;
  readonly repository: RepositoryTable;
  readonly tag: TagTable;
  readonly tag_image: TagImageTable;
  readonly layer: LayerTable;
  readonly chain: ChainTable;
  readonly image: ImageTable;
  readonly image_location: ImageLocationTable;
  readonly image_chain: ImageChainTable;
  readonly subject: SubjectTable;
  readonly vulnerability: VulnerabilityTable;
  readonly subject_match: SubjectMatchTable;
  readonly package_version: PackageVersionTable;
  readonly chain_package: ChainPackageTable;
  readonly chain_subject: ChainSubjectTable;
  readonly content_fact: ContentFactTable;
  readonly chain_content: ChainContentTable;
  readonly image_content: ImageContentTable;
}

export type Row<Table extends keyof Database> = Selectable<Database[Table]>;
export type NewRow<Table extends keyof Database> = Insertable<Database[Table]>;
export type RowChange<Table extends keyof Database> = Updateable<Database[Table]>;
