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
  /** Tasks begun in a minute at most; 0: any number. */
  readonly per_minute: Generated<number>;
  /** When the next task that is added may begin. */
  readonly next_slot: Date | null;
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
  /** Grows when the task is queued anew: messages with an earlier one are void. */
  readonly ticket: Generated<number>;
  /** Whether the ticket is in the queue. */
  readonly queued: Generated<boolean>;
  readonly start_at: Date | null;
  /** Last sign of life of its worker. */
  readonly seen_at: Generated<Date>;
}

/** What is scanned again and again. */
interface ScheduleTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly name: string;
  readonly cron: string;
  readonly time_zone: Generated<string>;
  readonly registries: Generated<readonly number[]>;
  readonly repositories: Generated<readonly number[]>;
  /** Images that are scanned already too. */
  readonly rescan: Generated<boolean>;
  readonly enabled: Generated<boolean>;
  readonly images_per_minute: Generated<number>;
  readonly next_at: Date | null;
  readonly last_at: Date | null;
  readonly last_job: number | null;
  readonly created_by: Generated<string>;
  readonly created_at: Generated<Date>;
}

export interface JobTables {
  readonly job: JobTable;
  readonly task: TaskTable;
  readonly schedule: ScheduleTable;
}
