import { DownloadOutlined } from "@ant-design/icons";
import { App, Button, Segmented } from "antd";
import type { Spread } from "../../api/contract.ts";
import { SPREAD_CSV, useMeasureSpread, useSpread } from "../../api/lineage.ts";
import { useMay } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { AgeChart, DegreeChart, DepthChart } from "./bars.tsx";
import { CoverageChart } from "./coverage-chart.tsx";
import { Flaws } from "./flaws.tsx";
import { TopBases } from "./top-bases.tsx";
import "./spread.css";

const BY = ["root", "direct"] as const;

export function Page() {
  const { t, format } = useSpeech();
  const spread = useSpread();
  const lead =
    spread.data === undefined ? t("spread.lead") : t("spread.measured", { when: format.time(spread.data.measuredAt) });
  return (
    <Frame title={t("spread.title")} lead={lead} actions={<Actions />}>
      <Loaded query={spread} rows={10}>
        {(data) => <Content spread={data} />}
      </Loaded>
    </Frame>
  );
}

function Actions() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const may = useMay();
  const measure = useMeasureSpread();
  const start = () =>
    measure.mutate(undefined, {
      onSuccess: () => void message.success(t("spread.done")),
      onError: (error) => void message.error(explain(error).title),
    });
  return (
    <>
      <Button href={SPREAD_CSV} download icon={<DownloadOutlined />}>
        {t("spread.csv")}
      </Button>
      {may("images:write") ? (
        <Button type="primary" loading={measure.isPending} onClick={start}>
          {t("spread.measure")}
        </Button>
      ) : null}
    </>
  );
}

function Content({ spread }: { readonly spread: Spread }) {
  const { t, format } = useSpeech();
  const url = useUrlState();
  const by = url.oneOf("by", BY) ?? "root";
  const coverage = by === "root" ? spread.byRoot : spread.byBase;
  const half = coverage.reached[0];
  return (
    <>
      <Panel title={t("spread.images")}>
        <div className="figures">
          <Figure name={t("spread.all")} value={format.number(spread.images)} />
          <Figure name={t("spread.standing")} value={format.number(spread.standing)} />
          <Figure name={t("spread.isolated")} value={format.number(spread.isolated)} />
          <Figure name={t("spread.roots")} value={format.number(spread.roots)} />
          <Figure name={t("spread.bases")} value={format.number(spread.bases)} />
        </div>
      </Panel>
      <Panel
        title={t("spread.coverage")}
        extra={
          <Segmented
            aria-label={t("spread.by")}
            value={by}
            options={BY.map((value) => ({ value, label: t(`spreadBy.${value}`) }))}
            onChange={(value) => url.set({ by: value === "root" ? undefined : value })}
          />
        }
      >
        {half === undefined ? (
          <p className="quiet">{t("spread.nothing")}</p>
        ) : (
          <>
            <p className="spread-say">{t("spread.half", { bases: half.bases, images: coverage.images })}</p>
            <CoverageChart coverage={coverage} />
          </>
        )}
      </Panel>
      <div className="columns">
        <Panel title={t("spread.flawed")}>
          <Flaws spread={spread} />
        </Panel>
        <Panel title={t("spread.ages")}>
          <AgeChart ages={spread.ages} />
        </Panel>
        <Panel title={t("spread.depths")}>
          <DepthChart depths={spread.depths} />
        </Panel>
        <Panel title={t("spread.degrees")}>
          <DegreeChart degrees={spread.degrees} />
        </Panel>
      </div>
      <h2>{t(by === "root" ? "spread.topRoots" : "spread.topBases")}</h2>
      <TopBases top={by === "root" ? spread.topRoots : spread.topBases} images={coverage.images} />
    </>
  );
}
