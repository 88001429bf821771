import { Drawer } from "antd";
import type { Task } from "../../api/contract.ts";
import { useTasks } from "../../api/registries.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter } from "../../components/filters.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const STATES = ["failed", "running", "waiting", "parked", "done", "cancelled"] as const;
const WIDTH_PX = 860;
const TWO_LINES_PX = 48;
const TONES: Readonly<Record<Task["state"], string>> = {
  waiting: "tone-other",
  parked: "tone-medium",
  running: "tone-low",
  done: "tone-good",
  failed: "tone-critical",
  cancelled: "tone-other",
};

interface Props {
  readonly job: number | undefined;
  readonly onClose: () => void;
}

/** The steps of a job; those that were given up say why. */
export function TaskDrawer({ job, onClose }: Props) {
  const { t } = useSpeech();
  return (
    <Drawer
      open={job !== undefined}
      onClose={onClose}
      size={WIDTH_PX}
      destroyOnHidden
      title={t("jobs.tasks")}
      closable={{ "aria-label": t("close") }}
    >
      {job === undefined ? null : <Tasks job={job} />}
    </Drawer>
  );
}

function Tasks({ job }: { readonly job: number }) {
  const { t } = useSpeech();
  const url = useUrlState();
  const rows = useTasks(job, given({ state: url.oneOf("task", STATES) }));
  const columns = useTaskColumns();
  return (
    <div className="stack">
      <search className="filters">
        <ChoiceFilter
          state={url}
          name="task"
          label={t("filters.state")}
          options={STATES.map((value) => ({ value, label: t(`taskState.${value}`) }))}
        />
      </search>
      <DataTable
        label={t("jobs.tasks")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("filters.noneTitle")} hint={t("jobs.noTasksHint")} />}
      />
    </div>
  );
}

export function useTaskColumns(): readonly Column<Task>[] {
  const { t, nameOf, format } = useSpeech();
  const told = useServerTexts();
  return [
    {
      key: "name",
      title: t("jobs.task"),
      cell: ({ name, kind, step }) => (
        <TwoLines second={<SafeText value={step === "" ? nameOf("taskKind", kind) : step} />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    {
      key: "state",
      title: t("filters.state"),
      width: 110,
      cell: ({ state }) => <span className={`tag ${TONES[state]}`}>{t(`taskState.${state}`)}</span>,
    },
    { key: "problem", title: t("jobs.reason"), cell: ({ problem }) => <SafeText value={told.problem(problem)} /> },
    {
      key: "attempts",
      title: t("jobs.attempts"),
      width: 90,
      numeric: true,
      cell: (row) => format.number(row.attempts),
    },
    { key: "ended", title: t("jobs.ended"), width: 120, cell: ({ endedAt }) => format.ago(endedAt) },
  ];
}
