import type { TeamScore } from "../../api/contract.ts";
import { useTeamScores } from "../../api/programmes.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;
const SORTS = ["-rate", "rate", "-golden", "golden", "-risks", "risks", "-images", "images"] as const;

/** Teams beside one another. */
export function Teams() {
  const { t } = useSpeech();
  const url = useUrlState();
  const sort = url.oneOf("sort", SORTS) ?? "-risks";
  const teams = useTeamScores();
  const columns = useColumns();
  return (
    <Loaded query={teams}>
      {({ items }) => (
        <DataTable
          label={t("programmes.teams")}
          rows={rowsOf(sorted(items, sort))}
          columns={columns}
          rowKey={({ owner }) => owner?.id ?? 0}
          rowHeight={TWO_LINES_PX}
          sort={sort}
          onSort={(next) => url.set({ sort: next })}
          empty={<EmptyState title={t("programmes.noTeams")} hint={t("programmes.noTeamsHint")} />}
        />
      )}
    </Loaded>
  );
}

function sorted(items: readonly TeamScore[], sort: string): readonly TeamScore[] {
  const values: Readonly<Record<string, (row: TeamScore) => number>> = {
    rate: ({ rate }) => rate ?? -1,
    golden: ({ goldenShare }) => goldenShare ?? -1,
    risks: ({ risksOwn, risksBase }) => risksOwn + risksBase,
    images: ({ images }) => images,
  };
  const value = values[sort.replace("-", "")] ?? (() => 0);
  const direction = sort.startsWith("-") ? -1 : 1;
  return items.toSorted((a, b) => direction * (value(a) - value(b)));
}

function useColumns(): readonly Column<TeamScore>[] {
  const { t, format } = useSpeech();
  const share = (value: number | null) =>
    value === null ? <span className="quiet">{t("none")}</span> : format.percent(value);
  return [
    {
      key: "owner",
      title: t("images.owner"),
      cell: ({ owner }) =>
        owner === null ? <span className="quiet">{t("bases.noOwner")}</span> : <SafeText value={owner.name} />,
    },
    {
      key: "images",
      title: t("nav.images"),
      width: 100,
      sort: "images",
      numeric: true,
      cell: ({ images }) => format.number(images),
    },
    {
      key: "rate",
      title: t("programmes.rate"),
      width: 120,
      sort: "rate",
      numeric: true,
      cell: ({ rate }) => share(rate),
    },
    {
      key: "golden",
      title: t("programmes.onGolden"),
      width: 170,
      sort: "golden",
      numeric: true,
      cell: ({ goldenShare }) => share(goldenShare),
    },
    {
      key: "risks",
      title: t("nav.risks"),
      width: 190,
      sort: "risks",
      cell: ({ risksOwn, risksBase, overdue }) => (
        <span className="two-lines">
          <span>{t("programmes.risks", { own: risksOwn, base: risksBase })}</span>
          <span className={`second${overdue > 0 ? " bad" : ""}`}>{t("programmes.overdue", { n: overdue })}</span>
        </span>
      ),
    },
    {
      key: "rebuilds",
      title: t("nav.rebuilds"),
      width: 110,
      numeric: true,
      cell: ({ rebuildsOpen }) => format.number(rebuildsOpen),
    },
    {
      key: "days",
      title: t("programmes.meanDays"),
      width: 130,
      numeric: true,
      cell: ({ meanDaysToFix }) => (meanDaysToFix === null ? t("none") : t("days", { n: Math.round(meanDaysToFix) })),
    },
    {
      key: "reopened",
      title: t("programmes.reopened"),
      width: 120,
      numeric: true,
      cell: ({ reopened }) => format.number(reopened),
    },
  ];
}
