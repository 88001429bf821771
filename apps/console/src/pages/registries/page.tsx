import { App, Button, Tooltip } from "antd";
import { Link } from "react-router";
import type { Registry } from "../../api/contract.ts";
import { useDeleteRegistry, useRegistries, useSyncRegistry } from "../../api/registries.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { ConnectDrawer } from "./connect-drawer.tsx";
import { EditRegistry } from "./edit-registry.tsx";
import { WebhookButton } from "./webhook-button.tsx";

const TONES: Readonly<Record<string, string>> = {
  new: "tone-other",
  syncing: "tone-low",
  ok: "tone-good",
  failed: "tone-critical",
};
const TWO_LINES_PX = 48;
const SHOWN_CHARACTERS = 300;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const rows = useRegistries();
  const columns = useColumns();
  const mayConnect = useMay()("registries:write");
  const connect = mayConnect ? (
    <Button type="primary" onClick={() => url.set({ connect: "new" })}>
      {t("registries.connect")}
    </Button>
  ) : null;
  return (
    <Frame title={t("registries.title")} lead={t("registries.lead")} actions={connect} fill>
      <DataTable
        label={t("registries.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("registries.emptyTitle")} hint={t("registries.emptyHint")} action={connect} />}
        fill
      />
      <ConnectDrawer
        open={mayConnect && url.value("connect") === "new"}
        onClose={() => url.set({ connect: undefined })}
      />
    </Frame>
  );
}

function useColumns(): readonly Column<Registry>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "name",
      title: t("registries.name"),
      cell: ({ name, address }) => (
        <TwoLines second={<SafeText value={address} mono />}>
          <SafeText value={name} />
        </TwoLines>
      ),
    },
    { key: "kind", title: t("registries.kind"), width: 118, cell: ({ kind }) => t(`registryKind.${kind}`) },
    { key: "state", title: t("filters.state"), width: 100, cell: (registry) => <State registry={registry} /> },
    {
      key: "repositories",
      title: t("overview.repositories"),
      width: 118,
      numeric: true,
      cell: ({ id, repositories }) => <Link to={`/repositories?registry=${id}`}>{format.number(repositories)}</Link>,
    },
    { key: "images", title: t("nav.images"), width: 84, numeric: true, cell: ({ images }) => format.number(images) },
    { key: "sync", title: t("registries.lastSync"), width: 130, cell: ({ syncedAt }) => format.ago(syncedAt) },
    { key: "actions", title: t("actions"), width: 262, numeric: true, cell: (row) => <Actions registry={row} /> },
  ];
}

function State({ registry }: { readonly registry: Registry }) {
  const { nameOf } = useSpeech();
  const told = useServerTexts();
  const tone = TONES[registry.state] ?? "tone-other";
  const tag = <span className={`tag ${tone}`}>{nameOf("registryState", registry.state)}</span>;
  if (registry.problem === "") return tag;
  return <Tooltip title={visible(told.problem(registry.problem), SHOWN_CHARACTERS)}>{tag}</Tooltip>;
}

function Actions({ registry }: { readonly registry: Registry }) {
  const { t } = useSpeech();
  const { modal } = App.useApp();
  const sync = useSyncRegistry();
  const remove = useDeleteRegistry();
  if (!useMay()("registries:write")) return null;
  const ask = () =>
    void modal.confirm({
      title: t("registries.deleteTitle", { name: visible(registry.name, 60) }),
      content: t("registries.deleteHint"),
      okText: t("delete"),
      okButtonProps: { danger: true },
      onOk: () => remove.mutateAsync(registry.id),
    });
  return (
    <span className="row-actions">
      <Button size="small" loading={sync.isPending} onClick={() => sync.mutate(registry.id)}>
        {t("registries.sync")}
      </Button>
      {registry.kind === "local" ? null : (
        <>
          <EditRegistry registry={registry} />
          <WebhookButton registry={registry} />
        </>
      )}
      <Button size="small" danger onClick={ask}>
        {t("delete")}
      </Button>
    </span>
  );
}
