import { DatePicker, Form, type FormInstance, Input, Select } from "antd";
import type { AllowEntry } from "../../api/contract.ts";
import { useAddAllowEntry, useAllowEntries, useRemoveAllowEntry } from "../../api/runtime-rules.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import {
  RequestScopeFields,
  type RequestScopeValues,
  requestScopeOf,
  ScopeFields,
  ScopeText,
  type ScopeValues,
  scopeOf,
} from "../../components/rule-scope.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const TWO_LINES_PX = 50;
const MAX_CONDITION = 10_000;
const MAX_REASON = 2_000;
const EXAMPLES = { containers: "proc.name = backup", requests: "ka.verb = create and ka.target.resource = pods" };
const SUBJECTS = ["containers", "requests"] as const;

/** What is accepted and raises no alert, with its reason and its end. */
export function AllowList() {
  const { t } = useSpeech();
  const mayWrite = useMay()("runtime:write");
  const rows = useAllowEntries();
  const columns = useColumns(mayWrite);
  return (
    <div className="stack">
      <div className="filters">
        {mayWrite ? <AddEntry /> : null}
        <span className="quiet">{t("allowList.hint")}</span>
      </div>
      <DataTable
        label={t("runtimeRules.allowed")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("allowList.emptyTitle")} hint={t("allowList.emptyHint")} />}
      />
    </div>
  );
}

interface Values extends ScopeValues, RequestScopeValues {
  readonly about: (typeof SUBJECTS)[number];
  readonly rule?: string;
  readonly condition: string;
  readonly reason: string;
  readonly expires?: { toISOString(): string };
}

function AddEntry() {
  const { t } = useSpeech();
  const add = useAddAllowEntry();
  const send = ({ about, rule = "", condition, reason, expires, ...scope }: Values, close: () => void) =>
    add.mutate(
      {
        ...{ rule, condition, reason, scope: about === "requests" ? requestScopeOf(scope) : scopeOf(scope) },
        ...(expires === undefined ? {} : { expiresAt: expires.toISOString() }),
      },
      { onSuccess: close },
    );
  return (
    <FormModal<Values>
      title={t("allowList.add")}
      submit={t("save")}
      initial={{ about: "containers" }}
      sending={add.isPending}
      onSubmit={send}
    >
      {(form) => <EntryFields form={form} />}
    </FormModal>
  );
}

function EntryFields({ form }: { readonly form: FormInstance<Values> }) {
  const { t } = useSpeech();
  const about = Form.useWatch("about", form) ?? "containers";
  const required = [{ required: true, whitespace: true, message: t("form.required") }];
  return (
    <>
      <Form.Item name="about" label={t("allowList.about")}>
        <Select options={SUBJECTS.map((value) => ({ value, label: t(`allowList.about.${value}`) }))} />
      </Form.Item>
      <Form.Item name="rule" label={t("alerts.rule")} extra={t("allowList.ruleHint")}>
        <Input maxLength={300} autoFocus />
      </Form.Item>
      <Form.Item name="condition" label={t("runtimeRules.condition")} rules={required}>
        <Input.TextArea className="mono" rows={3} maxLength={MAX_CONDITION} placeholder={EXAMPLES[about]} />
      </Form.Item>
      {about === "requests" ? <RequestScopeFields /> : <ScopeFields />}
      <Form.Item name="reason" label={t("risk.reason")} rules={required}>
        <Input.TextArea rows={2} maxLength={MAX_REASON} />
      </Form.Item>
      <Form.Item name="expires" label={t("alert.allowUntil")} extra={t("alert.allowForever")}>
        <DatePicker showTime={{ format: "HH:mm" }} />
      </Form.Item>
    </>
  );
}

function useColumns(mayWrite: boolean): readonly Column<AllowEntry>[] {
  const { t, format } = useSpeech();
  const told = useServerTexts();
  const remove = useRemoveAllowEntry();
  return [
    {
      key: "what",
      title: t("allowList.what"),
      cell: ({ rule, condition }) => (
        <TwoLines second={<SafeText value={condition} mono />}>
          <SafeText value={rule === "" ? t("allowList.anyRule") : told.ruleTitle(rule)} />
        </TwoLines>
      ),
    },
    { key: "scope", title: t("waivers.place"), width: 240, cell: ({ scope }) => <ScopeText scope={scope} /> },
    {
      key: "reason",
      title: t("risk.reason"),
      cell: ({ reason, createdBy }) => (
        <TwoLines second={<SafeText value={createdBy} />}>
          <SafeText value={reason} />
        </TwoLines>
      ),
    },
    {
      key: "expires",
      title: t("enrol.expires"),
      width: 170,
      cell: ({ expiresAt }) => (expiresAt === null ? t("allowList.never") : format.time(expiresAt)),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 100,
      cell: ({ id, rule }) =>
        mayWrite ? (
          <span className="row-actions">
            <DeleteButton
              name={rule === "" ? t("allowList.anyRule") : told.ruleTitle(rule)}
              hint={t("allowList.deleteHint")}
              onDelete={() => remove.mutateAsync(id)}
            />
          </span>
        ) : null,
    },
  ];
}
