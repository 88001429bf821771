import { Button } from "antd";
import { Link } from "react-router";
import { useAlertCounts } from "../../api/alerts.ts";
import { useAssetCounts } from "../../api/assets.ts";
import type { Overview } from "../../api/contract.ts";
import { useOverview } from "../../api/risks.ts";
import { useMay } from "../../api/session.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { AlertChart } from "./alert-chart.tsx";
import { Functions } from "./functions.tsx";
import { NotCovered } from "./not-covered.tsx";
import { RiskiestImages } from "./riskiest-images.tsx";
import { SeverityChart } from "./severity-chart.tsx";
import { TrendChart } from "./trend-chart.tsx";
import "./overview.css";

/** The estate at a glance, in the order of the NIST Cybersecurity Framework's functions. */
export function Page() {
  const { t } = useSpeech();
  const overview = useOverview();
  const nodes = useAssetCounts(useMay()("runtime:read")).data?.nodes ?? 0;
  return (
    <Frame title={t("overview.title")} lead={t("overview.lead")}>
      <Loaded query={overview} rows={12}>
        {(data) => (data.identify.images === 0 && nodes === 0 ? <Start /> : <Estate data={data} />)}
      </Loaded>
    </Frame>
  );
}

function Start() {
  const { t } = useSpeech();
  return (
    <EmptyState
      title={t("overview.emptyTitle")}
      hint={t("overview.emptyHint")}
      action={
        <Link to="/registries?connect=new">
          <Button type="primary">{t("registries.connect")}</Button>
        </Link>
      }
    />
  );
}

function Estate({ data }: { readonly data: Overview }) {
  const { t } = useSpeech();
  return (
    <>
      <Functions data={data} />
      <div className="overview-charts">
        <Panel title={t("overview.trend")}>
          <TrendChart trend={data.trend} />
        </Panel>
        <Panel title={t("overview.bySeverity")}>
          <SeverityChart protect={data.protect} />
        </Panel>
      </div>
      <AlertTrend />
      <div className="overview-charts">
        <Panel title={t("overview.riskiest")} extra={<Link to="/images?sort=-risk">{t("overview.allImages")}</Link>}>
          <RiskiestImages images={data.protect.topImages} />
        </Panel>
        <NotCovered areas={data.notCovered} />
      </div>
    </>
  );
}

function AlertTrend() {
  const { t } = useSpeech();
  const mayRead = useMay()("runtime:read");
  const counts = useAlertCounts(mayRead);
  if (!mayRead) return null;
  return (
    <Panel title={t("overview.alertTrend")} extra={<Link to="/alerts">{t("overview.allAlerts")}</Link>}>
      <Loaded query={counts} rows={3}>
        {({ days }) => <AlertChart days={days} />}
      </Loaded>
    </Panel>
  );
}
