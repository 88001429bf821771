import { Tabs } from "antd";
import { useAssetCounts } from "../../api/assets.ts";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { NodeTable } from "../../components/node-table.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import type { Key } from "../../i18n/en.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { ContainerList } from "./containers.tsx";
import { ListenerList, ProgramList } from "./places.tsx";

const TABS = ["containers", "hosts", "programs", "ports", "web", "database"] as const;

interface Kind {
  /** Of `GET /assets`. */
  readonly count: string;
  readonly name: Key;
  readonly to: string;
  /** One of these is worth a look. */
  readonly odd?: boolean;
}

const KINDS: readonly Kind[] = [
  { count: "nodes", name: "asset.nodes", to: "/assets?tab=hosts" },
  { count: "containers", name: "asset.containers", to: "/assets?running=true" },
  { count: "selfBuiltContainers", name: "asset.selfBuilt", to: "/assets?running=true&selfBuilt=true" },
  { count: "exposedContainers", name: "asset.exposedContainers", to: "/assets?running=true&exposed=true" },
  { count: "privilegedContainers", name: "asset.privileged", to: "/assets?running=true&privileged=true", odd: true },
  { count: "unscannedContainers", name: "asset.unscanned", to: "/assets?running=true", odd: true },
  { count: "programs", name: "asset.programs", to: "/assets?tab=programs" },
  { count: "processes", name: "asset.processes", to: "/assets?tab=programs" },
  { count: "ports", name: "asset.ports", to: "/assets?tab=ports" },
  { count: "exposedPorts", name: "asset.exposed", to: "/assets?tab=ports" },
  { count: "webServices", name: "asset.web", to: "/assets?tab=web" },
  { count: "databases", name: "asset.databases", to: "/assets?tab=database" },
  { count: "images", name: "asset.images", to: "/images" },
  { count: "registries", name: "asset.registries", to: "/registries" },
];

export function Page() {
  const { t, format } = useSpeech();
  const url = useUrlState();
  const counts = useAssetCounts();
  const items = [
    { key: "containers", label: t("asset.containers"), children: <ContainerList url={url} /> },
    { key: "hosts", label: t("asset.nodes"), children: <NodeTable url={url} /> },
    { key: "programs", label: t("asset.programs"), children: <ProgramList url={url} /> },
    { key: "ports", label: t("asset.ports"), children: <ListenerList url={url} /> },
    { key: "web", label: t("asset.web"), children: <ListenerList url={url} kind="web" /> },
    { key: "database", label: t("asset.databases"), children: <ListenerList url={url} kind="database" /> },
  ];
  return (
    <Frame title={t("assets.title")} lead={t("assets.lead")}>
      <Loaded query={counts} rows={2}>
        {(data) => (
          <div className="panel panel-body figures">
            {KINDS.map(({ count, name, to, odd }) => (
              <Figure
                key={count}
                name={t(name)}
                value={format.number(data[count] ?? 0)}
                to={to}
                tone={odd && (data[count] ?? 0) > 0 ? "warn" : undefined}
              />
            ))}
          </div>
        )}
      </Loaded>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "containers"}
        items={items}
        onChange={(tab) => url.set({ tab: tab === "containers" ? undefined : tab, text: undefined })}
        destroyOnHidden
      />
    </Frame>
  );
}
