import { useCallback } from "react";
import type { Stock } from "../../api/contract.ts";
import { useStock } from "../../api/programmes.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { countAxes } from "../../components/count-axes.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Panel } from "../../components/page.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const HEIGHT_PX = 300;

/** Risks that were open on a day, and how they are worked off since. */
export function OldRisk({ since }: { readonly since: string }) {
  const { t } = useSpeech();
  const stock = useStock(since);
  return (
    <Loaded query={stock}>
      {(data) =>
        data.start === 0 ? (
          <EmptyState title={t("programmes.noStock")} hint={t("programmes.noStockHint")} />
        ) : (
          <Content stock={data} />
        )
      }
    </Loaded>
  );
}

function Content({ stock }: { readonly stock: Stock }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      ...countAxes(
        palette,
        stock.days.map(({ day }) => format.date(day)),
        format.number,
      ),
      series: [
        line(
          t("programmes.open"),
          palette.high,
          stock.days.map(({ open }) => open),
          true,
        ),
        line(
          t("programmes.critical"),
          palette.critical,
          stock.days.map(({ critical }) => critical),
          true,
        ),
        line(
          t("programmes.newer"),
          palette.accent,
          stock.days.map(({ newer }) => newer),
          false,
        ),
      ],
    }),
    [stock, t, format],
  );
  return (
    <Panel title={t("programmes.stockWhat")}>
      <div className="figures">
        <Figure name={t("programmes.start", { day: format.date(stock.since) })} value={format.number(stock.start)} />
        <Figure
          name={t("programmes.open")}
          value={format.number(stock.open)}
          tone={stock.open > 0 ? "warn" : undefined}
        />
        <Figure
          name={t("programmes.cleared")}
          value={stock.cleared === null ? t("none") : format.percent(stock.cleared)}
        />
      </div>
      <Chart
        label={t("programmes.stockLabel", { start: stock.start, open: stock.open })}
        height={HEIGHT_PX}
        option={option}
      />
    </Panel>
  );
}

function line(name: string, color: string, data: readonly number[], isFilled: boolean) {
  return {
    ...{ name, color, type: "line", data: [...data], showSymbol: data.length === 1 },
    ...(isFilled ? { areaStyle: { opacity: 0.12 } } : { lineStyle: { type: "dashed" } }),
  };
}
