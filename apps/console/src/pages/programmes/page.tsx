import { Select, Tabs } from "antd";
import { Page as Frame } from "../../components/page.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { NewImages } from "./new-images.tsx";
import { OldRisk } from "./old-risk.tsx";
import { Teams } from "./teams.tsx";

const TABS = ["increment", "stock", "teams"] as const;
const DAYS = [30, 90, 180, 365, 730] as const;
const USUAL_DAYS = 90;
const DAY_MS = 86_400_000;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const days = DAYS.find((choice) => choice === url.integer("days")) ?? USUAL_DAYS;
  const since = new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
  const items = [
    { key: "increment", label: t("programmes.increment"), children: <NewImages since={since} /> },
    { key: "stock", label: t("programmes.stock"), children: <OldRisk since={since} /> },
    { key: "teams", label: t("programmes.teams"), children: <Teams /> },
  ];
  return (
    <Frame
      title={t("programmes.title")}
      lead={t("programmes.lead")}
      actions={
        <Select
          aria-label={t("programmes.since")}
          value={days}
          options={DAYS.map((value) => ({ value, label: t("programmes.lastDays", { n: value }) }))}
          onChange={(value) => url.set({ days: String(value) })}
          popupMatchSelectWidth={false}
        />
      }
    >
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "increment"}
        items={items}
        onChange={(tab) => url.set({ tab })}
        destroyOnHidden
      />
    </Frame>
  );
}
