import { App, Button } from "antd";
import { Link } from "react-router";
import { useOwners } from "../../api/administration.ts";
import type { Rebuild } from "../../api/contract.ts";
import { useCancelRebuild, useRebuilds } from "../../api/lineage.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, type UrlState, useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const STATES = ["open", "done", "cancelled"] as const;
const TONES = { open: "tone-high", done: "tone-good", cancelled: "tone-other" } as const;
const TWO_LINES_PX = 48;
const SHOWN_NAME = 60;
const SHOWN_FINDINGS = 3;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const filters = given({ state: url.oneOf("state", STATES), owner: url.integer("owner") });
  const rows = useRebuilds(filters);
  const columns = useColumns();
  const filtered = Object.keys(filters).length > 0;
  return (
    <Frame title={t("rebuilds.title")} lead={t("rebuilds.lead")} fill>
      <Filters url={url} />
      <DataTable
        label={t("rebuilds.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={
          filtered ? (
            <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
          ) : (
            <EmptyState title={t("rebuilds.emptyTitle")} hint={t("rebuilds.emptyHint")} />
          )
        }
        fill
      />
    </Frame>
  );
}

function Filters({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  return (
    <search className="filters">
      <ChoiceFilter
        state={url}
        name="state"
        label={t("filters.state")}
        options={STATES.map((value) => ({ value, label: t(`rebuildState.${value}`) }))}
      />
      {useMay()("admin:read") ? <OwnerFilter url={url} /> : null}
    </search>
  );
}

function OwnerFilter({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  const options = useOwners().items.map(({ id, name }) => ({ value: String(id), label: visible(name, SHOWN_NAME) }));
  return <ChoiceFilter state={url} name="owner" label={t("images.owner")} options={options} width={200} searchable />;
}

function useColumns(): readonly Column<Rebuild>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "repository",
      title: t("risks.repository"),
      cell: ({ repository, owner }) => (
        <TwoLines second={<SafeText value={owner?.name} />}>
          <Link to={`/images?repository=${encodeURIComponent(repository.name)}`}>
            <SafeText value={`${repository.registry}/${repository.name}`} />
          </Link>
        </TwoLines>
      ),
    },
    { key: "base", title: t("rebuilds.base"), cell: ({ base }) => <Base base={base} /> },
    {
      key: "findings",
      title: t("rebuilds.findings"),
      width: 190,
      cell: ({ findings }) => (
        <TwoLines second={t("rebuilds.findingCount", { n: findings.length })}>
          <SafeText value={findings.slice(0, SHOWN_FINDINGS).join(", ")} />
        </TwoLines>
      ),
    },
    { key: "state", title: t("filters.state"), width: 160, cell: (task) => <State task={task} /> },
    {
      key: "opened",
      title: t("rebuilds.opened"),
      width: 130,
      cell: ({ openedAt }) => <span title={format.time(openedAt)}>{format.ago(openedAt)}</span>,
    },
    { key: "actions", title: t("actions"), width: 100, numeric: true, cell: (task) => <Cancel task={task} /> },
  ];
}

/** The base as it was and as it is now: by tag, and the two digests on hovering. */
function Base({ base }: { readonly base: Rebuild["base"] }) {
  const { t } = useSpeech();
  const short = (digest: string) => digest.slice(7, 19);
  return (
    <TwoLines second={<SafeText value={t("rebuilds.fromTo", { from: short(base.from), to: short(base.to) })} mono />}>
      <Link to={`/images/${encodeURIComponent(base.to)}`}>
        <SafeText value={`${base.registry}/${base.repository}:${base.tag}`} />
      </Link>
    </TwoLines>
  );
}

function State({ task }: { readonly task: Rebuild }) {
  const { t } = useSpeech();
  return (
    <span className="chips">
      <span className={`tag ${TONES[task.state]}`}>{t(`rebuildState.${task.state}`)}</span>
      {task.reopened === 0 ? null : (
        <span className="tag tone-critical">{t("rebuilds.reopened", { n: task.reopened })}</span>
      )}
    </span>
  );
}

function Cancel({ task }: { readonly task: Rebuild }) {
  const { t } = useSpeech();
  const { modal } = App.useApp();
  const cancel = useCancelRebuild();
  if (!useMay()("findings:write") || task.state !== "open") return null;
  const name = visible(task.repository.name, SHOWN_NAME);
  const ask = () =>
    void modal.confirm({
      title: t("rebuilds.cancelTitle", { name }),
      content: t("rebuilds.cancelHint"),
      okText: t("rebuilds.cancel"),
      onOk: () => cancel.mutateAsync(task.id),
    });
  return (
    <Button size="small" onClick={ask} aria-label={t("rebuilds.cancelTitle", { name })}>
      {t("rebuilds.cancel")}
    </Button>
  );
}
