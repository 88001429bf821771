import { useListeners, usePrograms } from "../../api/assets.ts";
import type { ListenerKind } from "../../api/contract.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { SearchFilter } from "../../components/filters.tsx";
import { ListenerTable } from "../../components/listener-table.tsx";
import { NoSensor } from "../../components/no-sensor.tsx";
import { ProgramTable } from "../../components/program-table.tsx";
import { given, type UrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

interface Props {
  readonly url: UrlState;
}

export function ProgramList({ url }: Props) {
  const { t } = useSpeech();
  const filters = given({ text: url.value("text"), nodeId: url.integer("node") });
  const rows = usePrograms(filters);
  return (
    <div className="stack">
      <search className="filters">
        <SearchFilter state={url} name="text" label={t("assets.searchPrograms")} />
      </search>
      <ProgramTable rows={rows} empty={<Empty filters={filters} />} />
    </div>
  );
}

export function ListenerList({ url, kind }: Props & { readonly kind?: ListenerKind }) {
  const { t } = useSpeech();
  const filters = given({ text: url.value("text"), nodeId: url.integer("node"), kind });
  const rows = useListeners(filters);
  return (
    <div className="stack">
      <search className="filters">
        <SearchFilter state={url} name="text" label={t("assets.searchPrograms")} />
      </search>
      <ListenerTable rows={rows} empty={<Empty filters={{ ...filters, kind: undefined }} />} />
    </div>
  );
}

function Empty({ filters }: { readonly filters: object }) {
  const { t } = useSpeech();
  if (Object.values(filters).some((value) => value !== undefined)) {
    return <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />;
  }
  return <NoSensor title={t("assets.noPlaces")} hint={t("assets.noPlacesHint")} />;
}
