import { Progress, Tabs } from "antd";
import type { Job } from "../../api/contract.ts";
import { useJobs } from "../../api/registries.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { GivenUp } from "./given-up.tsx";
import { JobActions } from "./job-actions.tsx";
import { TaskDrawer } from "./task-drawer.tsx";
import "./jobs.css";

const TABS = ["jobs", "given-up"] as const;
const STATES = ["running", "paused", "done", "failed", "cancelled"] as const;
const KINDS = ["scan", "sync", "host", "local", "advisories", "cleanup"] as const;
const TWO_LINES_PX = 48;
const FULL = 100;
const TONES = {
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
    { key: "given-up", label: t("jobs.dead"), children: <GivenUp /> },
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

function Jobs() {
  const { t } = useSpeech();
  const url = useUrlState();
  const filters = given({ state: url.oneOf("state", STATES), kind: url.oneOf("kind", KINDS) });
  const rows = useJobs(filters);
  const columns = useColumns((id) => url.set({ job: String(id), task: undefined }));
  const filtered = Object.keys(filters).length > 0;
  return (
    <div className="stack">
      <search className="filters">
        <ChoiceFilter
          state={url}
          name="state"
          label={t("filters.state")}
          options={STATES.map((value) => ({ value, label: t(`jobState.${value}`) }))}
        />
        <ChoiceFilter
          state={url}
          name="kind"
          label={t("filters.kind")}
          options={KINDS.map((value) => ({ value, label: t(`jobKind.${value}`) }))}
        />
      </search>
      <DataTable
        label={t("jobs.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={
          filtered ? (
            <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
          ) : (
            <EmptyState title={t("jobs.emptyTitle")} hint={t("jobs.emptyHint")} />
          )
        }
      />
      <TaskDrawer job={url.integer("job")} onClose={() => url.set({ job: undefined, task: undefined })} />
    </div>
  );
}

function useColumns(onOpen: (id: number) => void): readonly Column<Job>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "title",
      title: t("jobs.job"),
      cell: ({ id, kind, title, cause }) => (
        <TwoLines second={<SafeText value={`${nameOf("jobKind", kind)} · ${nameOf("jobCause", cause)}`} />}>
          <button type="button" className="link-button" onClick={() => onOpen(id)}>
            <SafeText value={title} />
          </button>
        </TwoLines>
      ),
    },
    { key: "progress", title: t("jobs.progress"), width: 280, cell: (job) => <JobProgress job={job} /> },
    {
      key: "state",
      title: t("filters.state"),
      width: 120,
      cell: ({ state }) => <span className={`tag ${TONES[state]}`}>{t(`jobState.${state}`)}</span>,
    },
    { key: "by", title: t("jobs.by"), width: 150, cell: ({ createdBy }) => <SafeText value={createdBy} /> },
    { key: "created", title: t("jobs.created"), width: 140, cell: ({ createdAt }) => format.ago(createdAt) },
    { key: "actions", title: t("actions"), width: 180, numeric: true, cell: (job) => <JobActions job={job} /> },
  ];
}

function JobProgress({ job }: { readonly job: Job }) {
  const { t } = useSpeech();
  const percent = Math.floor(job.progress * FULL);
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
