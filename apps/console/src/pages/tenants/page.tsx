import { Form, Input } from "antd";
import { useState } from "react";
import { useAddTenant, useTenants } from "../../api/access.ts";
import type { NewTenant, Tenant } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** Tenants know nothing of each other; here is made who administers each. */
export function Page() {
  const { t, format } = useSpeech();
  const rows = useTenants();
  const [password, setPassword] = useState<string>();
  const may = useMay()("admin:write");
  const columns: readonly Column<Tenant>[] = [
    { key: "name", title: t("tenants.name"), cell: ({ name }) => <SafeText value={name} /> },
    { key: "created", title: t("tenants.created"), width: 200, cell: ({ createdAt }) => format.time(createdAt) },
  ];
  const add = may ? <AddTenant onMade={setPassword} /> : null;
  return (
    <Frame title={t("tenants.title")} lead={t("tenants.lead")} actions={add} fill>
      <DataTable
        label={t("tenants.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("tenants.emptyTitle")} hint={t("tenants.emptyHint")} />}
        fill
      />
      <ShownOnce title={t("tenants.madeTitle")} secret={password} onClose={() => setPassword(undefined)} />
    </Frame>
  );
}

function AddTenant({ onMade }: { readonly onMade: (password: string | undefined) => void }) {
  const { t } = useSpeech();
  const add = useAddTenant();
  const required = [{ required: true, message: t("form.required") }];
  const send = (tenant: NewTenant, close: () => void) =>
    add.mutate(tenant, {
      onSuccess: (made) => {
        close();
        onMade(made.password);
      },
    });
  return (
    <FormModal<NewTenant> title={t("tenants.add")} submit={t("save")} sending={add.isPending} onSubmit={send}>
      {() => (
        <>
          <Form.Item name="name" label={t("tenants.name")} rules={required}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="login" label={t("tenants.login")} extra={t("tenants.loginHint")} rules={required}>
            <Input maxLength={100} autoComplete="off" spellCheck={false} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
