import { App, Button } from "antd";
import { useApproveException, useBenchmarkExceptions, useRemoveException } from "../../api/benchmarks.ts";
import type { BenchmarkException } from "../../api/contract.ts";
import { useMay, useSession } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { AskException } from "./ask-exception.tsx";
import { Schedules } from "./schedules.tsx";
import { Tunings } from "./tunings.tsx";

const TWO_LINES_PX = 48;

/** Where benchmarks differ from what ships, and when they run. */
export function Rules() {
  const { t } = useSpeech();
  const rows = useBenchmarkExceptions();
  const columns = useColumns();
  return (
    <>
      <h2>{t("benchmarks.exceptions")}</h2>
      <AskException />
      <DataTable
        label={t("benchmarks.exceptions")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("benchmarks.noExceptionsTitle")} hint={t("benchmarks.noExceptionsHint")} />}
      />
      <Tunings />
      <Schedules />
    </>
  );
}

function useColumns(): readonly Column<BenchmarkException>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "check",
      title: t("benchmarks.check"),
      cell: ({ check, reason }) => (
        <TwoLines second={<SafeText value={reason} />}>
          <SafeText value={check} mono />
        </TwoLines>
      ),
    },
    {
      key: "place",
      title: t("benchmarks.where"),
      width: 180,
      cell: ({ scope, place }) => (
        <TwoLines second={<SafeText value={place} />}>
          <span>{nameOf("benchmarkScope", scope)}</span>
        </TwoLines>
      ),
    },
    { key: "until", title: t("benchmarks.until"), width: 120, cell: ({ until }) => format.date(until) },
    {
      key: "people",
      title: t("benchmarks.people"),
      width: 150,
      cell: ({ askedBy, approver }) => (
        <TwoLines second={approver === null ? t("waivers.nobodyYet") : <SafeText value={approver.name} />}>
          <SafeText value={askedBy.name} />
        </TwoLines>
      ),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 170,
      numeric: true,
      cell: (exception) => <Actions exception={exception} />,
    },
  ];
}

function Actions({ exception }: { readonly exception: BenchmarkException }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const may = useMay();
  const own = useSession().data?.account.id === exception.askedBy.id;
  const approve = useApproveException();
  const remove = useRemoveException();
  const onError = (error: Error) => void message.error(explain(error).title);
  return (
    <span className="row-actions">
      {exception.approver === null && !own && may("findings:approve") ? (
        <Button size="small" loading={approve.isPending} onClick={() => approve.mutate(exception.id, { onError })}>
          {t("benchmarks.approve")}
        </Button>
      ) : null}
      {may("runtime:write") ? (
        <DeleteButton
          name={exception.check}
          hint={t("benchmarks.removeHint")}
          onDelete={() => remove.mutateAsync(exception.id)}
        />
      ) : null}
    </span>
  );
}
