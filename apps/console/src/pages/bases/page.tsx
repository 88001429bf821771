import { Button } from "antd";
import { useSpread } from "../../api/lineage.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { Failure } from "../../components/failure.tsx";
import { SearchFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { Waiting } from "../../components/waiting.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { ForestMap } from "./forest-map.tsx";
import type { Disc } from "./forest-model.ts";
import { ForestTree } from "./forest-tree.tsx";
import { NodeDrawer } from "./node-drawer.tsx";
import { type Forest, useForest } from "./use-forest.ts";
import "./bases.css";

const TONES = ["critical", "high", "medium", "low", "good", "other"] as const;
const KINDS = ["known", "deleted", "anonymous"] as const;

export function Page() {
  const { t, format } = useSpeech();
  const spread = useSpread().data;
  const forest = useForest(spread === undefined ? undefined : { nodes: spread.roots, images: spread.byRoot.images });
  const lead =
    spread === undefined
      ? t("bases.lead")
      : t("bases.leadCounted", { images: spread.standing, bases: spread.bases, roots: spread.roots });
  const count = forest.roots.nodes.length;
  return (
    <Frame
      title={t("bases.title")}
      lead={lead}
      fill
      actions={
        <span className="quiet">
          {forest.roots.next === undefined ? "" : t("bases.read", { n: format.number(count) })}
        </span>
      }
    >
      <Content forest={forest} />
    </Frame>
  );
}

function Content({ forest }: { readonly forest: Forest }) {
  const { t } = useSpeech();
  const url = useUrlState();
  const selected = url.integer("node");
  const select = (disc: Disc | undefined) => {
    if (disc !== undefined) forest.open(disc);
    url.set({ node: disc?.node === undefined ? undefined : String(disc.node.id) });
  };
  const detail = url.integer("detail");
  if (forest.error !== null && forest.roots.nodes.length === 0) {
    return <Failure error={forest.error} retry={forest.again} />;
  }
  if (forest.loading) return <Waiting rows={10} />;
  if (forest.roots.nodes.length === 0) return <EmptyState title={t("bases.emptyTitle")} hint={t("bases.emptyHint")} />;
  return (
    <>
      {forest.error === null ? null : <Failure error={forest.error} retry={forest.again} />}
      <div className="forest">
        <section className="forest-list" aria-label={t("bases.tree")}>
          <search className="filters">
            <SearchFilter state={url} name="search" label={t("bases.search")} width={200} />
            <Button
              disabled={selected === undefined}
              onClick={() => url.set({ detail: selected === undefined ? undefined : String(selected) })}
            >
              {t("bases.details")}
            </Button>
          </search>
          <ForestTree forest={forest} search={url.value("search") ?? ""} selected={selected} onSelect={select} />
        </section>
        <section className="forest-side" aria-label={t("bases.map")}>
          <Legend />
          <ForestMap forest={forest} selected={selected} onSelect={select} />
        </section>
      </div>
      <NodeDrawer id={detail} forest={forest} onClose={() => url.set({ detail: undefined })} />
    </>
  );
}

function Legend() {
  const { t } = useSpeech();
  return (
    <ul className="forest-legend" aria-label={t("bases.legend")}>
      {TONES.map((tone) => (
        <li key={tone}>
          <span className={`forest-dot kind-known tone-${tone}`} />
          {tone === "good" ? t("bases.clean") : tone === "other" ? t("bases.otherTone") : t(`severity.${tone}`)}
        </li>
      ))}
      {KINDS.map((kind) => (
        <li key={kind}>
          <span className={`forest-dot kind-${kind} tone-other`} />
          {t(`baseKind.${kind}`)}
        </li>
      ))}
    </ul>
  );
}
