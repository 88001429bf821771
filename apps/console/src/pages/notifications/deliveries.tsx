import type { Delivery } from "../../api/contract.ts";
import { useDeliveries } from "../../api/notifications.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const TONES = { waiting: "tone-other", delivered: "tone-good", failed: "tone-critical" } as const;

/** What was sent, and what did not arrive. */
export function Deliveries() {
  const { t, format } = useSpeech();
  const rows = useDeliveries();
  const columns: readonly Column<Delivery>[] = [
    { key: "at", title: t("deliveries.at"), width: 180, cell: ({ at }) => format.time(at) },
    { key: "subject", title: t("deliveries.subject"), cell: ({ subject }) => <SafeText value={subject} /> },
    { key: "channel", title: t("rules.channel"), width: 170, cell: ({ channel }) => <SafeText value={channel} /> },
    {
      key: "state",
      title: t("filters.state"),
      width: 110,
      cell: ({ state }) => <span className={`tag ${TONES[state]}`}>{t(`deliveryState.${state}`)}</span>,
    },
    {
      key: "attempts",
      title: t("jobs.attempts"),
      width: 90,
      numeric: true,
      cell: (row) => format.number(row.attempts),
    },
    { key: "problem", title: t("jobs.problem"), cell: ({ problem }) => <SafeText value={problem} /> },
  ];
  return (
    <DataTable
      label={t("notifications.deliveries")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      empty={<EmptyState title={t("deliveries.emptyTitle")} hint={t("deliveries.emptyHint")} />}
    />
  );
}
