import { Link } from "react-router";
import type { Golden } from "../../api/contract.ts";
import { useGoldenImages } from "../../api/golden.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoicesFilter, SearchFilter } from "../../components/filters.tsx";
import { GoldenStateTag } from "../../components/golden-state.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { ProposeGolden } from "./propose-golden.tsx";

const STATES = ["proposed", "approved", "published", "at-risk", "deprecated", "revoked"] as const;
const TWO_LINES_PX = 48;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const filters = given({ search: url.value("search"), state: url.value("state") });
  const rows = useGoldenImages(filters);
  const columns = useColumns();
  const filtered = Object.keys(filters).length > 0;
  return (
    <Frame
      title={t("golden.title")}
      lead={t("golden.lead")}
      actions={useMay()("findings:write") ? <ProposeGolden /> : null}
      fill
    >
      <search className="filters">
        <SearchFilter state={url} name="search" label={t("golden.search")} />
        <ChoicesFilter
          state={url}
          name="state"
          label={t("filters.state")}
          options={STATES.map((value) => ({ value, label: t(`goldenState.${value}`) }))}
        />
      </search>
      <DataTable
        label={t("golden.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={
          filtered ? (
            <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
          ) : (
            <EmptyState title={t("golden.emptyTitle")} hint={t("golden.emptyHint")} />
          )
        }
        fill
      />
    </Frame>
  );
}

function useColumns(): readonly Column<Golden>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "repository",
      title: t("risks.repository"),
      cell: ({ id, repository, purpose }) => (
        <TwoLines second={<SafeText value={purpose} />}>
          <Link to={`/golden/${id}`}>
            <SafeText value={`${repository.registry}/${repository.name}`} />
          </Link>
        </TwoLines>
      ),
    },
    { key: "state", title: t("filters.state"), width: 160, cell: ({ state }) => <GoldenStateTag state={state} /> },
    {
      key: "latest",
      title: t("golden.latest"),
      width: 190,
      cell: ({ latest }) =>
        latest === null ? (
          <span className="quiet">{t("none")}</span>
        ) : (
          <TwoLines second={format.ago(latest.publishedAt)}>
            <SafeText value={latest.tag} />
          </TwoLines>
        ),
    },
    { key: "owner", title: t("images.owner"), width: 150, cell: ({ owner }) => <SafeText value={owner?.name} /> },
    {
      key: "consumers",
      title: t("golden.consumers"),
      width: 130,
      numeric: true,
      cell: ({ consumers }) => format.number(consumers),
    },
  ];
}
