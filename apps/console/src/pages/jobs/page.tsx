import { Progress, Tabs } from "antd";
import type { DeadLetter, Job } from "../../api/contract.ts";
import { useDeadLetters, useJobs } from "../../api/registries.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { en, type Key } from "../../i18n/en.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { JobActions } from "./job-actions.tsx";
import "./jobs.css";

const STATES = ["waiting", "running", "paused", "done", "failed", "cancelled"] as const;
const TABS = ["jobs", "dead"] as const;
const TWO_LINES_PX = 48;
const FULL = 100;
const TONES = {
  waiting: "tone-other",
  running: "tone-low",
  paused: "tone-medium",
  done: "tone-good",
  failed: "tone-critical",
  cancelled: "tone-other",
} as const;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const items = [
    { key: "jobs", label: t("jobs.title"), children: <Jobs /> },
    { key: "dead", label: t("jobs.dead"), children: <Dead /> },
  ];
  return (
    <Frame title={t("jobs.title")} lead={t("jobs.lead")}>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "jobs"}
        items={items}
        onChange={(tab) => url.set({ tab })}
        destroyOnHidden
      />
    </Frame>
  );
}

function useKindName(): (kind: string) => string {
  const { t } = useSpeech();
  return (kind) => (Object.hasOwn(en, `jobKind.${kind}`) ? t(`jobKind.${kind}` as Key) : kind);
}

function Jobs() {
  const { t, format } = useSpeech();
  const url = useUrlState();
  const kindName = useKindName();
  const rows = useJobs(given({ state: url.oneOf("state", STATES) }));
  const columns: readonly Column<Job>[] = [
    {
      key: "subject",
      title: t("jobs.job"),
      cell: ({ kind, subject }) => (
        <span className="two-lines">
          <SafeText value={subject} />
          <span className="second">
            <SafeText value={kindName(kind)} />
          </span>
        </span>
      ),
    },
    { key: "progress", title: t("jobs.progress"), width: 260, cell: (job) => <JobProgress job={job} /> },
    {
      key: "state",
      title: t("filters.state"),
      width: 120,
      cell: ({ state }) => <span className={`tag ${TONES[state]}`}>{t(`jobState.${state}`)}</span>,
    },
    { key: "problem", title: t("jobs.problem"), cell: ({ problem }) => <SafeText value={problem} /> },
    { key: "created", title: t("jobs.created"), width: 130, cell: ({ createdAt }) => format.ago(createdAt) },
    { key: "actions", title: t("actions"), width: 180, numeric: true, cell: (job) => <JobActions job={job} /> },
  ];
  return (
    <div className="stack">
      <search className="filters">
        <ChoiceFilter
          state={url}
          name="state"
          label={t("filters.state")}
          options={STATES.map((value) => ({ value, label: t(`jobState.${value}`) }))}
        />
      </search>
      <DataTable
        label={t("jobs.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("jobs.emptyTitle")} hint={t("jobs.emptyHint")} />}
      />
    </div>
  );
}

function JobProgress({ job }: { readonly job: Job }) {
  const { t } = useSpeech();
  const percent = job.total === 0 ? 0 : Math.floor((job.done / job.total) * FULL);
  const status = job.state === "failed" ? "exception" : job.state === "running" ? "active" : "normal";
  const text = t("jobs.ofTotal", { n: job.done, total: job.total });
  return (
    <span className="two-lines">
      <Progress percent={percent} size="small" status={status} showInfo={false} aria-label={text} />
      <span className="second number">
        {text}
        {job.failed === 0 ? "" : ` · ${t("jobs.failedCount", { n: job.failed })}`}
      </span>
    </span>
  );
}

function Dead() {
  const { t, format } = useSpeech();
  const kindName = useKindName();
  const rows = useDeadLetters();
  const columns: readonly Column<DeadLetter>[] = [
    { key: "subject", title: t("jobs.job"), cell: ({ subject }) => <SafeText value={subject} /> },
    { key: "kind", title: t("filters.kind"), width: 150, cell: ({ kind }) => <SafeText value={kindName(kind)} /> },
    { key: "reason", title: t("jobs.reason"), cell: ({ reason }) => <SafeText value={reason} /> },
    {
      key: "attempts",
      title: t("jobs.attempts"),
      width: 100,
      numeric: true,
      cell: (row) => format.number(row.attempts),
    },
    { key: "at", title: t("jobs.gaveUp"), width: 150, cell: ({ at }) => format.ago(at) },
  ];
  return (
    <DataTable
      label={t("jobs.dead")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      empty={<EmptyState title={t("jobs.noDead")} hint={t("jobs.noDeadHint")} />}
    />
  );
}
