import { App, Button, Switch } from "antd";
import type { Channel } from "../../api/contract.ts";
import { useChangeChannel, useChannels, useDeleteChannel, useTestChannel } from "../../api/notifications.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { AddChannel, EditChannel } from "./channel-form.tsx";

const TWO_LINES_PX = 48;

export function Channels() {
  const { t, nameOf } = useSpeech();
  const rows = useChannels();
  const may = useMay()("notifications:write");
  const columns: readonly Column<Channel>[] = [
    { key: "name", title: t("channels.name"), cell: ({ name }) => <SafeText value={name} /> },
    { key: "kind", title: t("filters.kind"), width: 140, cell: ({ kind }) => nameOf("channelKind", kind) },
    { key: "address", title: t("channels.address"), cell: ({ address }) => <SafeText value={address} mono /> },
    { key: "when", title: t("rules.digest"), width: 200, cell: (channel) => <When channel={channel} /> },
    { key: "enabled", title: t("channels.enabled"), width: 90, cell: (channel) => <Enabled channel={channel} /> },
    {
      key: "actions",
      title: t("actions"),
      width: 230,
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
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("channels.emptyTitle")} hint={t("channels.emptyHint")} />}
      />
    </div>
  );
}

/** When messages are sent: gathered or at once, and the hours of quiet. */
function When({ channel: { settings } }: { readonly channel: Channel }) {
  const { t, nameOf } = useSpeech();
  const { digest = "none", quietFrom, quietTo } = settings;
  const isQuiet = quietFrom !== undefined && quietTo !== undefined;
  return (
    <TwoLines second={isQuiet ? t("channels.quiet", { from: quietFrom, to: quietTo }) : ""}>
      <span>{nameOf("digest", digest)}</span>
    </TwoLines>
  );
}

function Enabled({ channel }: { readonly channel: Channel }) {
  const { t } = useSpeech();
  const change = useChangeChannel();
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
      <EditChannel channel={channel} />
      <DeleteButton
        name={channel.name}
        hint={t("channels.deleteHint")}
        onDelete={() => remove.mutateAsync(channel.id)}
      />
    </span>
  );
}
