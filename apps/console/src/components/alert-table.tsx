import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Alert } from "../api/contract.ts";
import type { Rows } from "../api/paged.ts";
import { useSpeech } from "../i18n/language.tsx";
import { useServerTexts } from "../i18n/server-texts.ts";
import { AlertStateTag } from "./alert-state.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { PlaceCell } from "./place.tsx";
import { SafeText } from "./safe-text.tsx";
import { SeverityTag } from "./severity.tsx";
import { TwoLines } from "./two-lines.tsx";

interface Props {
  readonly rows: Rows<Alert>;
  readonly empty: ReactNode;
  readonly fill?: boolean;
}

const TWO_LINES_PX = 48;

/** Alerts, wherever they are listed. */
export function AlertTable(props: Props) {
  const { t } = useSpeech();
  const columns = useColumns();
  return (
    <DataTable
      {...props}
      label={t("alerts.title")}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
    />
  );
}

function useColumns(): readonly Column<Alert>[] {
  const { t, format } = useSpeech();
  const told = useServerTexts();
  return [
    {
      key: "severity",
      title: t("filters.severity"),
      width: 96,
      cell: ({ severity }) => <SeverityTag severity={severity} />,
    },
    {
      key: "alert",
      title: t("alerts.alert"),
      cell: ({ id, rule, title }) => (
        <TwoLines second={<SafeText value={told.alertTitle(title)} />}>
          <Link to={`/alerts/${id}`}>
            <SafeText value={told.ruleTitle(rule)} />
          </Link>
        </TwoLines>
      ),
    },
    { key: "where", title: t("alerts.where"), width: 190, cell: (alert) => <PlaceCell place={alert} /> },
    {
      key: "state",
      title: t("filters.state"),
      width: 178,
      cell: ({ state, blocked, exposed }) => (
        <span className="chips">
          <AlertStateTag state={state} blocked={blocked} />
          {exposed ? <span className="tag tone-high">{t("container.exposed")}</span> : null}
        </span>
      ),
    },
    {
      key: "who",
      title: t("risks.assignee"),
      width: 140,
      cell: ({ assignee, owner }) => (
        <span className="two-lines">
          <SafeText value={assignee?.name} />
          {owner === null ? null : (
            <span className="second">
              <SafeText value={t("alerts.ownedBy", { owner: owner.name })} />
            </span>
          )}
        </span>
      ),
    },
    { key: "count", title: t("alerts.count"), width: 76, numeric: true, cell: ({ count }) => format.number(count) },
    {
      key: "last",
      title: t("alerts.lastSeen"),
      width: 130,
      cell: ({ lastAt }) => <span title={format.time(lastAt)}>{format.ago(lastAt)}</span>,
    },
  ];
}
