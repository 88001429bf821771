import type { ReactNode } from "react";
import type { RuntimeEventRow } from "../../api/contract.ts";
import type { Rows } from "../../api/paged.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PlaceCell } from "../../components/place.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";

interface Props {
  readonly rows: Rows<RuntimeEventRow>;
  readonly empty: ReactNode;
  readonly onOpen: (id: string) => void;
}

const TWO_LINES_PX = 46;

export function EventTable({ rows, empty, onOpen }: Props) {
  const { t } = useSpeech();
  const columns = useColumns(onOpen);
  return (
    <DataTable
      label={t("events.title")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={empty}
      fill
    />
  );
}

function useColumns(onOpen: (id: string) => void): readonly Column<RuntimeEventRow>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "time",
      title: t("event.time"),
      width: 210,
      cell: ({ id, at }) => (
        <button type="button" className="link-button number" onClick={() => onOpen(id)}>
          {format.exactTime(at)}
        </button>
      ),
    },
    {
      key: "kind",
      title: t("event.kind"),
      width: 150,
      cell: ({ type, count }) => (
        <TwoLines second={count > 1 ? t("alert.times", { n: count }) : ""}>
          <SafeText value={nameOf("eventType", type)} />
        </TwoLines>
      ),
    },
    {
      key: "process",
      title: t("event.process"),
      cell: ({ name, pid, arguments: command, exe }) => (
        <TwoLines second={<SafeText value={command === "" ? exe : command} mono />}>
          <SafeText value={name === "" ? "" : `${name} (${pid})`} />
        </TwoLines>
      ),
    },
    {
      key: "target",
      title: t("event.object"),
      cell: ({ target, port, result }) => (
        <TwoLines second={result < 0 ? t("event.refused", { error: String(-result) }) : ""}>
          <SafeText value={port > 0 ? `${target.includes(":") ? `[${target}]` : target}:${port}` : target} mono />
        </TwoLines>
      ),
    },
    { key: "where", title: t("alerts.where"), width: 190, cell: (event) => <PlaceCell place={event} /> },
  ];
}
