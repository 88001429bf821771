import { Form, Input, Select } from "antd";
import { Link } from "react-router";
import { useAccounts, useAddOwner, useDeleteOwner, useOwners, useSetMembers } from "../../api/administration.ts";
import type { Owner } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SHOWN_NAME = 60;

interface Entered {
  readonly name: string;
  readonly email?: string;
}

export function Page() {
  const { t, format } = useSpeech();
  const rows = useOwners();
  const remove = useDeleteOwner();
  const may = useMay()("admin:write");
  const columns: readonly Column<Owner>[] = [
    {
      key: "name",
      title: t("owners.name"),
      cell: ({ id, name }) => (
        <Link to={`/images?owner=${id}`}>
          <SafeText value={name} />
        </Link>
      ),
    },
    { key: "email", title: t("owners.email"), cell: ({ email }) => <SafeText value={email} /> },
    {
      key: "accounts",
      title: t("owners.members"),
      width: 110,
      numeric: true,
      cell: ({ accounts }) => format.number(accounts.length),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 190,
      numeric: true,
      cell: (owner) =>
        may ? (
          <span className="row-actions">
            <Members owner={owner} />
            <DeleteButton
              name={owner.name}
              hint={t("owners.deleteHint")}
              onDelete={() => remove.mutateAsync(owner.id)}
            />
          </span>
        ) : null,
    },
  ];
  return (
    <Frame title={t("owners.title")} lead={t("owners.lead")} actions={may ? <AddOwner /> : null} fill>
      <DataTable
        label={t("owners.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("owners.emptyTitle")} hint={t("owners.emptyHint")} />}
        fill
      />
    </Frame>
  );
}

function AddOwner() {
  const { t } = useSpeech();
  const add = useAddOwner();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <FormModal<Entered>
      title={t("owners.add")}
      submit={t("save")}
      sending={add.isPending}
      onSubmit={(values, close) => add.mutate(values, { onSuccess: close })}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("owners.name")} extra={t("owners.nameHint")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="email" label={t("owners.email")} rules={[{ type: "email", message: t("form.email") }]}>
            <Input type="email" maxLength={200} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

/** Who belongs to an owner: developers see only what their owners have. */
function Members({ owner }: { readonly owner: Owner }) {
  const { t } = useSpeech();
  const accounts = useAccounts();
  const change = useSetMembers();
  return (
    <FormModal<{ readonly accounts: number[] }>
      title={t("owners.members")}
      submit={t("save")}
      initial={{ accounts: owner.accounts }}
      sending={change.isPending}
      onSubmit={(values, close) => change.mutate({ id: owner.id, ...values }, { onSuccess: close })}
      small
    >
      {() => (
        <Form.Item name="accounts" label={t("owners.members")} extra={t("users.ownersHint")}>
          <Select
            mode="multiple"
            options={accounts.items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))}
          />
        </Form.Item>
      )}
    </FormModal>
  );
}
