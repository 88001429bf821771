import { Button, Input, Select } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useImpact } from "../../api/clusters.ts";
import type { Impact } from "../../api/contract.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { waysTo } from "../../components/exposure-ways.ts";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { WayGraph } from "../../components/way-graph.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "../../components/plain-table.css";

const CAUSES = ["vulnerability", "image", "secret", "service-account", "alert"] as const;
const DRAWN = 40;

/** Everything that something is behind: what runs of it, whose that is, and what of it is reached from outside. */
export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const cause = url.oneOf("cause", CAUSES) ?? "vulnerability";
  const id = url.value("id") ?? "";
  const impact = useImpact(cause, id);
  return (
    <Frame title={t("impact.title")} lead={t("impact.lead")}>
      <Ask cause={cause} id={id} onAsk={(next) => url.set(next)} />
      {id === "" ? null : <Loaded query={impact}>{(data) => <Shown impact={data} />}</Loaded>}
    </Frame>
  );
}

function Ask({
  cause,
  id,
  onAsk,
}: {
  readonly cause: (typeof CAUSES)[number];
  readonly id: string;
  readonly onAsk: (next: { cause: string; id: string }) => void;
}) {
  const { t } = useSpeech();
  const [kind, setKind] = useState<(typeof CAUSES)[number]>(cause);
  const [typed, setTyped] = useState(id);
  const ask = () => onAsk({ cause: kind, id: typed.trim() });
  return (
    <div className="filters">
      <Select
        aria-label={t("impact.cause")}
        value={kind}
        onChange={setKind}
        style={{ width: 170 }}
        options={CAUSES.map((value) => ({ value, label: t(`impactCause.${value}`) }))}
      />
      <Input
        aria-label={t("impact.id")}
        placeholder={t(`impactId.${kind}`)}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onPressEnter={ask}
        maxLength={600}
        style={{ width: 360 }}
      />
      <Button type="primary" onClick={ask} disabled={typed.trim() === ""}>
        {t("impact.look")}
      </Button>
    </div>
  );
}

function Shown({ impact }: { readonly impact: Impact }) {
  const speech = useSpeech();
  const { t } = speech;
  if (impact.workloads === 0 && impact.selfBuilt === 0) return <EmptyState title={t("impact.none")} hint="" />;
  const reached = impact.top.filter(({ exposure }) => exposure.length > 0).slice(0, DRAWN);
  return (
    <div className="stack">
      <div className="figures">
        <Figure name={t("clusters.title")} value={impact.clusters} />
        <Figure name={t("clusters.workloads")} value={impact.workloads} />
        <Figure name={t("clusters.exposed")} value={impact.exposed} tone={impact.exposed > 0 ? "bad" : undefined} />
        <Figure name={t("clusters.containers")} value={impact.containers} />
        <Figure name={t("impact.selfBuilt")} value={impact.selfBuilt} />
        <Figure name={t("clusters.images")} value={impact.images} />
      </div>
      {reached.length === 0 ? null : (
        <Panel title={t("impact.graph")}>
          <WayGraph label={t("impact.graph")} ways={waysTo(reached, speech)} />
        </Panel>
      )}
      <Panel title={t("impact.owners")}>
        <Owners impact={impact} />
      </Panel>
      <Panel title={t("impact.workloads")}>
        <Concerned impact={impact} />
      </Panel>
    </div>
  );
}

function Owners({ impact }: { readonly impact: Impact }) {
  const { t, format } = useSpeech();
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th>{t("images.owner")}</th>
          <th>{t("clusters.workloads")}</th>
          <th>{t("clusters.containers")}</th>
          <th>{t("clusters.exposed")}</th>
        </tr>
      </thead>
      <tbody>
        {impact.owners.map(({ name, workloads, containers, exposed }) => (
          <tr key={name}>
            <td>
              {name === "" ? <span className="quiet">{t("impact.noOwner")}</span> : <SafeText value={name} wrap />}
            </td>
            <td>{format.number(workloads)}</td>
            <td>{format.number(containers)}</td>
            <td>{format.number(exposed)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Concerned({ impact }: { readonly impact: Impact }) {
  const { t, format } = useSpeech();
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th>{t("clusters.workload")}</th>
          <th>{t("clusters.cluster")}</th>
          <th>{t("clusters.exposed")}</th>
          <th>{t("clusters.paths")}</th>
          <th>{t("clusters.containers")}</th>
        </tr>
      </thead>
      <tbody>
        {impact.top.map(({ id, namespace, name, cluster, exposure, worstPath, containers }) => (
          <tr key={id}>
            <td>
              <Link to={`/workloads/${id}`}>
                <SafeText value={`${namespace}/${name}`} wrap />
              </Link>
            </td>
            <td>
              <SafeText value={cluster} wrap />
            </td>
            <td>{exposure.length === 0 ? null : <SafeText value={String(exposure[0]?.how ?? "")} />}</td>
            <td>{worstPath === "" ? null : <SeverityTag severity={worstPath} />}</td>
            <td>{format.number(containers)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
