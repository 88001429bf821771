import { Form, Input, InputNumber, Select } from "antd";
import { useOwners } from "../../api/administration.ts";
import type { NotificationRule, NotificationRuleSettings } from "../../api/contract.ts";
import {
  useAddNotificationRule,
  useChannels,
  useDeleteNotificationRule,
  useNotificationRules,
} from "../../api/notifications.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SEVERITIES, SeverityTag } from "../../components/severity.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const GRADES = ["critical", "high", "medium", "low"] as const;
const SHOWN_NAME = 60;

export function Rules() {
  const { t } = useSpeech();
  const rows = useNotificationRules();
  const remove = useDeleteNotificationRule();
  const may = useMay()("notifications:write");
  const columns: readonly Column<NotificationRule>[] = [
    { key: "name", title: t("rules.name"), cell: ({ name }) => <SafeText value={name} /> },
    {
      key: "severity",
      title: t("rules.from"),
      width: 130,
      cell: ({ minSeverity }) => <SeverityTag severity={minSeverity} />,
    },
    {
      key: "owner",
      title: t("images.owner"),
      width: 160,
      cell: ({ owner }) => (owner ? <SafeText value={owner.name} /> : t("rules.any")),
    },
    {
      key: "grade",
      title: t("filters.grade"),
      width: 130,
      cell: ({ grade }) => (grade ? t(`grade.${grade}`) : t("rules.any")),
    },
    { key: "channel", title: t("rules.channel"), cell: ({ channel }) => <SafeText value={channel} /> },
    {
      key: "digest",
      title: t("rules.digest"),
      width: 150,
      cell: ({ digestMinutes }) =>
        digestMinutes === undefined ? t("rules.atOnce") : t("rules.every", { n: digestMinutes }),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 100,
      numeric: true,
      cell: ({ id, name }) =>
        may ? <DeleteButton name={name} hint={t("rules.deleteHint")} onDelete={() => remove.mutateAsync(id)} /> : null,
    },
  ];
  return (
    <div className="stack">
      <div>{may ? <AddRule /> : null}</div>
      <DataTable
        label={t("notifications.rules")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("rules.emptyTitle")} hint={t("rules.emptyHint")} />}
      />
    </div>
  );
}

function AddRule() {
  const { t } = useSpeech();
  const add = useAddNotificationRule();
  const channels = useChannels();
  const owners = useOwners();
  const required = [{ required: true, message: t("form.required") }];
  const choices = (rows: readonly { readonly id: number; readonly name: string }[]) =>
    rows.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }));
  return (
    <FormModal<NotificationRuleSettings>
      title={t("rules.add")}
      submit={t("save")}
      initial={{ minSeverity: "high" }}
      sending={add.isPending}
      onSubmit={(values, close) => add.mutate(values, { onSuccess: close })}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("rules.name")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="channelId" label={t("rules.channel")} rules={required}>
            <Select options={choices(channels.items)} />
          </Form.Item>
          <Form.Item name="minSeverity" label={t("rules.from")} rules={required}>
            <Select options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))} />
          </Form.Item>
          <Form.Item name="ownerId" label={t("images.owner")}>
            <Select allowClear placeholder={t("rules.any")} options={choices(owners.items)} />
          </Form.Item>
          <Form.Item name="grade" label={t("filters.grade")}>
            <Select
              allowClear
              placeholder={t("rules.any")}
              options={GRADES.map((value) => ({ value, label: t(`grade.${value}`) }))}
            />
          </Form.Item>
          <Form.Item name="digestMinutes" label={t("rules.digestMinutes")} extra={t("rules.digestHint")}>
            <InputNumber min={1} max={10_080} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
