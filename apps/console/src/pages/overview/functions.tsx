import { useAssetCounts } from "../../api/assets.ts";
import type { Overview } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { Figure } from "../../components/figure.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { Card } from "./card.tsx";
import { Detect, Respond } from "./runtime.tsx";

/** One card per function: identify, protect, detect, respond, recover. */
export function Functions({ data }: { readonly data: Overview }) {
  return (
    <div className="functions">
      <Identify data={data.identify} />
      <Protect data={data.protect} />
      <Detect />
      <Respond data={data.respond} />
      <Recover data={data.recover} />
    </div>
  );
}

function Identify({ data }: { readonly data: Overview["identify"] }) {
  const { t, format } = useSpeech();
  const { number } = format;
  const unscanned = data.images - data.scanned;
  const assets = useAssetCounts(useMay()("runtime:read")).data;
  // Hosts whose images were scanned and nodes with a sensor are mostly the same machines.
  const hosts = Math.max(data.hosts, assets?.nodes ?? 0);
  return (
    <Card name={t("csf.identify")} hint={t("csf.identifyHint")} wide>
      <div className="figures">
        <Figure name={t("overview.images")} value={number(data.images)} to="/images" />
        <Figure
          name={t("overview.unscanned")}
          value={number(unscanned)}
          to="/images?state=known"
          tone={unscanned > 0 ? "warn" : undefined}
        />
        <Figure name={t("overview.repositories")} value={number(data.repositories)} />
        <Figure name={t("overview.registries")} value={number(data.registries)} to="/registries" />
        <Figure name={t("overview.layers")} value={number(data.layers)} />
        <Figure name={t("overview.packages")} value={number(data.packages)} to="/packages" />
        <Figure
          name={t("overview.hosts")}
          value={number(hosts)}
          {...(assets === undefined ? {} : { to: "/assets?tab=hosts" })}
        />
        {assets === undefined ? null : (
          <Figure name={t("asset.containers")} value={number(assets.containers ?? 0)} to="/assets?running=true" />
        )}
        <Figure
          name={t("overview.unowned")}
          value={number(data.unowned)}
          tone={data.unowned > 0 ? "warn" : undefined}
        />
      </div>
    </Card>
  );
}

function Protect({ data }: { readonly data: Overview["protect"] }) {
  const { t, format } = useSpeech();
  const { number } = format;
  const bad = (value: number) => (value > 0 ? "bad" : undefined);
  return (
    <Card name={t("csf.protect")} hint={t("csf.protectHint")} wide>
      <div className="figures">
        <Figure
          name={t("severity.critical")}
          value={number(data.critical)}
          tone={bad(data.critical)}
          to="/vulnerabilities?severity=critical"
        />
        <Figure name={t("severity.high")} value={number(data.high)} to="/vulnerabilities?severity=high" />
        <Figure
          name={t("overview.exploited")}
          value={number(data.exploited)}
          tone={bad(data.exploited)}
          to="/vulnerabilities?exploited=true"
        />
        <Figure name={t("overview.fixable")} value={number(data.fixable)} to="/vulnerabilities?fixable=true" />
        <Figure name={t("overview.secrets")} value={number(data.secrets)} to="/images?kind=secret" />
        <Figure
          name={t("overview.malware")}
          value={number(data.malware)}
          tone={bad(data.malware)}
          to="/images?kind=malware"
        />
        <Figure
          name={t("overview.misconfigurations")}
          value={number(data.misconfigurations)}
          to="/images?kind=misconfiguration"
        />
      </div>
    </Card>
  );
}

function Recover({ data }: { readonly data: Overview["recover"] }) {
  const { t, format } = useSpeech();
  const { number } = format;
  const days = data.meanDaysToFix;
  return (
    <Card name={t("csf.recover")} hint={t("csf.recoverHint")}>
      <div className="figures">
        <Figure name={t("overview.fixed30")} value={number(data.fixed30Days)} to="/risks?state=fixed" />
        <Figure name={t("overview.reopened")} value={number(data.reopened)} to="/risks?state=reopened" />
        <Figure
          name={t("overview.meanDays")}
          value={days === null ? t("none") : t("days", { n: Math.round(days * 10) / 10 })}
        />
      </div>
    </Card>
  );
}
