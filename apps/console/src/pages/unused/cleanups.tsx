import { App, Button } from "antd";
import { useApproveCleanup, useCleanups, useRefuseCleanup } from "../../api/cleanups.ts";
import type { Cleanup } from "../../api/contract.ts";
import { useMay, useSession } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { useExplain } from "../../components/explain.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { CleanupDrawer } from "./cleanup-drawer.tsx";

const TWO_LINES_PX = 48;
const TONES = {
  proposed: "tone-medium",
  refused: "tone-other",
  approved: "tone-low",
  done: "tone-good",
} as const;

/** Cleanups: who asked, who approved, and what became of each image. */
export function Cleanups() {
  const { t } = useSpeech();
  const url = useUrlState();
  const rows = useCleanups();
  const columns = useColumns((id) => url.set({ cleanup: String(id) }));
  return (
    <>
      <DataTable
        label={t("unused.cleanups")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("unused.noCleanupsTitle")} hint={t("unused.noCleanupsHint")} />}
      />
      <CleanupDrawer id={url.integer("cleanup")} onClose={() => url.set({ cleanup: undefined })} />
    </>
  );
}

function useColumns(onOpen: (id: number) => void): readonly Column<Cleanup>[] {
  const { t, nameOf, format } = useSpeech();
  const counts = ({ items }: Cleanup) =>
    Object.entries(items)
      .map(([state, n]) => `${nameOf("cleanupItem", state)}: ${format.number(n)}`)
      .join(" · ");
  return [
    {
      key: "cleanup",
      title: t("unused.cleanup"),
      cell: (cleanup) => (
        <TwoLines second={counts(cleanup)}>
          <button type="button" className="link-button" onClick={() => onOpen(cleanup.id)}>
            {t("unused.cleanupOf", { id: String(cleanup.id), days: cleanup.days })}
          </button>
        </TwoLines>
      ),
    },
    {
      key: "size",
      title: t("images.size"),
      width: 100,
      numeric: true,
      cell: ({ sizeBytes }) => format.bytes(sizeBytes),
    },
    {
      key: "state",
      title: t("filters.state"),
      width: 150,
      cell: ({ state }) => <span className={`tag ${TONES[state]}`}>{t(`cleanupState.${state}`)}</span>,
    },
    {
      key: "asked",
      title: t("unused.asked"),
      width: 150,
      cell: ({ askedBy, askedAt }) => (
        <TwoLines second={format.ago(askedAt)}>
          <SafeText value={askedBy.name} />
        </TwoLines>
      ),
    },
    {
      key: "decided",
      title: t("unused.decided"),
      width: 150,
      cell: ({ decidedBy, decidedAt }) => (
        <TwoLines second={decidedAt === null ? "" : format.ago(decidedAt)}>
          <SafeText value={decidedBy?.name} />
        </TwoLines>
      ),
    },
    { key: "actions", title: t("actions"), width: 190, numeric: true, cell: (cleanup) => <Decide cleanup={cleanup} /> },
  ];
}

/** Whoever proposed a cleanup does not approve it. */
function Decide({ cleanup }: { readonly cleanup: Cleanup }) {
  const { t, format } = useSpeech();
  const { modal, message } = App.useApp();
  const explain = useExplain();
  const approve = useApproveCleanup();
  const refuse = useRefuseCleanup();
  const self = useSession().data?.account.id;
  if (!useMay()("findings:approve") || cleanup.state !== "proposed") return null;
  const onError = (error: Error) => void message.error(explain(error).title);
  const ask = () =>
    void modal.confirm({
      title: t("unused.approveTitle", { size: format.bytes(cleanup.sizeBytes) }),
      content: t("unused.approveHint"),
      okText: t("unused.approve"),
      okButtonProps: { danger: true },
      onOk: () => approve.mutate(cleanup.id, { onError }),
    });
  return (
    <span className="row-actions">
      {self === cleanup.askedBy.id ? null : (
        <Button size="small" danger onClick={ask}>
          {t("unused.approve")}
        </Button>
      )}
      <Button size="small" loading={refuse.isPending} onClick={() => refuse.mutate(cleanup.id, { onError })}>
        {t("unused.refuse")}
      </Button>
    </span>
  );
}
