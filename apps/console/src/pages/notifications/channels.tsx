import { App, Button, Checkbox, Form, Input, Select, Switch } from "antd";
import type { Channel, ChannelSettings } from "../../api/contract.ts";
import {
  useAddChannel,
  useChannels,
  useDeleteChannel,
  useSwitchChannel,
  useTestChannel,
} from "../../api/notifications.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const KINDS = ["webhook", "email", "slack", "dingtalk", "wecom", "feishu", "issue"] as const;

const DIGESTS = ["none", "hourly", "daily"] as const;

export function Channels() {
  const { t, nameOf } = useSpeech();
  const rows = useChannels();
  const may = useMay()("notifications:write");
  const columns: readonly Column<Channel>[] = [
    { key: "name", title: t("channels.name"), cell: ({ name }) => <SafeText value={name} /> },
    { key: "kind", title: t("filters.kind"), width: 140, cell: ({ kind }) => nameOf("channelKind", kind) },
    { key: "address", title: t("channels.address"), cell: ({ address }) => <SafeText value={address} mono /> },
    { key: "enabled", title: t("channels.enabled"), width: 90, cell: (channel) => <Enabled channel={channel} /> },
    {
      key: "actions",
      title: t("actions"),
      width: 170,
      numeric: true,
      cell: (channel) => <Actions channel={channel} />,
    },
  ];
  return (
    <div className="stack">
      <div>{may ? <AddChannel /> : null}</div>
      <DataTable
        label={t("notifications.channels")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("channels.emptyTitle")} hint={t("channels.emptyHint")} />}
      />
    </div>
  );
}

function Enabled({ channel }: { readonly channel: Channel }) {
  const { t } = useSpeech();
  const change = useSwitchChannel();
  const may = useMay()("notifications:write");
  return (
    <Switch
      size="small"
      aria-label={t("channels.enabled")}
      checked={channel.enabled}
      disabled={!may || change.isPending}
      onChange={(enabled) => change.mutate({ id: channel.id, enabled })}
    />
  );
}

function Actions({ channel }: { readonly channel: Channel }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const test = useTestChannel();
  const remove = useDeleteChannel();
  if (!useMay()("notifications:write")) return null;
  const send = () => test.mutate(channel.id, { onSuccess: () => void message.success(t("channels.sent")) });
  return (
    <span className="row-actions">
      <Button size="small" loading={test.isPending} onClick={send}>
        {t("test")}
      </Button>
      <DeleteButton
        name={channel.name}
        hint={t("channels.deleteHint")}
        onDelete={() => remove.mutateAsync(channel.id)}
      />
    </span>
  );
}

function AddChannel() {
  const { t } = useSpeech();
  const add = useAddChannel();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <FormModal<ChannelSettings>
      title={t("channels.add")}
      submit={t("save")}
      initial={{ kind: "webhook", digest: "none" }}
      sending={add.isPending}
      onSubmit={(values, close) => add.mutate(values, { onSuccess: close })}
    >
      {(form) => (
        <>
          <Form.Item name="name" label={t("channels.name")} rules={required}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="kind" label={t("filters.kind")} rules={required}>
            <Select options={KINDS.map((value) => ({ value, label: t(`channelKind.${value}`) }))} />
          </Form.Item>
          <Form.Item name="address" label={t("channels.address")} extra={t("channels.addressHint")} rules={required}>
            <Input className="mono" maxLength={2000} spellCheck={false} />
          </Form.Item>
          <Form.Item name="secret" label={t("channels.secret")} extra={t("channels.secretHint")}>
            <Input.Password autoComplete="new-password" maxLength={1000} />
          </Form.Item>
          <Form.Item noStyle dependencies={["kind"]}>
            {() => (form.getFieldValue("kind") === "email" ? <MailFields /> : null)}
          </Form.Item>
          <Form.Item name="digest" label={t("rules.digest")}>
            <Select options={DIGESTS.map((value) => ({ value, label: t(`digest.${value}`) }))} />
          </Form.Item>
          <Form.Item name="allowPrivate" valuePropName="checked" extra={t("registries.privateHint")}>
            <Checkbox>{t("registries.private")}</Checkbox>
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}

function MailFields() {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <>
      <Form.Item name="from" label={t("channels.from")} rules={required}>
        <Input type="email" maxLength={200} />
      </Form.Item>
      <Form.Item name="to" label={t("channels.to")} rules={required}>
        <Select mode="tags" tokenSeparators={[",", " "]} open={false} suffixIcon={null} />
      </Form.Item>
    </>
  );
}
