import { App, Button, Drawer } from "antd";
import { manifestsAddress, useCleanupItems, useRestoreItem } from "../../api/cleanups.ts";
import type { CleanupItem } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const WIDTH_PX = 940;
const TWO_LINES_PX = 48;
const TONES: Readonly<Record<CleanupItem["state"], string>> = {
  waiting: "tone-other",
  deleted: "tone-high",
  kept: "tone-good",
  failed: "tone-critical",
  restored: "tone-low",
};

interface Props {
  readonly id: number | undefined;
  readonly onClose: () => void;
}

/** Each image of a cleanup: what became of it, its manifests, and the way back. */
export function CleanupDrawer({ id, onClose }: Props) {
  const { t } = useSpeech();
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      size={WIDTH_PX}
      destroyOnHidden
      title={t("unused.items")}
      closable={{ "aria-label": t("close") }}
    >
      {id === undefined ? null : <Items id={id} />}
    </Drawer>
  );
}

function Items({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const rows = useCleanupItems(id);
  const columns = useColumns();
  return (
    <DataTable
      label={t("unused.items")}
      rows={rows}
      columns={columns}
      rowKey={(item) => item.id}
      rowHeight={TWO_LINES_PX}
      empty={<EmptyState title={t("unused.emptyTitle")} hint={t("unused.emptyHint")} />}
    />
  );
}

function useColumns(): readonly Column<CleanupItem>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "image",
      title: t("images.image"),
      cell: ({ registry, repository, tags, digest }) => (
        <TwoLines second={<SafeText value={tags.length === 0 ? digest : tags.join(", ")} />}>
          <SafeText value={`${registry}/${repository}`} />
        </TwoLines>
      ),
    },
    {
      key: "state",
      title: t("filters.state"),
      width: 220,
      cell: ({ state, why }) => (
        <span className="two-lines">
          <span>
            <span className={`tag ${TONES[state]}`}>{t(`cleanupItem.${state}`)}</span>
          </span>
          {why === "" ? null : (
            <span className="second">
              <SafeText value={nameOf("cleanupWhy", why)} />
            </span>
          )}
        </span>
      ),
    },
    {
      key: "size",
      title: t("images.size"),
      width: 90,
      numeric: true,
      cell: ({ sizeBytes }) => format.bytes(sizeBytes),
    },
    { key: "actions", title: t("actions"), width: 190, numeric: true, cell: (item) => <Actions item={item} /> },
  ];
}

function Actions({ item }: { readonly item: CleanupItem }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const restore = useRestoreItem();
  const may = useMay()("images:write");
  if (item.state !== "deleted") return null;
  const send = () =>
    restore.mutate(item.id, {
      onSuccess: () => void message.success(t("unused.restored")),
      onError: (error) => void message.error(explain(error).title),
    });
  return (
    <span className="row-actions">
      <Button size="small" href={manifestsAddress(item.id)} download>
        {t("unused.manifests")}
      </Button>
      {may ? (
        <Button size="small" loading={restore.isPending} onClick={send}>
          {t("unused.restore")}
        </Button>
      ) : null}
    </span>
  );
}
