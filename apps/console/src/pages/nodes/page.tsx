import { Tabs } from "antd";
import { useMay } from "../../api/session.ts";
import { NodeTable } from "../../components/node-table.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { EnrolmentTokens } from "./tokens.tsx";
import { SensorUpgrades } from "./upgrades.tsx";

const TABS = ["nodes", "upgrades", "tokens"] as const;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const may = useMay();
  const items = [
    { key: "nodes", label: t("nodes.title"), children: <NodeTable url={url} /> },
    { key: "upgrades", label: t("upgrades.title"), children: <SensorUpgrades /> },
    ...(may("admin:read") ? [{ key: "tokens", label: t("nodes.tokens"), children: <EnrolmentTokens /> }] : []),
  ];
  return (
    <Frame title={t("nodes.title")} lead={t("nodes.lead")}>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "nodes"}
        items={items}
        onChange={(tab) => url.set({ tab: tab === "nodes" ? undefined : tab })}
        destroyOnHidden
      />
    </Frame>
  );
}
