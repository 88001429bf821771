import { Alert, Form, Input, InputNumber } from "antd";
import type { Indicator, IndicatorList } from "../../api/contract.ts";
import { useAddIndicators, useIndicators, useRemoveIndicator } from "../../api/runtime-rules.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const MAX_CHARACTERS = 900_000;
const MAX_DAYS = 3_650;

/** Addresses, networks, domains and programs that are known to be hostile. */
export function Indicators() {
  const { t } = useSpeech();
  const mayWrite = useMay()("runtime:write");
  const rows = useIndicators();
  const columns = useColumns(mayWrite);
  const add = useAddIndicators();
  return (
    <div className="stack">
      <div className="filters">
        {mayWrite ? <AddList add={add} /> : null}
        <span className="quiet">{t("indicators.hint")}</span>
      </div>
      {add.data === undefined ? null : (
        <Alert
          type={add.data.refused > 0 ? "warning" : "success"}
          showIcon
          role="status"
          title={t("indicators.added", add.data)}
        />
      )}
      <DataTable
        label={t("runtimeRules.indicators")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("indicators.emptyTitle")} hint={t("indicators.emptyHint")} />}
      />
    </div>
  );
}

function AddList({ add }: { readonly add: ReturnType<typeof useAddIndicators> }) {
  const { t } = useSpeech();
  const required = [{ required: true, whitespace: true, message: t("form.required") }];
  const send = ({ source, list, days }: IndicatorList, close: () => void) =>
    add.mutate({ source, list, ...(typeof days === "number" ? { days } : {}) }, { onSuccess: close });
  return (
    <FormModal<IndicatorList> title={t("indicators.add")} submit={t("save")} sending={add.isPending} onSubmit={send}>
      {() => (
        <>
          <Form.Item name="source" label={t("indicators.source")} rules={required} extra={t("indicators.sourceHint")}>
            <Input maxLength={100} autoFocus />
          </Form.Item>
          <Form.Item name="list" label={t("indicators.list")} rules={required} extra={t("indicators.listHint")}>
            <Input.TextArea className="mono" rows={8} maxLength={MAX_CHARACTERS} spellCheck={false} />
          </Form.Item>
          <Form.Item name="days" label={t("indicators.days")} extra={t("indicators.daysHint")}>
            <InputNumber min={1} max={MAX_DAYS} precision={0} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function useColumns(mayWrite: boolean): readonly Column<Indicator>[] {
  const { t, format } = useSpeech();
  const remove = useRemoveIndicator();
  return [
    { key: "kind", title: t("filters.kind"), width: 150, cell: ({ kind }) => t(`indicatorKind.${kind}`) },
    { key: "value", title: t("indicators.value"), cell: ({ value }) => <SafeText value={value} mono /> },
    { key: "source", title: t("indicators.source"), width: 200, cell: ({ source }) => <SafeText value={source} /> },
    {
      key: "expires",
      title: t("enrol.expires"),
      width: 190,
      cell: ({ expiresAt }) => (expiresAt === null ? t("allowList.never") : format.time(expiresAt)),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 100,
      cell: ({ id, value }) =>
        mayWrite ? (
          <span className="row-actions">
            <DeleteButton name={value} hint={t("indicators.deleteHint")} onDelete={() => remove.mutateAsync(id)} />
          </span>
        ) : null,
    },
  ];
}
