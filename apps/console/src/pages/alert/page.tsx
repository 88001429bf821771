import { Tabs } from "antd";
import { Link, useParams } from "react-router";
import { useAlert } from "../../api/alerts.ts";
import type { AlertDetail } from "../../api/contract.ts";
import { useResponses } from "../../api/responses.ts";
import type { AlertFacts } from "../../api/runtime-facts.ts";
import { useMay } from "../../api/session.ts";
import { AlertStateTag } from "../../components/alert-state.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { Respond } from "../../components/respond.tsx";
import type { RespondPlace } from "../../components/respond-form.tsx";
import { ResponseStateTag } from "../../components/response-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { AlertActions } from "./alert-actions.tsx";
import { AlertDetails } from "./details.tsx";
import { Hardening } from "./hardening.tsx";
import { AttackStory } from "./story.tsx";

const TABS = ["details", "story", "hardening"] as const;
const TITLE_CHARACTERS = 100;

export function Page() {
  const { t } = useSpeech();
  const told = useServerTexts();
  const id = Number(useParams().id);
  const alert = useAlert(id);
  const title = alert.data === undefined ? t("alerts.alert") : told.ruleTitle(alert.data.rule);
  return (
    <Frame
      title={visible(title, TITLE_CHARACTERS)}
      heading={<SafeText value={title} wrap />}
      lead={<Lead alert={alert.data} />}
      actions={alert.data === undefined ? null : <AlertActions alert={alert.data} />}
    >
      <Loaded query={alert}>{(data) => <Content alert={data} />}</Loaded>
    </Frame>
  );
}

function Lead({ alert }: { readonly alert: AlertDetail | undefined }) {
  const { t } = useSpeech();
  return (
    <span className="chips">
      <Link to="/alerts">{t("alerts.title")}</Link>
      {alert === undefined ? null : (
        <>
          <SeverityTag severity={alert.severity} />
          <AlertStateTag state={alert.state} blocked={alert.blocked} />
          {alert.exposed ? <span className="tag tone-high">{t("container.exposed")}</span> : null}
        </>
      )}
    </span>
  );
}

function Content({ alert }: { readonly alert: AlertDetail }) {
  const { t } = useSpeech();
  const url = useUrlState();
  const mayHarden = useMay()("runtime:read");
  const items = [
    { key: "details", label: t("alert.details"), children: <AlertDetails alert={alert} /> },
    { key: "story", label: t("alert.story"), children: <AttackStory id={alert.id} /> },
    ...(mayHarden
      ? [{ key: "hardening", label: t("benchmarks.hardening"), children: <Hardening id={alert.id} /> }]
      : []),
  ];
  return (
    <>
      <div className="filters">
        {alert.nodeId === null ? null : <Respond place={respondPlace({ ...alert, nodeId: alert.nodeId })} />}
        <LatestResponse alertId={alert.id} />
      </div>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "details"}
        items={items}
        onChange={(tab) => url.set({ tab: tab === "details" ? undefined : tab })}
        destroyOnHidden
      />
    </>
  );
}

/** How the last thing that was done stands, beside the buttons that do it. */
function LatestResponse({ alertId }: { readonly alertId: number }) {
  const { t } = useSpeech();
  const { items } = useResponses({ alertId }, useMay()("responses:read"));
  const latest = items[0];
  if (latest === undefined) return null;
  return (
    <span className="chips" role="status">
      {t(`responseAction.${latest.action}`)}
      <ResponseStateTag state={latest.state} />
    </span>
  );
}

function respondPlace(alert: AlertDetail & { readonly nodeId: number }): RespondPlace {
  const { id, nodeId, container, containerName, hostname, pid, process } = alert;
  const { lineage = [], event = {} } = alert.facts as AlertFacts;
  const startUs = lineage[0]?.startUs;
  const path = [event.path, lineage[0]?.exe].find((each) => each?.startsWith("/"));
  return {
    ...{ alertId: id, nodeId, container },
    name: containerName === "" ? (container === "" ? hostname : container) : containerName,
    ...(pid > 1 && startUs !== undefined ? { process: { pid, startUs, name: process } } : {}),
    ...(path === undefined ? {} : { path }),
  };
}
