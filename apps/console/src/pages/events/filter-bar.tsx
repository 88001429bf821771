import { RUNTIME_EVENT_TYPES } from "@bulwark/model";
import { DatePicker } from "antd";
import { useNodes } from "../../api/nodes.ts";
import { ChoiceFilter, ChoicesFilter, SearchFilter } from "../../components/filters.tsx";
import type { UrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { SPAN_NAMES, USUAL_SPAN } from "./span.ts";

const SHOWN_NAME = 60;

export function EventFilterBar({ url }: { readonly url: UrlState }) {
  const { t, nameOf } = useSpeech();
  const nodes = useNodes();
  return (
    <search className="filters">
      <ChoiceFilter
        state={url}
        name="span"
        label={t("events.span")}
        usual={USUAL_SPAN}
        options={SPAN_NAMES.map((value) => ({ value, label: t(`span.${value}`) }))}
      />
      <FromTo url={url} />
      <ChoiceFilter
        state={url}
        name="node"
        label={t("place.node")}
        options={nodes.items.map(({ id, hostname }) => ({ value: String(id), label: visible(hostname, SHOWN_NAME) }))}
      />
      <ChoicesFilter
        state={url}
        name="types"
        label={t("event.kinds")}
        options={RUNTIME_EVENT_TYPES.map((value) => ({ value, label: nameOf("eventType", value) }))}
      />
      <SearchFilter state={url} name="text" label={t("events.search")} width={230} />
      <SearchFilter state={url} name="container" label={t("events.container")} width={190} />
      <SearchFilter state={url} name="pid" label={t("events.pid")} width={110} />
    </search>
  );
}

interface Times {
  toISOString(): string;
}

/** From one time to another, instead of a span that ends now. */
function FromTo({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  const isChosen = url.value("since") !== undefined;
  const set = (times: readonly (Times | null)[] | null) =>
    url.set({ since: times?.[0]?.toISOString(), until: times?.[1]?.toISOString() });
  return (
    <DatePicker.RangePicker
      key={isChosen ? "chosen" : "none"}
      showTime={{ format: "HH:mm" }}
      format="YYYY-MM-DD HH:mm"
      aria-label={t("events.fromTo")}
      placeholder={[t("events.from"), t("events.to")]}
      onChange={set}
    />
  );
}
