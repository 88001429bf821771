import { SEVERITIES } from "@bulwark/model";
import { Checkbox, Form, Input, Select } from "antd";
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
import { SeverityTag } from "../../components/severity.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const GRADES = ["critical", "high", "medium", "low"] as const;
const KINDS = ["vulnerability", "secret", "malware", "webshell", "misconfiguration"] as const;
const EVENTS = [
  "risk.opened",
  "risk.reopened",
  "risk.overdue",
  "risk.fixed",
  "risk.acceptance-asked",
  "risk.acceptance-decided",
  "case.changed",
  "job.failed",
  "registry.failed",
  "advisories.new",
  "alert.raised",
  "rebuild.opened",
  "rebuild.done",
  "golden.published",
  "golden.at-risk",
  "golden.deprecated",
  "golden.revoked",
] as const;
const SHOWN_NAME = 60;

export function Rules() {
  const { t, nameOf } = useSpeech();
  const rows = useNotificationRules();
  const owners = useOwners();
  const channels = useChannels();
  const remove = useDeleteNotificationRule();
  const may = useMay()("notifications:write");
  const columns: readonly Column<NotificationRule>[] = [
    { key: "name", title: t("rules.name"), cell: ({ name }) => <SafeText value={name} /> },
    {
      key: "severity",
      title: t("rules.from"),
      width: 130,
      cell: ({ minSeverity }) => (minSeverity === null ? t("rules.any") : <SeverityTag severity={minSeverity} />),
    },
    {
      key: "events",
      title: t("rules.events"),
      cell: ({ events }) => <SafeText value={events.map((event) => nameOf("notice", event)).join(", ")} />,
    },
    {
      key: "owners",
      title: t("images.owner"),
      width: 160,
      cell: ({ ownerIds }) => <SafeText value={namesOf(owners.items, ownerIds) || t("rules.any")} />,
    },
    {
      key: "grades",
      title: t("filters.grade"),
      width: 160,
      cell: ({ grades }) => (
        <SafeText value={grades.map((each) => nameOf("grade", each)).join(", ") || t("rules.any")} />
      ),
    },
    {
      key: "channels",
      title: t("rules.channel"),
      cell: ({ channelIds }) => <SafeText value={namesOf(channels.items, channelIds)} />,
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
      initial={{ minSeverity: "high", events: ["risk.opened", "risk.reopened", "risk.overdue"] }}
      sending={add.isPending}
      onSubmit={(values, close) => add.mutate(values, { onSuccess: close })}
    >
      {() => (
        <>
          <Form.Item name="name" label={t("rules.name")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="events" label={t("rules.events")} rules={required}>
            <Select mode="multiple" options={EVENTS.map((value) => ({ value, label: t(`notice.${value}`) }))} />
          </Form.Item>
          <Form.Item name="channelIds" label={t("rules.channel")} rules={required}>
            <Select mode="multiple" options={choices(channels.items)} />
          </Form.Item>
          <Form.Item name="minSeverity" label={t("rules.from")}>
            <Select
              allowClear
              placeholder={t("rules.any")}
              options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
            />
          </Form.Item>
          <Form.Item name="kinds" label={t("filters.kind")}>
            <Select
              mode="multiple"
              placeholder={t("rules.any")}
              options={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))}
            />
          </Form.Item>
          <Form.Item name="ownerIds" label={t("images.owner")}>
            <Select mode="multiple" placeholder={t("rules.any")} options={choices(owners.items)} />
          </Form.Item>
          <Form.Item name="grades" label={t("filters.grade")}>
            <Select
              mode="multiple"
              placeholder={t("rules.any")}
              options={GRADES.map((value) => ({ value, label: t(`grade.${value}`) }))}
            />
          </Form.Item>
          <Form.Item name="toOwner" valuePropName="checked" extra={t("rules.toOwnerHint")}>
            <Checkbox>{t("rules.toOwner")}</Checkbox>
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function namesOf(rows: readonly { readonly id: number; readonly name: string }[], ids: readonly number[]): string {
  return rows
    .filter(({ id }) => ids.includes(id))
    .map(({ name }) => name)
    .join(", ");
}
