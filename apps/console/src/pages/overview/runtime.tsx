import { Link } from "react-router";
import { useAlertCounts } from "../../api/alerts.ts";
import { useAssetCounts } from "../../api/assets.ts";
import type { Overview } from "../../api/contract.ts";
import { useNodes } from "../../api/nodes.ts";
import { useResponses } from "../../api/responses.ts";
import { useMay } from "../../api/session.ts";
import { Figure } from "../../components/figure.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { Card } from "./card.tsx";

const LESSER = ["medium", "low", "negligible", "unknown"] as const;
const UNDER_WAY = "queued,sent";

/** What sensors see now: open alerts, and whether the sensors themselves see everything. */
export function Detect() {
  const { t } = useSpeech();
  const mayRead = useMay()("runtime:read");
  const assets = useAssetCounts(mayRead);
  return (
    <Card name={t("csf.detect")} hint={t("csf.detectHint")}>
      {mayRead ? null : <p className="quiet">{t("overview.noDetectScope")}</p>}
      {assets.data === undefined ? null : (assets.data.nodes ?? 0) === 0 ? (
        <NobodyWatches />
      ) : (
        <Seen nodes={assets.data.nodes ?? 0} connected={assets.data.connectedNodes ?? 0} />
      )}
    </Card>
  );
}

function NobodyWatches() {
  const { t } = useSpeech();
  const may = useMay();
  return (
    <div className="uncovered">
      <span className="tag tone-medium">{t("overview.notCoveredTag")}</span>
      <p>{t("overview.detectMissing")}</p>
      {may("admin:write") ? <Link to="/nodes?tab=tokens">{t("sensor.makeToken")}</Link> : null}
    </div>
  );
}

function Seen({ nodes, connected }: { readonly nodes: number; readonly connected: number }) {
  const { t, format } = useSpeech();
  const counts = useAlertCounts().data;
  const open = counts?.open ?? {};
  const sensors = useNodes();
  const lost = sensors.items.reduce((sum, node) => sum + node.lost, 0);
  const lesser = LESSER.reduce((sum, severity) => sum + (open[severity] ?? 0), 0);
  // What was not read is no zero.
  const alerts = (count: number) => (counts === undefined ? t("none") : format.number(count));
  const isLostKnown = !sensors.loading && sensors.error === null;
  return (
    <div className="figures">
      {(["critical", "high"] as const).map((severity) => (
        <Figure
          key={severity}
          name={t("overview.alertsOpen", { severity: t(`severity.${severity}`) })}
          value={alerts(open[severity] ?? 0)}
          tone={(open[severity] ?? 0) === 0 ? undefined : severity === "critical" ? "bad" : "warn"}
          to={`/alerts?severities=${severity}`}
        />
      ))}
      <Figure name={t("overview.lesserAlerts")} value={alerts(lesser)} to={`/alerts?severities=${LESSER.join(",")}`} />
      <Figure
        name={t("overview.nodesConnected")}
        value={t("overview.nodesOf", { n: connected, all: nodes })}
        tone={connected < nodes ? "warn" : undefined}
        to="/nodes"
      />
      <Figure
        name={t("overview.lost")}
        value={isLostKnown ? `${format.number(lost)}${sensors.hasMore ? "+" : ""}` : t("none")}
        tone={lost > 0 ? "bad" : undefined}
        to="/nodes"
      />
    </div>
  );
}

/** What people and nodes are doing about flaws and attacks. */
export function Respond({ data }: { readonly data: Overview["respond"] }) {
  const { t, format } = useSpeech();
  const { number } = format;
  const mayRead = useMay()("responses:read");
  return (
    <Card name={t("csf.respond")} hint={t("csf.respondHint")}>
      <div className="figures">
        <Figure name={t("overview.openRisks")} value={number(data.open)} to="/risks?state=open" />
        <Figure
          name={t("overview.overdue")}
          value={number(data.overdue)}
          tone={data.overdue > 0 ? "bad" : undefined}
          to="/risks?overdue=true"
        />
        <Figure name={t("overview.cases")} value={number(data.cases)} to="/cases" />
        {mayRead ? <ResponseFigures /> : null}
      </div>
    </Card>
  );
}

function ResponseFigures() {
  const { t } = useSpeech();
  const waiting = useCount("waiting");
  const underWay = useCount(UNDER_WAY);
  return (
    <>
      <Figure
        name={t("overview.waiting")}
        value={waiting}
        tone={/^[1-9]/.test(waiting) ? "warn" : undefined}
        to="/responses?state=waiting"
      />
      <Figure name={t("overview.responding")} value={underWay} to="/responses" />
    </>
  );
}

/** Responses in these states; where there are more than one page, at least so many. */
function useCount(states: string): string {
  const { t, format } = useSpeech();
  const { items, hasMore, loading, error } = useResponses({ states });
  return loading || error !== null ? t("none") : `${format.number(items.length)}${hasMore ? "+" : ""}`;
}
