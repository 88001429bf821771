import { App, Button, Form, Input, Select } from "antd";
import { useState } from "react";
import { useAccounts, useAddAccount, useChangeAccount, useUnlockAccount } from "../../api/administration.ts";
import type { Account, NewAccount, Role } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const ROLES = ["admin", "security", "operator", "developer", "auditor"] as const;
const TWO_LINES_PX = 48;
const LEAST_PASSWORD = 12;

export function Page() {
  const { t, format } = useSpeech();
  const rows = useAccounts();
  const may = useMay()("admin:write");
  const [password, setPassword] = useState<string>();
  const columns: readonly Column<Account>[] = [
    {
      key: "name",
      title: t("users.name"),
      cell: ({ name, login }) => (
        <TwoLines second={<SafeText value={login} mono />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    { key: "role", title: t("users.role"), width: 170, cell: (account) => <RoleChoice account={account} /> },
    { key: "state", title: t("filters.state"), width: 130, cell: (account) => <State account={account} /> },
    { key: "totp", title: t("users.totp"), width: 130, cell: ({ totp }) => t(totp ? "users.totpOn" : "users.totpOff") },
    { key: "last", title: t("users.lastLogin"), width: 140, cell: ({ seenAt }) => format.ago(seenAt) },
    {
      key: "actions",
      title: t("actions"),
      width: 190,
      numeric: true,
      cell: (account) => <Actions account={account} />,
    },
  ];
  return (
    <Frame title={t("users.title")} lead={t("users.lead")} actions={may ? <AddUser onMade={setPassword} /> : null} fill>
      <DataTable
        label={t("users.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("users.emptyTitle")} hint={t("users.emptyHint")} />}
        fill
      />
      <RoleHelp />
      <ShownOnce title={t("users.madeTitle")} secret={password} onClose={() => setPassword(undefined)} />
    </Frame>
  );
}

function RoleHelp() {
  const { t } = useSpeech();
  return (
    <dl className="facts">
      {ROLES.map((role) => [
        <dt key={`${role}-name`}>{t(`role.${role}`)}</dt>,
        <dd key={role}>{t(`roleHint.${role}`)}</dd>,
      ])}
    </dl>
  );
}

function RoleChoice({ account }: { readonly account: Account }) {
  const { t, nameOf } = useSpeech();
  const change = useChangeAccount();
  if (!useMay()("admin:write")) return nameOf("role", account.role);
  return (
    <Select
      size="small"
      aria-label={t("users.role")}
      value={account.role}
      disabled={change.isPending}
      options={ROLES.map((value) => ({ value: value as string, label: t(`role.${value}`) }))}
      onChange={(role: string) => change.mutate({ id: account.id, role: role as Role })}
      popupMatchSelectWidth={false}
    />
  );
}

function State({ account }: { readonly account: Account }) {
  const { t } = useSpeech();
  return (
    <span className="chips">
      {account.enabled ? (
        <span className="tag tone-good">{t("users.active")}</span>
      ) : (
        <span className="tag tone-other">{t("users.disabled")}</span>
      )}
      {account.sso ? <span className="tag tone-low">{t("users.sso")}</span> : null}
    </span>
  );
}

function Actions({ account }: { readonly account: Account }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const unlock = useUnlockAccount();
  const change = useChangeAccount();
  if (!useMay()("admin:write")) return null;
  const told = { onSuccess: () => void message.success(t("users.unlocked")) };
  return (
    <span className="row-actions">
      <Button size="small" loading={unlock.isPending} onClick={() => unlock.mutate(account.id, told)}>
        {t("users.unlock")}
      </Button>
      <Button
        size="small"
        loading={change.isPending}
        onClick={() => change.mutate({ id: account.id, enabled: !account.enabled })}
      >
        {t(account.enabled ? "users.disable" : "users.enable")}
      </Button>
    </span>
  );
}

function AddUser({ onMade }: { readonly onMade: (password: string) => void }) {
  const { t } = useSpeech();
  const add = useAddAccount();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <FormModal<NewAccount>
      title={t("users.add")}
      submit={t("save")}
      initial={{ role: "developer" }}
      sending={add.isPending}
      onSubmit={(values, close) =>
        add.mutate(values, {
          onSuccess: ({ password }) => {
            close();
            if (password !== undefined) onMade(password);
          },
        })
      }
    >
      {() => (
        <>
          <Form.Item name="login" label={t("login.name")} rules={required}>
            <Input autoComplete="off" maxLength={100} spellCheck={false} />
          </Form.Item>
          <Form.Item name="name" label={t("users.name")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="role" label={t("users.role")} rules={required}>
            <Select options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} />
          </Form.Item>
          <Form.Item
            name="password"
            label={t("users.firstPassword")}
            extra={t("users.firstPasswordHint")}
            rules={[{ min: LEAST_PASSWORD, message: t("form.tooShort", { n: LEAST_PASSWORD }) }]}
          >
            <Input.Password autoComplete="new-password" maxLength={1000} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
