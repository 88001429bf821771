import { Tabs } from "antd";
import { useMay } from "../../api/session.ts";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { AllowList } from "./allow-list.tsx";
import { AutomaticResponses } from "./automatic.tsx";
import { RuleFiles } from "./files.tsx";
import { Indicators } from "./indicators.tsx";
import { RuleList } from "./rules.tsx";

const TABS = ["rules", "files", "allowed", "indicators", "automatic"] as const;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const may = useMay();
  const items = [
    { key: "rules", label: t("runtimeRules.title"), children: <RuleList url={url} /> },
    { key: "files", label: t("runtimeRules.files"), children: <RuleFiles /> },
    { key: "allowed", label: t("runtimeRules.allowed"), children: <AllowList /> },
    { key: "indicators", label: t("runtimeRules.indicators"), children: <Indicators /> },
    ...(may("responses:read")
      ? [{ key: "automatic", label: t("runtimeRules.automatic"), children: <AutomaticResponses /> }]
      : []),
  ];
  return (
    <Frame title={t("runtimeRules.title")} lead={t("runtimeRules.lead")}>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "rules"}
        items={items}
        onChange={(tab) => url.set({ tab: tab === "rules" ? undefined : tab, open: undefined })}
        destroyOnHidden
      />
    </Frame>
  );
}
