import { Alert, App, Button, Form, Input, Select, Switch } from "antd";
import { useBrakes, usePullBrake, useReleaseBrake } from "../../api/admission.ts";
import type { Brake, NewBrake } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;
const KINDS = ["flaw", "package", "digest"] as const;

/** The emergency brake: what is denied everywhere, at once. */
export function Brakes() {
  const { t } = useSpeech();
  const rows = useBrakes();
  const columns = useColumns();
  const pull = useMay()("responses:write") ? <PullBrake /> : null;
  const isOn = rows.items.some(({ releasedAt }) => releasedAt === null);
  return (
    <div className="stack">
      {isOn ? <Alert type="error" showIcon title={t("admission.brakeOn")} /> : null}
      <div>{pull}</div>
      <DataTable
        label={t("admission.brakes")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("admission.noBrakes")} hint={t("admission.noBrakesHint")} />}
      />
    </div>
  );
}

function PullBrake() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const pull = usePullBrake();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <FormModal<NewBrake>
      title={t("admission.pull")}
      submit={t("admission.pullNow")}
      initial={{ kind: "flaw", denyUnknown: true }}
      sending={pull.isPending}
      onSubmit={(brake, close) =>
        pull.mutate(brake, { onSuccess: close, onError: (error) => void message.error(explain(error).title) })
      }
    >
      {() => (
        <>
          <Alert type="warning" showIcon title={t("admission.pullHint")} />
          <Form.Item name="kind" label={t("admission.brakeKind")} rules={required}>
            <Select options={KINDS.map((value) => ({ value, label: t(`brakeKind.${value}`) }))} />
          </Form.Item>
          <Form.Item name="pattern" label={t("admission.pattern")} extra={t("admission.patternHint")} rules={required}>
            <Input className="mono" maxLength={500} spellCheck={false} />
          </Form.Item>
          <Form.Item name="reason" label={t("risk.reason")} rules={required}>
            <Input.TextArea rows={2} maxLength={2000} />
          </Form.Item>
          <Form.Item name="denyUnknown" label={t("admission.denyUnknown")} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function useColumns(): readonly Column<Brake>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "pattern",
      title: t("admission.pattern"),
      cell: ({ pattern, kind }) => (
        <TwoLines second={nameOf("brakeKind", kind)}>
          <SafeText value={pattern} mono />
        </TwoLines>
      ),
    },
    { key: "reason", title: t("risk.reason"), cell: ({ reason }) => <SafeText value={reason} /> },
    {
      key: "by",
      title: t("admission.by"),
      width: 170,
      cell: ({ createdBy, createdAt }) => (
        <TwoLines second={format.ago(createdAt)}>
          <SafeText value={createdBy} />
        </TwoLines>
      ),
    },
    {
      key: "state",
      title: t("filters.state"),
      width: 150,
      cell: ({ releasedAt }) =>
        releasedAt === null ? (
          <span className="tag tone-critical">{t("admission.on")}</span>
        ) : (
          <span className="tag tone-other">{t("admission.released")}</span>
        ),
    },
    { key: "actions", title: t("actions"), width: 130, numeric: true, cell: (brake) => <Release brake={brake} /> },
  ];
}

function Release({ brake }: { readonly brake: Brake }) {
  const { t } = useSpeech();
  const release = useReleaseBrake();
  if (!useMay()("runtime:write") || brake.releasedAt !== null) return null;
  return (
    <Button size="small" loading={release.isPending} onClick={() => release.mutate(brake.id)}>
      {t("admission.release")}
    </Button>
  );
}
