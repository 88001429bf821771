import { useCallback } from "react";
import type { Increment } from "../../api/contract.ts";
import { useIncrement } from "../../api/programmes.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { countAxes } from "../../components/count-axes.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Panel } from "../../components/page.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { byOwner, byWeek, rateOf } from "./weeks-of.ts";

const HEIGHT_PX = 240;

/** New images are held to the rules from a day on. */
export function NewImages({ since }: { readonly since: string }) {
  const { t } = useSpeech();
  const increment = useIncrement(since);
  return (
    <Loaded query={increment}>
      {(data) =>
        data.images === 0 ? (
          <EmptyState title={t("programmes.noImages")} hint={t("programmes.noImagesHint")} />
        ) : (
          <Content increment={data} />
        )
      }
    </Loaded>
  );
}

function Content({ increment }: { readonly increment: Increment }) {
  const { t, format } = useSpeech();
  const owners = useOwnerColumns();
  const rules = useRuleColumns();
  return (
    <div className="stack">
      <Panel title={t("programmes.incrementWhat")}>
        <div className="figures">
          <Figure name={t("programmes.newImages")} value={format.number(increment.images)} />
          <Figure
            name={t("programmes.rate")}
            value={increment.rate === null ? t("none") : format.percent(increment.rate)}
          />
          <Figure name={t("programmes.passed")} value={format.number(increment.passed)} />
          <Figure
            name={t("programmes.failed")}
            value={format.number(increment.failed)}
            tone={increment.failed > 0 ? "bad" : undefined}
          />
          <Figure name={t("programmes.waiting")} value={format.number(increment.waiting)} />
        </div>
        <Weeks increment={increment} />
      </Panel>
      <h2>{t("programmes.byOwner")}</h2>
      <DataTable
        label={t("programmes.byOwner")}
        rows={rowsOf(byOwner(increment.weeks))}
        columns={owners}
        rowKey={({ owner }) => owner?.id ?? 0}
        empty={null}
      />
      <h2>{t("programmes.rules")}</h2>
      <DataTable
        label={t("programmes.rules")}
        rows={rowsOf(increment.rules)}
        columns={rules}
        rowKey={({ rule, level }) => `${rule}|${level}`}
        empty={<EmptyState title={t("programmes.noRules")} hint={t("programmes.noRulesHint")} />}
      />
    </div>
  );
}

function Weeks({ increment }: { readonly increment: Increment }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => {
      const weeks = byWeek(increment.weeks);
      const axes = countAxes(
        palette,
        weeks.map(({ week }) => week),
        format.number,
      );
      const bar = (name: string, color: string, data: readonly number[]) => ({
        ...{ name, color, type: "bar", stack: "images", barMaxWidth: 36, data: [...data] },
      });
      return {
        ...axes,
        xAxis: { ...axes.xAxis, boundaryGap: true },
        series: [
          bar(
            t("programmes.passed"),
            palette.good,
            weeks.map(({ passed }) => passed),
          ),
          bar(
            t("programmes.failed"),
            palette.critical,
            weeks.map(({ failed }) => failed),
          ),
          bar(
            t("programmes.waiting"),
            palette.other,
            weeks.map(({ waiting }) => waiting),
          ),
        ],
      };
    },
    [increment, t, format],
  );
  return <Chart label={t("programmes.weeksLabel")} height={HEIGHT_PX} option={option} />;
}

function useOwnerColumns(): readonly Column<ReturnType<typeof byOwner>[number]>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "owner",
      title: t("images.owner"),
      cell: ({ owner }) =>
        owner === null ? <span className="quiet">{t("bases.noOwner")}</span> : <SafeText value={owner.name} />,
    },
    {
      key: "rate",
      title: t("programmes.rate"),
      width: 120,
      numeric: true,
      cell: (row) => {
        const rate = rateOf(row);
        return rate === undefined ? t("none") : format.percent(rate);
      },
    },
    {
      key: "passed",
      title: t("programmes.passed"),
      width: 120,
      numeric: true,
      cell: ({ passed }) => format.number(passed),
    },
    {
      key: "failed",
      title: t("programmes.failed"),
      width: 120,
      numeric: true,
      cell: ({ failed }) => format.number(failed),
    },
    {
      key: "waiting",
      title: t("programmes.waiting"),
      width: 130,
      numeric: true,
      cell: ({ waiting }) => format.number(waiting),
    },
  ];
}

function useRuleColumns(): readonly Column<Increment["rules"][number]>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    { key: "rule", title: t("golden.rule"), cell: ({ rule }) => <SafeText value={rule} mono /> },
    { key: "level", title: t("golden.level"), width: 150, cell: ({ level }) => nameOf("ruleLevel", level) },
    { key: "images", title: t("nav.images"), width: 120, numeric: true, cell: ({ images }) => format.number(images) },
  ];
}
