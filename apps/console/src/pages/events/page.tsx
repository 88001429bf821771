import { useMemo } from "react";
import type { RuntimeEventFilters } from "../../api/contract.ts";
import { useRuntimeEvents } from "../../api/runtime-events.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { NoSensor } from "../../components/no-sensor.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { given, type UrlState, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { EventDrawer } from "./event-drawer.tsx";
import { EventTable } from "./event-table.tsx";
import { EventFilterBar } from "./filter-bar.tsx";
import { Retention } from "./retention.tsx";
import { SavedSearches } from "./saved-searches.tsx";
import { spanOf } from "./span.ts";

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const { filters, narrowed } = useFilters(url);
  const rows = useRuntimeEvents(filters);
  const empty = narrowed ? (
    <EmptyState title={t("events.noneTitle")} hint={t("events.noneHint")} />
  ) : (
    <NoSensor title={t("events.noneTitle")} hint={t("events.emptyHint")} />
  );
  return (
    <Frame
      title={t("events.title")}
      lead={t("events.lead")}
      actions={
        <>
          <Retention />
          <SavedSearches />
        </>
      }
      fill
    >
      <EventFilterBar url={url} />
      <EventTable rows={rows} empty={empty} onOpen={(event) => url.set({ event })} />
      <EventDrawer id={url.value("event")} onClose={() => url.set({ event: undefined })} />
    </Frame>
  );
}

/** The filters of the address. A span that ends now is fixed while they stay the same: pages of one list fit together. */
function useFilters(url: UrlState): { readonly filters: RuntimeEventFilters; readonly narrowed: boolean } {
  const [name, since, until] = [url.value("span"), url.value("since"), url.value("until")];
  const span = useMemo(() => spanOf(name, since, until, new Date()), [name, since, until]);
  const rest = given({
    nodeId: url.integer("node"),
    container: url.value("container"),
    types: url.value("types"),
    pid: url.integer("pid"),
    text: url.value("text"),
  });
  return { filters: { ...span, ...rest }, narrowed: Object.keys(rest).length > 0 };
}
