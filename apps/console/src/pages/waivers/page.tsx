import { App, Button } from "antd";
import type { Waiver } from "../../api/contract.ts";
import { useMay, useSession } from "../../api/session.ts";
import { useApproveWaiver, useDeleteWaiver, useWaivers } from "../../api/waivers.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { AskWaiver } from "./ask-waiver.tsx";
import { stateOf } from "./waiver-state.ts";

const TWO_LINES_PX = 48;

/** Findings that somebody takes on below a place until a day, and who approved that. */
export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const filters = given({ finding: url.value("finding"), waiting: url.value("waiting") === "true" ? true : undefined });
  const rows = useWaivers(filters);
  const columns = useColumns();
  const add = useMay()("findings:write") ? <AskWaiver /> : null;
  return (
    <Frame title={t("waivers.title")} lead={t("waivers.lead")} actions={add} fill>
      <search className="filters">
        <SearchFilter state={url} name="finding" label={t("waivers.finding")} />
        <FlagFilter state={url} name="waiting" label={t("waivers.onlyWaiting")} />
      </search>
      <DataTable
        label={t("waivers.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("waivers.emptyTitle")} hint={t("waivers.emptyHint")} action={add} />}
        fill
      />
    </Frame>
  );
}

function useColumns(): readonly Column<Waiver>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    {
      key: "finding",
      title: t("waivers.finding"),
      cell: ({ finding, path }) => (
        <TwoLines second={<SafeText value={path} mono />}>
          <SafeText value={finding} mono />
        </TwoLines>
      ),
    },
    {
      key: "place",
      title: t("waivers.place"),
      cell: ({ scope, place }) => (
        <TwoLines second={<SafeText value={place} />}>
          <span>{nameOf("waiverScope", scope)}</span>
        </TwoLines>
      ),
    },
    { key: "reason", title: t("risk.reason"), cell: ({ reason }) => <SafeText value={reason} /> },
    {
      key: "people",
      title: t("waivers.people"),
      width: 140,
      cell: ({ askedBy, approver }) => (
        <TwoLines second={approver === null ? t("waivers.nobodyYet") : <SafeText value={approver.name} />}>
          <SafeText value={askedBy.name} />
        </TwoLines>
      ),
    },
    {
      key: "state",
      title: t("waivers.state"),
      width: 130,
      cell: (waiver) => {
        const state = stateOf(waiver, new Date());
        const tone = state === "inForce" ? "good" : state === "waiting" ? "medium" : "other";
        return (
          <TwoLines second={t("waivers.to", { day: format.date(waiver.until) })}>
            <span>
              <span className={`tag tone-${tone}`}>{t(`waiverState.${state}`)}</span>
            </span>
          </TwoLines>
        );
      },
    },
    {
      key: "risks",
      title: t("nav.risks"),
      width: 64,
      numeric: true,
      cell: ({ risks }) => format.number(risks),
    },
    { key: "actions", title: t("actions"), width: 150, numeric: true, cell: (waiver) => <Actions waiver={waiver} /> },
  ];
}

function Actions({ waiver }: { readonly waiver: Waiver }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const may = useMay();
  const own = useSession().data?.account.id === waiver.askedBy.id;
  const approve = useApproveWaiver();
  const remove = useDeleteWaiver();
  const isWaiting = stateOf(waiver, new Date()) === "waiting";
  const send = () => approve.mutate(waiver.id, { onSuccess: () => void message.success(t("waivers.approved")) });
  return (
    <span className="row-actions">
      {isWaiting && may("findings:approve") && !own ? (
        <Button size="small" loading={approve.isPending} onClick={send}>
          {t("risk.approve")}
        </Button>
      ) : null}
      {may("findings:approve") || (own && may("findings:write")) ? (
        <DeleteButton
          name={waiver.finding}
          hint={t("waivers.deleteHint")}
          onDelete={() => remove.mutateAsync(waiver.id)}
        />
      ) : null}
    </span>
  );
}
