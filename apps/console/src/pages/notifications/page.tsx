import { Tabs } from "antd";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Channels } from "./channels.tsx";
import { Deliveries } from "./deliveries.tsx";
import { Rules } from "./rules.tsx";

const TABS = ["channels", "rules", "deliveries"] as const;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const items = [
    { key: "channels", label: t("notifications.channels"), children: <Channels /> },
    { key: "rules", label: t("notifications.rules"), children: <Rules /> },
    { key: "deliveries", label: t("notifications.deliveries"), children: <Deliveries /> },
  ];
  return (
    <Frame title={t("notifications.title")} lead={t("notifications.lead")}>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "channels"}
        items={items}
        onChange={(tab) => url.set({ tab })}
        destroyOnHidden
      />
    </Frame>
  );
}
