import { App, Button } from "antd";
import { Link, useNavigate, useParams } from "react-router";
import type { SensorNode } from "../../api/contract.ts";
import { useNode, useRemoveNode } from "../../api/nodes.ts";
import type { Health, NodeFacts } from "../../api/runtime-facts.ts";
import { useMay } from "../../api/session.ts";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { NodeState } from "../../components/node-table.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { UpgradeList } from "../../components/upgrade-list.tsx";
import { UpgradeSensors } from "../../components/upgrade-sensors.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Capabilities } from "./capabilities.tsx";
import { EventCounts } from "./counts.tsx";
import { Gaps, Tampering } from "./gaps.tsx";
import { NodeOwner } from "./node-owner.tsx";
import "./node.css";

const TITLE_CHARACTERS = 100;

export function Page() {
  const { t } = useSpeech();
  const node = useNode(Number(useParams().id));
  const title = node.data?.hostname ?? t("place.node");
  return (
    <Frame
      title={visible(title, TITLE_CHARACTERS)}
      heading={<SafeText value={title} wrap />}
      lead={
        <span className="chips">
          <Link to="/nodes">{t("nodes.title")}</Link>
          {node.data === undefined ? null : <NodeState node={node.data} />}
        </span>
      }
      actions={node.data === undefined ? null : <Actions node={node.data} />}
    >
      <Loaded query={node}>{(data) => <Content node={data} />}</Loaded>
    </Frame>
  );
}

function Actions({ node }: { readonly node: SensorNode }) {
  const { t } = useSpeech();
  const { modal } = App.useApp();
  const mayWrite = useMay()("admin:write");
  const remove = useRemoveNode();
  const go = useNavigate();
  const ask = () =>
    void modal.confirm({
      title: t("deleteTitle", { name: visible(node.hostname, TITLE_CHARACTERS) }),
      content: t("nodes.removeHint"),
      okText: t("nodes.remove"),
      okButtonProps: { danger: true },
      onOk: () => remove.mutateAsync(node.id).then(() => go("/nodes")),
    });
  return (
    <>
      <Link to={`/assets?node=${node.id}`}>
        <Button>{t("nodes.itsContainers")}</Button>
      </Link>
      <Link to={`/events?span=hour&node=${node.id}`}>
        <Button>{t("container.events")}</Button>
      </Link>
      {mayWrite ? <UpgradeSensors node={node} /> : null}
      {mayWrite ? (
        <Button danger onClick={ask}>
          {t("nodes.remove")}
        </Button>
      ) : null}
    </>
  );
}

function Content({ node }: { readonly node: SensorNode }) {
  const { t } = useSpeech();
  const health = node.health as Health | null;
  return (
    <>
      <HealthFigures node={node} health={health} />
      <Tampering attempts={health?.tampering ?? []} />
      <UpgradeList nodeId={node.id} />
      <Panel title={t("nodes.canDo")}>
        <Capabilities node={node} />
      </Panel>
      <Panel title={t("nodes.gaps")}>
        <Gaps gaps={health?.gaps ?? []} />
      </Panel>
      <div className="columns">
        <Panel title={t("nodes.counts")}>
          <EventCounts health={health} />
        </Panel>
        <Panel title={t("findings.facts")}>
          <Facts node={node} />
        </Panel>
      </div>
    </>
  );
}

function HealthFigures({ node, health }: { readonly node: SensorNode; readonly health: Health | null }) {
  const { t, format } = useSpeech();
  if (health === null) return <p className="quiet">{t("nodes.noHealth")}</p>;
  const { residentBytes = 0, cpuShare = 0, degradation = 0, degradationReason = "" } = health;
  const { spoolBytes = 0, spoolLimitBytes = 0 } = health;
  const step = degradation === 0 ? "full" : degradation === 1 ? "sampled" : "enforcement";
  return (
    <section className="panel panel-body stack" aria-label={t("nodes.health")}>
      <div className="figures node-figures">
        <Figure name={t("nodes.memory")} value={format.bytes(residentBytes)} />
        <Figure name={t("nodes.cpuOfOne")} value={format.percent(cpuShare)} />
        <Figure
          name={t("nodes.degradation")}
          value={t(`degradation.${step}`)}
          tone={degradation > 0 ? "warn" : undefined}
        />
        <Figure
          name={t("nodes.spool")}
          value={t("nodes.spoolOf", { n: format.bytes(spoolBytes), limit: format.bytes(spoolLimitBytes) })}
          tone={spoolLimitBytes > 0 && spoolBytes > spoolLimitBytes / 2 ? "warn" : undefined}
        />
        <Figure name={t("nodes.lostToday")} value={format.number(node.lost)} tone={node.lost > 0 ? "bad" : undefined} />
        <Figure name={t("asset.containers")} value={format.number(node.containers)} to={`/assets?node=${node.id}`} />
      </div>
      {degradation === 0 ? null : (
        <p>
          {t(`degradationHint.${step}`)} <SafeText value={degradationReason} wrap />
        </p>
      )}
    </section>
  );
}

function Facts({ node }: { readonly node: SensorNode }) {
  const { t, format } = useSpeech();
  const facts = node.facts as NodeFacts;
  return (
    <dl className="facts">
      <dt>{t("nodes.system")}</dt>
      <dd>
        <SafeText value={facts.osName} wrap />
      </dd>
      <dt>{t("nodes.kernel")}</dt>
      <dd>
        <SafeText value={`${facts.kernelRelease ?? ""} ${facts.architecture ?? ""}`.trim()} mono wrap />
      </dd>
      <dt>{t("nodes.machine")}</dt>
      <dd>{t("nodes.machineOf", { n: facts.cpus ?? 0, memory: format.bytes(facts.memoryBytes ?? 0) })}</dd>
      <dt>{t("container.addresses")}</dt>
      <dd>
        <SafeText value={(facts.addresses ?? []).join(", ")} mono wrap />
      </dd>
      <dt>{t("nodes.kubernetes")}</dt>
      <dd>
        <SafeText value={facts.kubernetesNode} />
      </dd>
      <dt>{t("nodes.sensor")}</dt>
      <dd>
        <SafeText value={node.sensorVersion} />
      </dd>
      <dt>{t("nodes.owner")}</dt>
      <dd>
        <NodeOwner node={node} />
      </dd>
      <dt>{t("nodes.policy")}</dt>
      <dd>{format.number(node.policyRevision)}</dd>
      <dt>{t("nodes.enrolled")}</dt>
      <dd>{format.time(node.enrolledAt)}</dd>
      <dt>{t("nodes.connectedSince")}</dt>
      <dd>{format.time(node.connectedAt)}</dd>
      <dt>{t("nodes.lastSign")}</dt>
      <dd>{format.time(node.seenAt)}</dd>
    </dl>
  );
}
