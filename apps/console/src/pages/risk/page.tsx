import { Link, useParams } from "react-router";
import type { RiskDetail } from "../../api/contract.ts";
import { useRisk } from "../../api/risks.ts";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { Responsible } from "../../components/responsible.tsx";
import { RiskStateTag } from "../../components/risk-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { Actions } from "./actions.tsx";
import { History } from "./history.tsx";

const TITLE_CHARACTERS = 100;

export function Page() {
  const { t } = useSpeech();
  const id = Number(useParams().id);
  const risk = useRisk(id);
  const title = risk.data?.finding ?? t("risks.one");
  return (
    <Frame
      title={visible(title, TITLE_CHARACTERS)}
      heading={<SafeText value={title} wrap />}
      lead={<Link to="/risks">{t("risks.title")}</Link>}
      actions={risk.data === undefined ? null : <Actions risk={risk.data} />}
    >
      <Loaded query={risk}>{(data) => <Detail risk={data} />}</Loaded>
    </Frame>
  );
}

function Detail({ risk }: { readonly risk: RiskDetail }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  return (
    <>
      <p>
        <SafeText value={told.titleOf({ id: risk.finding, title: risk.title })} wrap />
      </p>
      <div className="columns">
        <Panel title={t("findings.facts")}>
          <Facts risk={risk} />
        </Panel>
        <Panel title={t("risk.history")}>
          <History risk={risk} />
        </Panel>
      </div>
    </>
  );
}

function Facts({ risk }: { readonly risk: RiskDetail }) {
  const { t, format } = useSpeech();
  return (
    <dl className="facts">
      <dt>{t("filters.state")}</dt>
      <dd>
        <span className="chips">
          <RiskStateTag state={risk.state} />
          {risk.overdue ? <span className="tag tone-critical">{t("risks.overdue")}</span> : null}
          {risk.reopened > 0 ? <span className="quiet">{t("risk.reopenedTimes", { n: risk.reopened })}</span> : null}
        </span>
      </dd>
      <dt>{t("filters.severity")}</dt>
      <dd>
        <SeverityTag severity={risk.severity} />
      </dd>
      <dt>{t("risks.repository")}</dt>
      <dd>
        <Link to={`/images?repository=${encodeURIComponent(risk.repository.name)}`}>
          <SafeText value={`${risk.repository.registry}/${risk.repository.name}`} wrap />
        </Link>
      </dd>
      <dt>{t("findings.package")}</dt>
      <dd>
        <SafeText value={risk.package === "" ? risk.path : risk.package} mono wrap />
      </dd>
      <dt>{t("findings.fixed")}</dt>
      <dd>
        <SafeText
          value={risk.fixedVersion === "" ? t("findings.noFix") : risk.fixedVersion}
          mono={risk.fixedVersion !== ""}
        />
      </dd>
      <dt>{t("risks.assignee")}</dt>
      <dd>
        <SafeText value={risk.assignee?.name} />
      </dd>
      <dt>{t("images.owner")}</dt>
      <dd>
        <SafeText value={risk.owner?.name} />
      </dd>
      <dt>{t("risk.responsible")}</dt>
      <dd>
        <Responsible responsible={risk.responsible} />
      </dd>
      <dt>{t("risks.due")}</dt>
      <dd>{format.date(risk.due)}</dd>
      <dt>{t("images.firstSeen")}</dt>
      <dd>{format.time(risk.firstSeen)}</dd>
      <dt>{t("risk.fixedAt")}</dt>
      <dd>{risk.fixedAt === null ? t("risk.notFixed") : format.time(risk.fixedAt)}</dd>
      {risk.accepted === null ? null : (
        <>
          <dt>{t("riskState.accepted")}</dt>
          <dd>
            <SafeText value={risk.accepted.reason} wrap />
            <p className="quiet">
              {risk.accepted.approvedBy === null
                ? t("risk.awaitsApproval")
                : t("risk.acceptedUntil", { until: format.date(risk.accepted.until) })}
            </p>
          </dd>
        </>
      )}
    </dl>
  );
}
