import { Checkbox, Form, Input, Select } from "antd";
import { useAddProvider, useChangeProvider, useDeleteProvider, useProviders } from "../../api/access.ts";
import type { NewProvider, Provider } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { ROLES, RoleMapping } from "./role-mapping.tsx";

const TWO_LINES_PX = 48;
const DEFAULT_SCOPES = "openid profile email";

/** Identity providers (OpenID Connect) through which people log in. */
export function Page() {
  const { t } = useSpeech();
  const rows = useProviders();
  const columns = useColumns();
  const add = useAddProvider();
  const actions = useMay()("admin:write") ? (
    <FormModal<NewProvider>
      title={t("providers.add")}
      submit={t("save")}
      sending={add.isPending}
      onSubmit={(values, close) => add.mutate(filled(values), { onSuccess: close })}
    >
      {() => <Fields />}
    </FormModal>
  ) : null;
  return (
    <Frame title={t("providers.title")} lead={t("providers.lead")} actions={actions} fill>
      <DataTable
        label={t("providers.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("providers.emptyTitle")} hint={t("providers.emptyHint")} action={actions} />}
        fill
      />
    </Frame>
  );
}

function useColumns(): readonly Column<Provider>[] {
  const { t, nameOf } = useSpeech();
  return [
    {
      key: "name",
      title: t("providers.name"),
      cell: ({ name, issuer }) => (
        <TwoLines second={<SafeText value={issuer} mono />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    {
      key: "callback",
      title: t("providers.callback"),
      cell: ({ callback }) => (
        <span className="with-copy">
          <SafeText value={callback} mono />
          <CopyButton text={callback} what={t("providers.callback")} />
        </span>
      ),
    },
    {
      key: "role",
      title: t("providers.defaultRole"),
      width: 150,
      cell: ({ defaultRole }) => (defaultRole == null ? t("none") : nameOf("role", defaultRole)),
    },
    { key: "actions", title: t("actions"), width: 170, numeric: true, cell: (row) => <Actions provider={row} /> },
  ];
}

function Actions({ provider }: { readonly provider: Provider }) {
  const { t } = useSpeech();
  const change = useChangeProvider();
  const remove = useDeleteProvider();
  if (!useMay()("admin:write")) return null;
  const { id, hasSecret: _, callback: _callback, ...known } = provider;
  return (
    <span className="row-actions">
      <FormModal<NewProvider>
        title={t("providers.edit")}
        submit={t("save")}
        initial={known}
        sending={change.isPending}
        onSubmit={(values, close) => change.mutate({ id, body: filled(values) }, { onSuccess: close })}
        small
      >
        {() => <Fields hasSecret={provider.hasSecret} />}
      </FormModal>
      <DeleteButton name={provider.name} hint={t("providers.deleteHint")} onDelete={() => remove.mutateAsync(id)} />
    </span>
  );
}

function Fields({ hasSecret = false }: { readonly hasSecret?: boolean }) {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <>
      <Form.Item name="name" label={t("providers.name")} extra={t("providers.nameHint")} rules={required}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="issuer" label={t("providers.issuer")} extra={t("providers.issuerHint")} rules={required}>
        <Input className="mono" maxLength={500} spellCheck={false} />
      </Form.Item>
      <Form.Item name="clientId" label={t("providers.clientId")} rules={required}>
        <Input className="mono" maxLength={200} autoComplete="off" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="clientSecret"
        label={t("providers.clientSecret")}
        {...(hasSecret ? { extra: t("providers.keepSecret") } : {})}
      >
        <Input.Password autoComplete="new-password" maxLength={2_000} />
      </Form.Item>
      <Form.Item name="scopes" label={t("providers.scopes")} extra={t("providers.scopesHint")}>
        <Input className="mono" maxLength={500} placeholder={DEFAULT_SCOPES} spellCheck={false} />
      </Form.Item>
      <Form.Item name="roleClaim" label={t("providers.roleClaim")} extra={t("providers.roleClaimHint")}>
        <Input className="mono" maxLength={200} spellCheck={false} />
      </Form.Item>
      <RoleMapping />
      <Form.Item name="defaultRole" label={t("providers.defaultRole")} extra={t("providers.defaultRoleHint")}>
        <Select allowClear options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} />
      </Form.Item>
      <Form.Item name="allowPrivate" valuePropName="checked" extra={t("registries.privateHint")}>
        <Checkbox>{t("registries.private")}</Checkbox>
      </Form.Item>
    </>
  );
}

/** Without fields that were left empty. */
function filled(values: NewProvider): NewProvider {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== "" && value !== null);
  return Object.fromEntries(entries) as unknown as NewProvider;
}
