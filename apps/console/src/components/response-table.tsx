import { DownloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { SensorResponse } from "../api/contract.ts";
import type { Rows } from "../api/paged.ts";
import { evidenceAddress, useApproveResponse, useRefuseResponse, useUndoResponse } from "../api/responses.ts";
import { useMay, useSession } from "../api/session.ts";
import { useSpeech } from "../i18n/language.tsx";
import { useServerTexts } from "../i18n/server-texts.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { PlaceCell } from "./place.tsx";
import { ResponseStateTag } from "./response-state.tsx";
import { SafeText } from "./safe-text.tsx";
import { TwoLines } from "./two-lines.tsx";
import { visible } from "./visible.ts";

interface Props {
  readonly rows: Rows<SensorResponse>;
  readonly empty: ReactNode;
  /** The place is told by what is around the table. */
  readonly placed?: boolean;
  readonly fill?: boolean;
}

const TWO_LINES_PX = 52;
const SHOWN_NAME = 60;

/** What nodes were asked to do, how it stands and what came of it; with what can still be decided. */
export function ResponseTable({ rows, empty, placed = false, fill = false }: Props) {
  const { t } = useSpeech();
  const columns = useColumns().filter(({ key }) => key !== "where" || !placed);
  return (
    <DataTable
      label={t("responses.title")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={empty}
      fill={fill}
    />
  );
}

function useColumns(): readonly Column<SensorResponse>[] {
  const { t, format } = useSpeech();
  const told = useServerTexts();
  return [
    {
      key: "action",
      title: t("responses.action"),
      width: 190,
      cell: (response) => (
        <TwoLines second={<Cause response={response} />}>
          <span>{t(`responseAction.${response.action}`)}</span>
        </TwoLines>
      ),
    },
    { key: "where", title: t("alerts.where"), width: 170, cell: (response) => <PlaceCell place={response} /> },
    { key: "state", title: t("filters.state"), width: 150, cell: ({ state }) => <ResponseStateTag state={state} /> },
    {
      key: "outcome",
      title: t("responses.outcome"),
      cell: ({ detail, evidence }) => (
        <span className="two-lines">
          <SafeText value={told.outcome(detail)} />
          <Evidence pieces={evidence} />
        </span>
      ),
    },
    {
      key: "asked",
      title: t("responses.askedBy"),
      width: 170,
      cell: ({ askedBy, approvedBy, createdAt, reason }) => (
        <span className="two-lines" title={visible(reason, 300)}>
          <SafeText value={askedBy} />
          <span className="second" title={format.time(createdAt)}>
            {approvedBy === "" ? format.ago(createdAt) : <SafeText value={t("responses.by", { who: approvedBy })} />}
          </span>
        </span>
      ),
    },
    {
      key: "actions",
      title: t("actions"),
      width: 190,
      cell: (response) => <Decisions response={response} />,
    },
  ];
}

/** Why it was asked for: an alert, an automatic response, or an undoing. */
function Cause({ response }: { readonly response: SensorResponse }) {
  const { t } = useSpeech();
  if (response.undoesId !== null) return <>{t("responses.undoes", { id: String(response.undoesId) })}</>;
  if (response.alertId === null) return <>{t("responses.number", { id: String(response.id) })}</>;
  return <Link to={`/alerts/${response.alertId}`}>{t("responses.forAlert", { id: String(response.alertId) })}</Link>;
}

function Evidence({ pieces }: { readonly pieces: SensorResponse["evidence"] }) {
  const { t, format } = useSpeech();
  if (pieces.length === 0) return null;
  return (
    <span className="second evidence-links">
      {pieces.map(({ id, name, sizeBytes }) => (
        <a
          key={id}
          href={evidenceAddress(id)}
          download
          aria-label={t("responses.download", { name: visible(name, SHOWN_NAME), size: format.bytes(sizeBytes) })}
        >
          <DownloadOutlined aria-hidden="true" /> <SafeText value={name} max={SHOWN_NAME} />
        </a>
      ))}
    </span>
  );
}

function Decisions({ response }: { readonly response: SensorResponse }) {
  const { t } = useSpeech();
  const may = useMay();
  const login = useSession().data?.account.login;
  const approve = useApproveResponse();
  const refuse = useRefuseResponse();
  const undo = useUndoResponse();
  const { id, state, undoable, undoneBy, askedBy } = response;
  if (!may("responses:write")) return null;
  const isOwn = askedBy === login;
  return (
    <span className="row-actions">
      {undoneBy === null ? null : <span className="quiet">{t("responses.undone", { id: String(undoneBy) })}</span>}
      {undoable ? (
        <Button size="small" loading={undo.isPending} onClick={() => undo.mutate(id)}>
          {t("responses.undo")}
        </Button>
      ) : null}
      {state === "waiting" && may("responses:approve") ? (
        <Button
          size="small"
          type="primary"
          loading={approve.isPending}
          disabled={isOwn}
          title={isOwn ? t("responses.notOwn") : undefined}
          onClick={() => approve.mutate(id)}
        >
          {t("responses.approve")}
        </Button>
      ) : null}
      {state === "waiting" || state === "queued" ? (
        <Button size="small" loading={refuse.isPending} onClick={() => refuse.mutate(id)}>
          {t(state === "waiting" ? "responses.refuse" : "responses.takeBack")}
        </Button>
      ) : null}
    </span>
  );
}
