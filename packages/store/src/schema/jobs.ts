import type { ColumnType, Generated, GeneratedAlways } from "kysely";

export type JobState = "running" | "paused" | "done" | "failed" | "cancelled";
export type TaskState = "waiting" | "parked" | "running" | "done" | "failed" | "cancelled";

interface JobTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly kind: string;
  readonly title: string;
  /** `request`, `schedule`, `push`, `sync`. */
  readonly cause: Generated<string>;
  readonly state: Generated<JobState>;
  readonly created_by: Generated<string>;
  readonly created_at: Generated<Date>;
  readonly ended_at: Date | null;
}

interface TaskTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly job_id: number;
  readonly kind: string;
  readonly name: string;
  readonly payload: ColumnType<Readonly<Record<string, unknown>>, string, string>;
  readonly state: Generated<TaskState>;
  readonly attempts: Generated<number>;
  /** 0 to 1. */
  readonly progress: Generated<number>;
  readonly step: Generated<string>;
  readonly problem: Generated<string>;
  readonly worker: Generated<string>;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

export interface JobTables {
  readonly job: JobTable;
  readonly task: TaskTable;
}
