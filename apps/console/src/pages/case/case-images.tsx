import { Link } from "react-router";
import type { CaseImage } from "../../api/contract.ts";
import { useCaseImages } from "../../api/search.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** Every image that the case ever found, and whether it is put right. */
export function CaseImages({ id }: { readonly id: number }) {
  const { t, format } = useSpeech();
  const rows = useCaseImages(id);
  const columns: readonly Column<CaseImage>[] = [
    {
      key: "image",
      title: t("images.image"),
      cell: ({ digest, registry, repository, tags }) => (
        <Link to={`/images/${digest}`}>
          <SafeText value={`${registry}/${repository}${tags.length === 0 ? "" : `:${tags.join(", ")}`}`} />
        </Link>
      ),
    },
    { key: "owner", title: t("images.owner"), width: 180, cell: ({ owner }) => <SafeText value={owner} /> },
    { key: "seen", title: t("images.firstSeen"), width: 160, cell: ({ firstSeen }) => format.ago(firstSeen) },
    {
      key: "state",
      title: t("filters.state"),
      width: 160,
      cell: ({ closedAt }) => (
        <span className={`tag ${closedAt === null ? "tone-high" : "tone-good"}`}>
          {t(closedAt === null ? "cases.open" : "cases.closed")}
        </span>
      ),
    },
    { key: "closed", title: t("risk.fixedAt"), width: 160, cell: ({ closedAt }) => format.ago(closedAt) },
  ];
  return (
    <DataTable
      label={t("cases.images")}
      rows={rows}
      columns={columns}
      rowKey={({ digest }) => digest}
      empty={<EmptyState title={t("search.noneTitle")} hint={t("search.noneHint")} />}
    />
  );
}
