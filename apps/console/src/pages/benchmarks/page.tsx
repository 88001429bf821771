import { Tabs } from "antd";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Compliance } from "./compliance.tsx";
import { Components } from "./components.tsx";
import { Fixes } from "./fixes.tsx";
import { Places } from "./places.tsx";
import { Results } from "./results.tsx";
import { Rules } from "./rules.tsx";
import { RunButton } from "./run-button.tsx";

const TABS = ["places", "results", "compliance", "fixes", "components", "rules"] as const;

/** Benchmarks: scores, results with evidence and advice, fixes, and where they differ. */
export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const items = [
    { key: "places", label: t("benchmarks.places"), children: <Places /> },
    { key: "results", label: t("benchmarks.results"), children: <Results /> },
    { key: "compliance", label: t("benchmarks.compliance"), children: <Compliance /> },
    { key: "fixes", label: t("benchmarks.fixes"), children: <Fixes /> },
    { key: "components", label: t("benchmarks.components"), children: <Components /> },
    { key: "rules", label: t("benchmarks.rules"), children: <Rules /> },
  ];
  return (
    <Frame title={t("benchmarks.title")} lead={t("benchmarks.lead")} actions={<RunButton />}>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "places"}
        items={items}
        onChange={(tab) => url.set({ tab, check: undefined })}
        destroyOnHidden
      />
    </Frame>
  );
}
