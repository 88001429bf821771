import { Form, Input, InputNumber, Select } from "antd";
import type { AutomaticResponse, AutomaticSettings } from "../../api/contract.ts";
import { useAutomaticResponses, usePutAutomaticResponse, useRemoveAutomaticResponse } from "../../api/responses.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const MODES = ["off", "dry-run", "approve", "act"] as const;
const ACTIONS = ["collect-evidence", "kill-process", "pause", "isolate", "stop", "destroy"] as const;
const TONES: Readonly<Record<AutomaticResponse["mode"], string>> = {
  off: "tone-other",
  "dry-run": "tone-low",
  approve: "tone-medium",
  act: "tone-critical",
};
const TWO_LINES_PX = 50;
const MAX_CONDITION = 4_000;
const MAX_PER_HOUR = 10_000;
const EXAMPLE = 'alert.severity == "critical" && "T1611" in alert.techniques';

/** What happens by itself when an alert meets a condition. */
export function AutomaticResponses() {
  const { t } = useSpeech();
  const mayWrite = useMay()("responses:approve");
  const rows = useAutomaticResponses();
  const columns = useColumns(mayWrite);
  return (
    <div className="stack">
      <div className="filters">
        {mayWrite ? <EditAutomatic /> : null}
        <span className="quiet">{t("automatic.hint")}</span>
      </div>
      <DataTable
        label={t("runtimeRules.automatic")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("automatic.emptyTitle")} hint={t("automatic.emptyHint")} />}
      />
    </div>
  );
}

function EditAutomatic({ present }: { readonly present?: AutomaticResponse }) {
  const { t } = useSpeech();
  const put = usePutAutomaticResponse();
  const required = [{ required: true, message: t("form.required") }];
  const initial: Partial<AutomaticSettings> =
    present === undefined ? { mode: "dry-run", perHour: 10 } : { ...(present as AutomaticSettings) };
  return (
    <FormModal<AutomaticSettings>
      title={t(present === undefined ? "automatic.add" : "edit")}
      submit={t("save")}
      small={present !== undefined}
      initial={initial}
      sending={put.isPending}
      onSubmit={(body, close) => put.mutate(body, { onSuccess: close })}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("automatic.name")} rules={required}>
            <Input maxLength={100} disabled={present !== undefined} />
          </Form.Item>
          <Form.Item
            name="condition"
            label={t("automatic.condition")}
            rules={required}
            extra={t("automatic.conditionHint")}
          >
            <Input.TextArea className="mono" rows={3} maxLength={MAX_CONDITION} placeholder={EXAMPLE} />
          </Form.Item>
          <Form.Item name="actions" label={t("automatic.actions")} rules={required}>
            <Select
              mode="multiple"
              options={ACTIONS.map((value) => ({ value, label: t(`responseAction.${value}`) }))}
            />
          </Form.Item>
          <div className="form-row">
            <Form.Item name="mode" label={t("runtimeRules.mode")}>
              <Select options={MODES.map((value) => ({ value, label: t(`automaticMode.${value}`) }))} />
            </Form.Item>
            <Form.Item name="perHour" label={t("automatic.perHour")}>
              <InputNumber min={1} max={MAX_PER_HOUR} precision={0} />
            </Form.Item>
          </div>
        </>
      )}
    </FormModal>
  );
}

function useColumns(mayWrite: boolean): readonly Column<AutomaticResponse>[] {
  const { t, nameOf, format } = useSpeech();
  const remove = useRemoveAutomaticResponse();
  return [
    {
      key: "name",
      title: t("automatic.name"),
      cell: ({ name, condition }) => (
        <TwoLines second={<SafeText value={condition} mono />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    {
      key: "actions",
      title: t("automatic.actions"),
      width: 260,
      cell: ({ actions }) => <SafeText value={actions.map((action) => nameOf("responseAction", action)).join(", ")} />,
    },
    {
      key: "mode",
      title: t("runtimeRules.mode"),
      width: 170,
      cell: ({ mode }) => <span className={`tag ${TONES[mode]}`}>{t(`automaticMode.${mode}`)}</span>,
    },
    {
      key: "limit",
      title: t("automatic.perHour"),
      width: 120,
      numeric: true,
      cell: ({ perHour }) => format.number(perHour),
    },
    {
      key: "do",
      title: t("actions"),
      width: 170,
      cell: (row) =>
        mayWrite ? (
          <span className="row-actions">
            <EditAutomatic present={row} />
            <DeleteButton
              name={row.name}
              hint={t("automatic.deleteHint")}
              onDelete={() => remove.mutateAsync(row.id)}
            />
          </span>
        ) : null,
    },
  ];
}
