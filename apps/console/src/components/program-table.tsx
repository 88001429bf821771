import type { ReactNode } from "react";
import type { Program } from "../api/contract.ts";
import type { Rows } from "../api/paged.ts";
import { useSpeech } from "../i18n/language.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { PlaceCell } from "./place.tsx";
import { SafeText } from "./safe-text.tsx";
import { TwoLines } from "./two-lines.tsx";

interface Props {
  readonly rows: Rows<Program>;
  readonly empty: ReactNode;
  /** The place is told by what is around the table. */
  readonly placed?: boolean;
}

const TWO_LINES_PX = 48;

/** Programs that run, each once per place and user. */
export function ProgramTable({ rows, empty, placed = false }: Props) {
  const { t, format } = useSpeech();
  const columns: readonly Column<Program>[] = [
    {
      key: "program",
      title: t("assets.program"),
      cell: ({ exe, arguments: command }) => (
        <TwoLines second={<SafeText value={command} mono />}>
          <SafeText value={exe} mono />
        </TwoLines>
      ),
    },
    { key: "where", title: t("alerts.where"), width: 240, cell: (program) => <PlaceCell place={program} /> },
    { key: "user", title: t("assets.user"), width: 130, cell: ({ userName }) => <SafeText value={userName} /> },
    {
      key: "processes",
      title: t("asset.processes"),
      width: 100,
      numeric: true,
      cell: ({ processes }) => format.number(processes),
    },
  ];
  return (
    <DataTable
      label={t("asset.programs")}
      rows={rows}
      columns={columns.filter(({ key }) => key !== "where" || !placed)}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={empty}
    />
  );
}
