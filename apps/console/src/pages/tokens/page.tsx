import { Form, Input, Select } from "antd";
import { useState } from "react";
import { useAddToken, useDeleteToken, useTokens } from "../../api/administration.ts";
import type { NewToken, Token } from "../../api/contract.ts";
import { useSession } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const LIFETIMES_DAYS = [7, 30, 90, 365] as const;

export function Page() {
  const { t, format } = useSpeech();
  const rows = useTokens();
  const remove = useDeleteToken();
  const [secret, setSecret] = useState<string>();
  const columns: readonly Column<Token>[] = [
    { key: "name", title: t("tokens.name"), cell: ({ name }) => <SafeText value={name} /> },
    { key: "scopes", title: t("tokens.scopes"), cell: ({ scopes }) => <SafeText value={scopes.join(", ")} mono /> },
    { key: "created", title: t("tokens.created"), width: 140, cell: ({ createdAt }) => format.date(createdAt) },
    { key: "expires", title: t("tokens.expires"), width: 140, cell: ({ expiresAt }) => format.date(expiresAt) },
    { key: "used", title: t("tokens.lastUsed"), width: 140, cell: ({ usedAt }) => format.ago(usedAt) },
    {
      key: "actions",
      title: t("actions"),
      width: 100,
      numeric: true,
      cell: ({ id, name }) => (
        <DeleteButton name={name} hint={t("tokens.deleteHint")} onDelete={() => remove.mutateAsync(id)} />
      ),
    },
  ];
  return (
    <Frame title={t("tokens.title")} lead={t("tokens.lead")} actions={<AddToken onMade={setSecret} />} fill>
      <DataTable
        label={t("tokens.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("tokens.emptyTitle")} hint={t("tokens.emptyHint")} />}
        fill
      />
      <ShownOnce title={t("tokens.madeTitle")} secret={secret} onClose={() => setSecret(undefined)} />
    </Frame>
  );
}

function AddToken({ onMade }: { readonly onMade: (secret: string) => void }) {
  const { t } = useSpeech();
  const add = useAddToken();
  const scopes = useSession().data?.account.scopes ?? [];
  const required = [{ required: true, message: t("form.required") }];
  const send = (token: NewToken, close: () => void) =>
    add.mutate(token, {
      onSuccess: (made) => {
        close();
        onMade(made.token);
      },
    });
  return (
    <FormModal<NewToken>
      title={t("tokens.add")}
      submit={t("tokens.make")}
      initial={{ days: 90 }}
      sending={add.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("tokens.name")} extra={t("tokens.nameHint")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="scopes" label={t("tokens.scopes")} extra={t("tokens.scopesHint")} rules={required}>
            <Select mode="multiple" options={scopes.map((value) => ({ value, label: value }))} />
          </Form.Item>
          <Form.Item name="days" label={t("tokens.expires")} rules={required}>
            <Select options={LIFETIMES_DAYS.map((value) => ({ value, label: t("days", { n: value }) }))} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
