import { Button } from "antd";
import { Link } from "react-router";
import { useImages } from "../../api/images.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { ImageTable } from "../../components/image-table.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { GRADES, ImageFilterBar, KINDS, SEVERE, STATES } from "./filter-bar.tsx";

const SORTS = ["risk", "-risk", "firstSeen", "-firstSeen", "critical", "-critical", "sizeBytes", "-sizeBytes"] as const;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const sort = url.oneOf("sort", SORTS) ?? "-risk";
  const filters = given({
    search: url.value("search"),
    registry: url.value("registry"),
    repository: url.value("repository"),
    os: url.value("os"),
    owner: url.integer("owner"),
    unowned: url.flag("unowned"),
    vulnerability: url.value("vulnerability"),
    base: url.value("base"),
    state: url.oneOf("state", STATES),
    severity: url.oneOf("severity", SEVERE),
    kind: url.oneOf("kind", KINDS),
    grade: url.oneOf("grade", GRADES),
    exploited: url.flag("exploited"),
  });
  const rows = useImages({ ...filters, sort });
  const filtered = Object.keys(filters).length > 0;
  return (
    <Frame title={t("images.title")} lead={t("images.lead")} fill>
      <ImageFilterBar url={url} />
      <ImageTable
        rows={rows}
        sort={sort}
        onSort={(next) => url.set({ sort: next })}
        empty={filtered ? <NoMatch /> : <NoImages />}
        fill
      />
    </Frame>
  );
}

function NoMatch() {
  const { t } = useSpeech();
  const action = <Link to="/images">{t("filters.clear")}</Link>;
  return <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} action={action} />;
}

function NoImages() {
  const { t } = useSpeech();
  const action = (
    <Link to="/registries?connect=new">
      <Button type="primary">{t("registries.connect")}</Button>
    </Link>
  );
  return <EmptyState title={t("images.emptyTitle")} hint={t("images.emptyHint")} action={action} />;
}
