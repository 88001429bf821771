import { useAttackPaths, useCluster } from "../api/clusters.ts";
import type { AttackPath, PathFilters } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import { useServerTexts } from "../i18n/server-texts.ts";
import { EmptyState } from "./empty-state.tsx";
import { Loaded } from "./loaded.tsx";
import { SafeText } from "./safe-text.tsx";
import { SeverityTag } from "./severity.tsx";
import { WayGraph, type WayStep } from "./way-graph.tsx";

const LONG = 500;
/** Stands between the ways in which a workload is reached. */
const VIA = " · ";

interface PathStep {
  readonly kind: string;
  readonly name: string;
  readonly how: string;
}

interface Props {
  readonly filters: PathFilters;
  /** In which all of them lie. */
  readonly clusterId: number;
}

/** Ways from containers to more, drawn, each with what to change so that it leads nowhere. */
export function AttackPaths({ filters, clusterId }: Props) {
  const { t, nameOf } = useSpeech();
  const query = useAttackPaths(filters);
  const texts = useServerTexts();
  const stepOf = (step: PathStep): WayStep => {
    const { kind, name, how } = texts.step(step);
    if (kind === "internet") return { kind, name: t("clusters.internet"), how };
    if (kind !== "workload") return { kind, name, how };
    const [way = "", ...via] = how.split(VIA);
    return { kind, name, how: [nameOf("exposureWay", way), ...via].filter((part) => part !== "").join(VIA) };
  };
  const isKnown = useCluster(clusterId).data?.analysedAt != null;
  return (
    <Loaded query={query}>
      {({ items }) =>
        items.length === 0 ? (
          <EmptyState
            title={isKnown ? t("clusters.noPaths") : t("clusters.pathsUnknown")}
            hint={isKnown ? "" : t("clusters.pathsUnknownHint")}
          />
        ) : (
          <div className="stack">
            <WayGraph
              label={t("clusters.paths")}
              ways={items.map(({ id, steps }) => ({ id, steps: steps.map((step) => stepOf(read(step))) }))}
            />
            {items.map((path) => (
              <Described key={path.id} path={path} />
            ))}
          </div>
        )
      }
    </Loaded>
  );
}

function Described({ path }: { readonly path: AttackPath }) {
  const { t } = useSpeech();
  const texts = useServerTexts();
  const target = { node: "node", "cluster-admin": "cluster-admin", secrets: "secrets" } as const;
  const known = Object.hasOwn(target, path.target) ? target[path.target as keyof typeof target] : "node";
  const fixes = path.steps.map((step) => String(step.fix ?? "")).filter((fix) => fix !== "");
  return (
    <div>
      <p className="chips">
        <SeverityTag severity={path.severity} />
        <SafeText value={`${path.namespace}: ${path.workload}`} wrap />
        <span>{t("clusters.leadsTo", { target: t(`pathTarget.${known}`) })}</span>
        {path.exposed ? <span className="tag tone-high">{t("clusters.exposed")}</span> : null}
        {path.owner === "" ? null : (
          <span className="quiet">
            {t("images.owner")}: <SafeText value={path.owner} />
          </span>
        )}
      </p>
      <ul className="quiet">
        {fixes.map((fix) => (
          <li key={fix}>
            {t("clusters.fix")}: <SafeText value={texts.stepFix(fix)} wrap max={LONG} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function read(step: Readonly<Record<string, unknown>>): PathStep {
  return { kind: String(step.kind ?? ""), name: String(step.name ?? ""), how: String(step.how ?? "") };
}
