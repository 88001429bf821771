import { Tabs } from "antd";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Cleanups } from "./cleanups.tsx";
import { Holds } from "./holds.tsx";
import { Unused } from "./unused.tsx";

const TABS = ["unused", "cleanups", "holds"] as const;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const items = [
    { key: "unused", label: t("unused.title"), children: <Unused /> },
    { key: "cleanups", label: t("unused.cleanups"), children: <Cleanups /> },
    { key: "holds", label: t("unused.holds"), children: <Holds /> },
  ];
  return (
    <Frame title={t("unused.title")} lead={t("unused.lead")}>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "unused"}
        items={items}
        onChange={(tab) => url.set({ tab, cleanup: undefined })}
        destroyOnHidden
      />
    </Frame>
  );
}
