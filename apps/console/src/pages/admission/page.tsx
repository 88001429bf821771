import { Tabs } from "antd";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Baselines } from "./baselines.tsx";
import { Brakes } from "./brakes.tsx";
import { Decisions } from "./decisions.tsx";
import { Exceptions } from "./exceptions.tsx";
import { Grants } from "./grants.tsx";
import { Policies } from "./policies.tsx";

const TABS = ["decisions", "policies", "baselines", "brakes", "exceptions", "grants"] as const;

/** What was let into clusters, by which policies, and how to stop it or let it pass. */
export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const items = [
    { key: "decisions", label: t("admission.decisions"), children: <Decisions /> },
    { key: "policies", label: t("admission.policies"), children: <Policies /> },
    { key: "baselines", label: t("admission.baselines"), children: <Baselines /> },
    { key: "brakes", label: t("admission.brakes"), children: <Brakes /> },
    { key: "exceptions", label: t("admission.exceptions"), children: <Exceptions /> },
    { key: "grants", label: t("admission.grants"), children: <Grants /> },
  ];
  return (
    <Frame title={t("admission.title")} lead={t("admission.lead")}>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "decisions"}
        items={items}
        onChange={(tab) =>
          url.set({ tab, policy: undefined, verdict: undefined, namespace: undefined, baseline: undefined })
        }
        destroyOnHidden
      />
    </Frame>
  );
}
