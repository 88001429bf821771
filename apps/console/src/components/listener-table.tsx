import type { ReactNode } from "react";
import type { Listener } from "../api/contract.ts";
import type { Rows } from "../api/paged.ts";
import { useSpeech } from "../i18n/language.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { PlaceCell } from "./place.tsx";
import { SafeText } from "./safe-text.tsx";
import { TwoLines } from "./two-lines.tsx";

interface Props {
  readonly rows: Rows<Listener>;
  readonly empty: ReactNode;
  /** The place is told by what is around the table. */
  readonly placed?: boolean;
}

const TWO_LINES_PX = 48;

/** Ports that something listens on, and what that is taken for. */
export function ListenerTable({ rows, empty, placed = false }: Props) {
  const { t } = useSpeech();
  const columns: readonly Column<Listener>[] = [
    {
      key: "port",
      title: t("assets.port"),
      width: 230,
      cell: ({ protocol, address, port }) => (
        <SafeText value={`${protocol} ${address.includes(":") ? `[${address}]` : address}:${port}`} mono />
      ),
    },
    {
      key: "exposed",
      title: t("assets.reach"),
      width: 150,
      cell: ({ exposed }) => (
        <span className={`tag ${exposed ? "tone-medium" : "tone-other"}`}>
          {t(exposed ? "assets.exposed" : "assets.local")}
        </span>
      ),
    },
    {
      key: "service",
      title: t("assets.service"),
      width: 190,
      cell: ({ kind, product }) => (
        <TwoLines second={<SafeText value={product} />}>
          <span>{t(`listenerKind.${kind}`)}</span>
        </TwoLines>
      ),
    },
    { key: "program", title: t("assets.program"), cell: ({ exe, name }) => <SafeText value={exe || name} mono /> },
    { key: "where", title: t("alerts.where"), width: 240, cell: (listener) => <PlaceCell place={listener} /> },
  ];
  return (
    <DataTable
      label={t("asset.ports")}
      rows={rows}
      columns={columns.filter(({ key }) => key !== "where" || !placed)}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={empty}
    />
  );
}
