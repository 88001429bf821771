import { Alert, App, Button, Form, Input, InputNumber, Switch } from "antd";
import { useState } from "react";
import { useEndGrant, useGiveGrant, useGrants } from "../../api/admission.ts";
import type { Grant, NewGrant } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;
const MOST_MINUTES = 1_440;

/** Break-glass: who may pass, for how long and why, and whether they did. */
export function Grants() {
  const { t } = useSpeech();
  const rows = useGrants();
  const columns = useColumns();
  const give = useMay()("responses:approve") ? <GiveGrant /> : null;
  return (
    <div className="stack">
      <div>{give}</div>
      <DataTable
        label={t("admission.grants")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("admission.noGrants")} hint={t("admission.noGrantsHint")} />}
      />
    </div>
  );
}

function GiveGrant() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const give = useGiveGrant();
  const [code, setCode] = useState<string>();
  const required = [{ required: true, message: t("form.required") }];
  const send = ({ user, ...rest }: NewGrant, close: () => void) =>
    give.mutate(
      { ...rest, ...(user === undefined || user === "" ? {} : { user }) },
      {
        onSuccess: (made) => {
          close();
          setCode(made.code === "" ? undefined : made.code);
        },
        onError: (error) => void message.error(explain(error).title),
      },
    );
  return (
    <>
      <FormModal<NewGrant>
        title={t("admission.give")}
        submit={t("admission.giveNow")}
        initial={{ minutes: 30 }}
        sending={give.isPending}
        onSubmit={send}
      >
        {() => (
          <>
            <Alert type="warning" showIcon title={t("admission.giveHint")} />
            <Form.Item name="namespace" label={t("admission.namespace")} rules={required}>
              <Input className="mono" maxLength={63} spellCheck={false} />
            </Form.Item>
            <Form.Item name="user" label={t("admission.user")} extra={t("admission.userHint")}>
              <Input className="mono" maxLength={300} spellCheck={false} />
            </Form.Item>
            <Form.Item name="minutes" label={t("admission.minutes")} rules={required}>
              <InputNumber min={1} max={MOST_MINUTES} />
            </Form.Item>
            <Form.Item name="reason" label={t("risk.reason")} rules={required}>
              <Input.TextArea rows={2} maxLength={2000} />
            </Form.Item>
            <Form.Item name="passesBrake" label={t("admission.passesBrake")} valuePropName="checked">
              <Switch />
            </Form.Item>
          </>
        )}
      </FormModal>
      <ShownOnce
        title={t("admission.grants")}
        secret={code}
        hint={t("admission.codeHint")}
        onClose={() => setCode(undefined)}
      />
    </>
  );
}

function useColumns(): readonly Column<Grant>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "who",
      title: t("admission.user"),
      cell: ({ user, byCode, namespace, cluster }) => (
        <TwoLines second={<SafeText value={`${cluster?.name ?? ""} ${namespace}`.trim()} />}>
          {byCode ? <span>{t("admission.whoHasCode")}</span> : <SafeText value={user} />}
        </TwoLines>
      ),
    },
    { key: "reason", title: t("risk.reason"), cell: ({ reason }) => <SafeText value={reason} /> },
    {
      key: "by",
      title: t("admission.by"),
      width: 170,
      cell: ({ grantedBy, createdAt }) => (
        <TwoLines second={format.ago(createdAt)}>
          <SafeText value={grantedBy} />
        </TwoLines>
      ),
    },
    {
      key: "used",
      title: t("admission.used"),
      width: 120,
      numeric: true,
      cell: ({ used }) => t("admission.times", { n: used }),
    },
    {
      key: "state",
      title: t("filters.state"),
      width: 140,
      cell: (grant) =>
        isOver(grant) ? (
          <span className="tag tone-other">{t("admission.over")}</span>
        ) : (
          <span className="tag tone-high">{t("admission.inForce")}</span>
        ),
    },
    { key: "actions", title: t("actions"), width: 120, numeric: true, cell: (grant) => <End grant={grant} /> },
  ];
}

function isOver({ endedAt, until }: Grant): boolean {
  return endedAt !== null || Date.parse(until) <= Date.now();
}

function End({ grant }: { readonly grant: Grant }) {
  const { t } = useSpeech();
  const end = useEndGrant();
  if (!useMay()("responses:write") || isOver(grant)) return null;
  return (
    <Button size="small" loading={end.isPending} onClick={() => end.mutate(grant.id)}>
      {t("admission.end")}
    </Button>
  );
}
