import { Button, Progress } from "antd";
import { Link } from "react-router";
import type { SensorUpgrade, UpgradeNode } from "../api/contract.ts";
import { useCancelSensorUpgrade, useSensorUpgrades } from "../api/nodes.ts";
import { useMay } from "../api/session.ts";
import { useSpeech } from "../i18n/language.tsx";
import { useServerTexts } from "../i18n/server-texts.ts";
import { EmptyState } from "./empty-state.tsx";
import { Panel } from "./page.tsx";
import { SafeText } from "./safe-text.tsx";
import { Waiting } from "./waiting.tsx";
import "./plain-table.css";

const TONES: Readonly<Record<UpgradeNode["state"] | SensorUpgrade["state"], string>> = {
  pending: "tone-other",
  skipped: "tone-medium",
  queued: "tone-low",
  sent: "tone-low",
  running: "tone-low",
  done: "tone-good",
  unchanged: "tone-good",
  failed: "tone-critical",
  refused: "tone-high",
  expired: "tone-high",
  stopped: "tone-critical",
  cancelled: "tone-other",
};
const NOT_ENDED: ReadonlySet<UpgradeNode["state"]> = new Set(["pending", "queued", "sent"]);
const PERCENT = 100;
/** On the page of a node: earlier ones are with all the others. */
const SHOWN_OF_NODE = 2;

/** Upgrades, the newest first, and how each stands with its nodes. */
export function UpgradeList({ nodeId }: { readonly nodeId?: number }) {
  const { t } = useSpeech();
  const rows = useSensorUpgrades(nodeId === undefined ? {} : { nodeId });
  if (rows.loading) return <Waiting />;
  if (rows.items.length === 0 && nodeId !== undefined) return null;
  if (rows.items.length === 0) return <EmptyState title={t("upgrades.emptyTitle")} hint={t("upgrades.emptyHint")} />;
  return (
    <>
      {rows.items.slice(0, nodeId === undefined ? rows.items.length : SHOWN_OF_NODE).map((upgrade) => (
        <Upgrade key={upgrade.id} upgrade={upgrade} nodeId={nodeId} />
      ))}
      {rows.hasMore && nodeId === undefined ? <Button onClick={rows.loadMore}>{t("upgrades.more")}</Button> : null}
    </>
  );
}

function Upgrade({ upgrade, nodeId }: { readonly upgrade: SensorUpgrade; readonly nodeId: number | undefined }) {
  const { t, format } = useSpeech();
  const { id, version, state, nodes, wave, askedBy, createdAt } = upgrade;
  const ended = nodes.filter((node) => !NOT_ENDED.has(node.state)).length;
  const share = nodes.length === 0 ? PERCENT : Math.floor((ended / nodes.length) * PERCENT);
  return (
    <Panel title={t("upgrades.to", { version })}>
      <div className="stack">
        <div className="chips">
          <span className={`tag ${TONES[state]}`}>{t(`upgradeState.${state}`)}</span>
          <span className="quiet">
            {t("upgrades.progress", { n: ended, all: nodes.length, wave })} · <SafeText value={askedBy} /> ·{" "}
            {format.time(createdAt)}
          </span>
          {state === "running" ? <Cancel id={id} /> : null}
        </div>
        {state === "running" ? (
          <Progress percent={share} size="small" aria-label={t("upgrades.to", { version })} />
        ) : null}
        <Nodes nodes={nodeId === undefined ? nodes : nodes.filter((node) => node.nodeId === nodeId)} />
      </div>
    </Panel>
  );
}

function Cancel({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const cancel = useCancelSensorUpgrade();
  if (!useMay()("admin:write")) return null;
  return (
    <Button size="small" loading={cancel.isPending} onClick={() => cancel.mutate(id)}>
      {t("upgrades.cancel")}
    </Button>
  );
}

function Nodes({ nodes }: { readonly nodes: readonly UpgradeNode[] }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  return (
    <table className="plain-table" aria-label={t("nodes.title")}>
      <thead>
        <tr>
          <th>{t("place.node")}</th>
          <th>{t("upgrades.before")}</th>
          <th>{t("filters.state")}</th>
          <th>{t("responses.outcome")}</th>
        </tr>
      </thead>
      <tbody>
        {nodes.map(({ nodeId, hostname, versionBefore, state, rolledBack, detail }) => (
          <tr key={nodeId}>
            <th scope="row">
              <Link to={`/nodes/${nodeId}`}>
                <SafeText value={hostname} wrap />
              </Link>
            </th>
            <td>
              <SafeText value={versionBefore} />
            </td>
            <td>
              <span className={`tag ${TONES[state]}`}>
                {t(rolledBack ? "upgradeNode.rolledBack" : `upgradeNode.${state}`)}
              </span>
            </td>
            <td>
              <SafeText value={told.outcome(detail)} wrap />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
