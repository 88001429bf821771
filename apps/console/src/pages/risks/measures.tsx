import { useCallback } from "react";
import type { RiskMeasures } from "../../api/contract.ts";
import { useRiskMeasures } from "../../api/risks.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "./measures.css";

const HEIGHT_PX = 118;
const TEAMS = 4;

/** How well the loop closes: before release, by age, by team. */
export function Measures() {
  const measures = useRiskMeasures();
  return (
    <Loaded query={measures} rows={3}>
      {(data) => <Shown measures={data} />}
    </Loaded>
  );
}

function Shown({ measures }: { readonly measures: RiskMeasures }) {
  const { t, format } = useSpeech();
  const { beforeRelease, meanDaysToFix } = measures;
  return (
    <div className="measures">
      <Panel title={t("measures.closure")}>
        <div className="figures">
          <Figure
            name={t("measures.rate")}
            value={beforeRelease.rate === null ? t("none") : format.percent(beforeRelease.rate)}
          />
          <Figure
            name={t("overview.meanDays")}
            value={meanDaysToFix === null ? t("none") : t("days", { n: Math.round(meanDaysToFix * 10) / 10 })}
          />
        </div>
        <p className="quiet">{t("measures.ofTotal", { n: beforeRelease.fixed, total: beforeRelease.total })}</p>
      </Panel>
      <Panel title={t("measures.age")}>
        <Ages ages={measures.byAge} />
      </Panel>
      <Panel title={t("measures.teams")}>
        {measures.byOwner.length === 0 ? <p className="quiet">{t("measures.noTeams")}</p> : null}
        <ul className="teams">
          {measures.byOwner.slice(0, TEAMS).map((team) => (
            <li key={team.owner}>
              <SafeText value={team.owner === "" ? t("about.noOwner") : team.owner} />
              <span className="number">
                {t("measures.team", { open: team.open, overdue: team.overdue, fixed: team.fixed })}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}

function Ages({ ages }: { readonly ages: RiskMeasures["byAge"] }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => {
      const names = ages.map(({ days }) => t("measures.days", { days }));
      return {
        legend: { show: false },
        grid: { left: 0, right: 0, top: 18, bottom: 0, outerBoundsMode: "same" },
        tooltip: { show: false },
        xAxis: {
          type: "category",
          data: names,
          axisTick: { show: false },
          axisLine: { show: false },
          axisLabel: { color: palette.quiet },
        },
        yAxis: { type: "value", show: false },
        series: [
          {
            type: "bar",
            barMaxWidth: 34,
            color: palette.accent,
            itemStyle: { borderRadius: [3, 3, 0, 0] },
            label: {
              show: true,
              position: "top",
              color: palette.text,
              formatter: (bar: { value: number }) => format.number(bar.value),
            },
            data: ages.map(({ open }) => open),
          },
        ],
      };
    },
    [ages, t, format],
  );
  const label = ages.map(({ days, open }) => `${t("measures.days", { days })}: ${format.number(open)}`).join(", ");
  return <Chart label={label} height={HEIGHT_PX} option={option} />;
}
