import { Form, Input, InputNumber } from "antd";
import { useState } from "react";
import type { EnrolmentToken, NewEnrolmentToken } from "../../api/contract.ts";
import { useAddEnrolmentToken, useEnrolmentTokens, useRemoveEnrolmentToken } from "../../api/nodes.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const MAX_USES = 10_000;
const MAX_HOURS = 8_760;
/** Where sensors reach the gateway unless its operator chose otherwise. */
const GATEWAY_PORT = 9443;

/** Tokens with which nodes enrol. The secret is shown this once, in the command that uses it. */
export function EnrolmentTokens() {
  const { t } = useSpeech();
  const mayWrite = useMay()("admin:write");
  const rows = useEnrolmentTokens();
  const columns = useColumns(mayWrite);
  const [command, setCommand] = useState<string>();
  return (
    <div className="stack">
      <div className="filters">
        {mayWrite ? <MakeToken onMade={(token) => setCommand(commandOf(token))} /> : null}
        <span className="quiet">{t("enrol.hint")}</span>
      </div>
      <DataTable
        label={t("nodes.tokens")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("enrol.emptyTitle")} hint={t("enrol.emptyHint")} />}
      />
      <ShownOnce
        title={t("enrol.made")}
        secret={command}
        what={t("enrol.command")}
        hint={t("enrol.runThis")}
        onClose={() => setCommand(undefined)}
      />
    </div>
  );
}

function commandOf(token: string): string {
  return `bulwark sensor install --gateway ${window.location.hostname}:${GATEWAY_PORT} --token ${token}`;
}

function MakeToken({ onMade }: { readonly onMade: (token: string) => void }) {
  const { t } = useSpeech();
  const add = useAddEnrolmentToken();
  const required = [{ required: true, whitespace: true, message: t("form.required") }];
  const send = (body: NewEnrolmentToken, close: () => void) =>
    add.mutate(body, {
      onSuccess: ({ token }) => {
        close();
        onMade(token);
      },
    });
  return (
    <FormModal<NewEnrolmentToken>
      title={t("enrol.make")}
      submit={t("enrol.make")}
      initial={{ uses: 1, hours: 24 }}
      sending={add.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("enrol.name")} rules={required} extra={t("enrol.nameHint")}>
            <Input maxLength={100} autoFocus />
          </Form.Item>
          <div className="form-row">
            <Form.Item name="uses" label={t("enrol.uses")}>
              <InputNumber min={1} max={MAX_USES} precision={0} />
            </Form.Item>
            <Form.Item name="hours" label={t("enrol.hours")}>
              <InputNumber min={1} max={MAX_HOURS} precision={0} />
            </Form.Item>
          </div>
        </>
      )}
    </FormModal>
  );
}

function useColumns(mayWrite: boolean): readonly Column<EnrolmentToken>[] {
  const { t, format } = useSpeech();
  const remove = useRemoveEnrolmentToken();
  return [
    { key: "name", title: t("enrol.name"), cell: ({ name }) => <SafeText value={name} /> },
    {
      key: "uses",
      title: t("enrol.usesLeft"),
      width: 120,
      numeric: true,
      cell: ({ usesLeft }) => format.number(usesLeft),
    },
    { key: "expires", title: t("enrol.expires"), width: 200, cell: ({ expiresAt }) => format.time(expiresAt) },
    { key: "by", title: t("enrol.by"), width: 180, cell: ({ createdBy }) => <SafeText value={createdBy} /> },
    {
      key: "actions",
      title: t("actions"),
      width: 110,
      cell: ({ id, name }) =>
        mayWrite ? (
          <span className="row-actions">
            <DeleteButton name={name} hint={t("enrol.deleteHint")} onDelete={() => remove.mutateAsync(id)} />
          </span>
        ) : null,
    },
  ];
}
