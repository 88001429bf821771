import { Link } from "react-router";
import { usePlacedContainer } from "../../api/assets.ts";
import type { AlertDetail } from "../../api/contract.ts";
import { useResponses } from "../../api/responses.ts";
import type { AlertFacts } from "../../api/runtime-facts.ts";
import { useMay } from "../../api/session.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { EventFacts } from "../../components/event-facts.tsx";
import { ImageLink } from "../../components/image-link.tsx";
import { LineageTree } from "../../components/lineage-tree.tsx";
import { Panel } from "../../components/page.tsx";
import { ContainerLink } from "../../components/place.tsx";
import { ResponseTable } from "../../components/response-table.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { Techniques } from "../../components/techniques.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { AlertHistory } from "./history.tsx";
import { RequestFacts } from "./request-facts.tsx";

const LONG = 4_000;

interface Props {
  readonly alert: AlertDetail;
}

/** All that is known of an alert: what, by whom, where, what to do, what was done. */
export function AlertDetails({ alert }: Props) {
  const { t } = useSpeech();
  const facts = alert.facts as AlertFacts;
  return (
    <div className="stack">
      <div className="columns">
        <Panel title={t("alert.what")}>
          <What alert={alert} />
        </Panel>
        <Panel title={t("alert.where")}>
          <Where alert={alert} />
        </Panel>
      </div>
      {facts.audit === undefined ? (
        <Panel title={t("alert.lineage")}>
          <LineageTree lineage={facts.lineage ?? []} />
        </Panel>
      ) : null}
      <Responses alert={alert} />
      <div className="columns">
        {facts.audit === undefined ? (
          <Panel title={t("alert.event")}>
            <EventFacts event={facts.event ?? {}} />
            <p>
              <br />
              <Link to={`/events?span=week&event=${encodeURIComponent(alert.eventId)}`}>{t("alert.wholeEvent")}</Link>
            </p>
          </Panel>
        ) : (
          <Panel title={t("alert.request")}>
            <RequestFacts event={facts.audit} />
          </Panel>
        )}
        <Panel title={t("risk.history")}>
          <AlertHistory alert={alert} />
        </Panel>
      </div>
    </div>
  );
}

function What({ alert }: Props) {
  const { t, nameOf, format } = useSpeech();
  const told = useServerTexts();
  const { description = "", advice = "", techniques = [], tactics = [], raisedFrom } = alert.facts as AlertFacts;
  return (
    <div className="stack">
      <p>
        <SafeText value={told.alertTitle(alert.title)} wrap max={LONG} />
      </p>
      {description === "" ? null : (
        <p className="quiet">
          <SafeText value={told.ruleDescription(alert.rule, description)} wrap max={LONG} />
        </p>
      )}
      {raisedFrom === undefined ? null : (
        <p className="note">{t("alert.raisedFrom", { severity: nameOf("severity", raisedFrom) })}</p>
      )}
      {alert.blocked ? <p className="tone-good note">{t("alert.wasBlocked")}</p> : null}
      <dl className="facts">
        <dt>{t("alerts.count")}</dt>
        <dd>{t("alert.times", { n: alert.count })}</dd>
        <dt>{t("alert.first")}</dt>
        <dd>{format.time(alert.firstAt)}</dd>
        <dt>{t("alerts.lastSeen")}</dt>
        <dd>{format.time(alert.lastAt)}</dd>
        <dt>{t("alert.attack")}</dt>
        <dd>
          <Techniques techniques={techniques} tactics={tactics} />
        </dd>
        <dt>{t("alert.advice")}</dt>
        <dd>
          <SafeText value={told.ruleAdvice(alert.rule, advice)} wrap max={LONG} />
        </dd>
      </dl>
    </div>
  );
}

function Where({ alert }: Props) {
  const { t } = useSpeech();
  const told = useServerTexts();
  const { nodeId, hostname, image, imageDigest, imageId, namespace, pod, owner, assignee, cluster, workload } = alert;
  // An image without an owner may run in a container that has one.
  const place = usePlacedContainer(nodeId ?? 0, useMay()("runtime:read") && nodeId !== null ? alert.container : "");
  const answers = place.data?.owner ?? undefined;
  return (
    <dl className="facts">
      {cluster === null ? null : (
        <>
          <dt>{t("clusters.cluster")}</dt>
          <dd>
            <Link to={`/clusters/${cluster.id}`}>
              <SafeText value={cluster.name} wrap />
            </Link>
          </dd>
        </>
      )}
      {workload === null ? null : (
        <>
          <dt>{t("clusters.workload")}</dt>
          <dd>
            <Link to={`/workloads/${workload.id}`}>
              <SafeText value={`${workload.kind} ${workload.namespace}/${workload.name}`} wrap />
            </Link>
          </dd>
        </>
      )}
      {nodeId === null ? (
        <>
          <dt>{t("place.container")}</dt>
          <dd>
            <SafeText value={alert.containerName} />
          </dd>
        </>
      ) : (
        <>
          <dt>{t("place.container")}</dt>
          <dd>
            <ContainerLink nodeId={nodeId} place={alert} />
          </dd>
        </>
      )}
      {alert.container === "" ? null : (
        <>
          <dt>{t("images.image")}</dt>
          <dd>
            <ImageLink image={image} digest={imageDigest} imageId={imageId} />
          </dd>
        </>
      )}
      {pod === "" ? null : (
        <>
          <dt>{t("place.pod")}</dt>
          <dd>
            <SafeText value={`${namespace}/${pod}`} wrap />
          </dd>
        </>
      )}
      {nodeId === null ? null : (
        <>
          <dt>{t("place.node")}</dt>
          <dd>
            <Link to={`/nodes/${nodeId}`}>
              <SafeText value={hostname} wrap />
            </Link>
          </dd>
        </>
      )}
      <dt>{t("images.owner")}</dt>
      <dd>
        <SafeText value={owner?.name ?? answers?.name} />
        {owner === null && answers !== undefined ? (
          <span className="quiet">
            {" "}
            {t(`ownerFrom.${answers.from}`)} <SafeText value={answers.detail} />
          </span>
        ) : null}
      </dd>
      <dt>{t("risks.assignee")}</dt>
      <dd>
        <SafeText value={assignee?.name} />
      </dd>
      <dt>{t("alerts.rule")}</dt>
      <dd>
        <Link to={`/runtime-rules?search=${encodeURIComponent(alert.rule)}`}>
          <SafeText value={told.ruleTitle(alert.rule)} wrap />
        </Link>
      </dd>
    </dl>
  );
}

function Responses({ alert }: Props) {
  const { t } = useSpeech();
  const mayRead = useMay()("responses:read");
  const rows = useResponses({ alertId: alert.id }, mayRead);
  if (!mayRead) return null;
  return (
    <Panel title={t("responses.title")}>
      <ResponseTable
        rows={rows}
        placed
        empty={<EmptyState title={t("alert.noResponses")} hint={t("alert.noResponsesHint")} />}
      />
    </Panel>
  );
}
