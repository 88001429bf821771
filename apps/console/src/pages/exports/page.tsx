import { App, Button, Switch } from "antd";
import type { ExportTarget } from "../../api/contract.ts";
import { useExports, usePutExport, useRemoveExport, useTestExport } from "../../api/exports.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { AddTarget, EditTarget, settingsOf } from "./target-form.tsx";

const TWO_LINES_PX = 52;
const PROBLEM_CHARACTERS = 300;
/** Waiting for so long is more than the pauses between two sendings. */
const LATE_MS = 30_000;

/** Where alerts and events are sent, how far each target has come, and why one fails. */
export function Page() {
  const { t } = useSpeech();
  const mayWrite = useMay()("admin:write");
  const rows = useExports();
  return (
    <Frame title={t("exports.title")} lead={t("exports.lead")} actions={mayWrite ? <AddTarget /> : null}>
      <DataTable
        label={t("exports.title")}
        rows={rows}
        columns={useColumns(mayWrite)}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("exports.emptyTitle")} hint={t("exports.emptyHint")} />}
      />
    </Frame>
  );
}

function useColumns(mayWrite: boolean): readonly Column<ExportTarget>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "name",
      title: t("exports.name"),
      cell: ({ name, address }) => (
        <TwoLines second={<SafeText value={address} mono />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    {
      key: "what",
      title: t("exports.what"),
      width: 190,
      cell: (target) => (
        <TwoLines second={`${t(`exportKind.${target.kind}`)} · ${t(`exportFormat.${target.format}`)}`}>
          <What target={target} />
        </TwoLines>
      ),
    },
    { key: "state", title: t("filters.state"), width: 260, cell: (target) => <State target={target} /> },
    {
      key: "sent",
      title: t("exports.sent"),
      width: 130,
      numeric: true,
      cell: ({ sent, sentAt }) => (
        <span className="two-lines" title={format.time(sentAt)}>
          <span>{format.number(sent)}</span>
          <span className="second">{sentAt === null ? "" : format.ago(sentAt)}</span>
        </span>
      ),
    },
    {
      key: "missed",
      title: t("exports.missed"),
      width: 100,
      numeric: true,
      cell: ({ missed }) => (missed === 0 ? 0 : <strong className="bad">{format.number(missed)}</strong>),
    },
    { key: "enabled", title: t("channels.enabled"), width: 80, cell: (target) => <Enabled target={target} /> },
    {
      key: "actions",
      title: t("actions"),
      width: 220,
      cell: (target) => (mayWrite ? <Actions target={target} /> : null),
    },
  ];
}

function What({ target: { alerts, events, eventTypes } }: { readonly target: ExportTarget }) {
  const { t } = useSpeech();
  const some = eventTypes.length === 0 ? t("exports.allEvents") : t("exports.someEvents", { n: eventTypes.length });
  return (
    <span>{[alerts ? t("exports.alerts") : "", events ? some : ""].filter((each) => each !== "").join(", ")}</span>
  );
}

/** How it goes, how far it is behind, and why it fails. */
function State({ target }: { readonly target: ExportTarget }) {
  const { t, format } = useSpeech();
  const told = useServerTexts();
  const { enabled, state, problem, waitingSince } = target;
  if (!enabled) return <span className="tag tone-other">{t("exports.off")}</span>;
  const isLate = waitingSince !== null && Date.now() - Date.parse(waitingSince) > LATE_MS;
  const behind = waitingSince === null ? t("exports.upToDate") : t("exports.behind", { ago: format.ago(waitingSince) });
  return (
    <span className="two-lines" title={visible(problem, PROBLEM_CHARACTERS)}>
      <span className="chips">
        <span className={`tag ${state === "failing" ? "tone-critical" : isLate ? "tone-medium" : "tone-good"}`}>
          {t(`exportState.${state}`)}
        </span>
        <span className={isLate ? "" : "quiet"}>{behind}</span>
      </span>
      {problem === "" ? null : (
        <span className="second">
          <SafeText value={told.problem(problem)} />
        </span>
      )}
    </span>
  );
}

function Enabled({ target }: { readonly target: ExportTarget }) {
  const { t } = useSpeech();
  const put = usePutExport();
  const mayWrite = useMay()("admin:write");
  return (
    <Switch
      size="small"
      aria-label={t("exports.useOf", { name: visible(target.name, PROBLEM_CHARACTERS) })}
      checked={target.enabled}
      disabled={!mayWrite || put.isPending}
      onChange={(enabled) => put.mutate({ ...settingsOf(target), enabled })}
    />
  );
}

function Actions({ target }: { readonly target: ExportTarget }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const test = useTestExport();
  const remove = useRemoveExport();
  const told = useServerTexts();
  const { id, name } = target;
  const tell = ({ ok, problem }: { readonly ok: boolean; readonly problem: string }) =>
    ok
      ? void message.success(t("exports.tookTest"))
      : void message.error(visible(told.problem(problem), PROBLEM_CHARACTERS));
  return (
    <span className="row-actions">
      <Button size="small" loading={test.isPending} onClick={() => test.mutate(id, { onSuccess: tell })}>
        {t("test")}
      </Button>
      <EditTarget target={target} />
      <DeleteButton name={name} hint={t("exports.deleteHint")} onDelete={() => remove.mutateAsync(id)} />
    </span>
  );
}
