import { App, Form, Input } from "antd";
import { useBenchmarkSchedules, useRemoveBenchmarkSchedule, useSetBenchmarkSchedule } from "../../api/benchmarks.ts";
import type { BenchmarkSchedule, NewBenchmarkSchedule } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { ProfileField } from "./run-button.tsx";

/** When benchmarks run by themselves. */
export function Schedules() {
  const { t, format } = useSpeech();
  const may = useMay()("runtime:write");
  const rows = useBenchmarkSchedules();
  const remove = useRemoveBenchmarkSchedule();
  const columns: readonly Column<BenchmarkSchedule>[] = [
    { key: "name", title: t("benchmarks.name"), cell: ({ name }) => <SafeText value={name} /> },
    { key: "cron", title: t("benchmarks.cron"), width: 160, cell: ({ cron }) => <SafeText value={cron} mono /> },
    { key: "profile", title: t("benchmarks.profile"), width: 140, cell: ({ profile }) => <SafeText value={profile} /> },
    {
      key: "next",
      title: t("benchmarks.next"),
      width: 180,
      cell: ({ nextAt }) => (nextAt === null ? "" : format.time(nextAt)),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 100,
      numeric: true,
      cell: ({ id, name }) =>
        may ? (
          <DeleteButton name={name} hint={t("benchmarks.noSchedulesHint")} onDelete={() => remove.mutateAsync(id)} />
        ) : null,
    },
  ];
  return (
    <>
      <h2>{t("benchmarks.schedules")}</h2>
      {may ? <Add /> : null}
      <DataTable
        label={t("benchmarks.schedules")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("benchmarks.noSchedulesTitle")} hint={t("benchmarks.noSchedulesHint")} />}
      />
    </>
  );
}

function Add() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const set = useSetBenchmarkSchedule();
  const required = [{ required: true, message: t("form.required") }];
  const send = (body: NewBenchmarkSchedule, close: () => void) =>
    set.mutate(body, { onSuccess: close, onError: (error) => void message.error(explain(error).title) });
  return (
    <FormModal<NewBenchmarkSchedule>
      title={t("benchmarks.addSchedule")}
      submit={t("save")}
      kind="default"
      initial={{ profile: "recommended", cron: "0 3 * * *" }}
      sending={set.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("benchmarks.name")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="cron" label={t("benchmarks.cron")} extra={t("benchmarks.cronHint")} rules={required}>
            <Input className="mono" maxLength={100} spellCheck={false} />
          </Form.Item>
          <ProfileField />
        </>
      )}
    </FormModal>
  );
}
