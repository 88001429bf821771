import { Link } from "react-router";
import type { SearchResult } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

type Layer = SearchResult["layers"][number];
type Base = SearchResult["bases"][number];
type Owner = SearchResult["owners"][number];

export function LayerTable({ rows }: { readonly rows: readonly Layer[] }) {
  const { t, format } = useSpeech();
  const columns: readonly Column<Layer>[] = [
    { key: "created", title: t("search.instruction"), cell: ({ createdBy }) => <SafeText value={createdBy} mono /> },
    { key: "diff", title: t("search.diffId"), width: 200, cell: ({ diffId }) => <SafeText value={diffId} mono /> },
    { key: "depth", title: t("search.depth"), width: 90, numeric: true, cell: ({ depth }) => format.number(depth) },
    { key: "images", title: t("nav.images"), width: 90, numeric: true, cell: ({ images }) => format.number(images) },
  ];
  return (
    <DataTable
      label={t("layers.title")}
      rows={rowsOf(rows)}
      columns={columns}
      rowKey={({ diffId }) => diffId}
      empty={<EmptyState title={t("search.noneTitle")} hint={t("search.noneHint")} />}
    />
  );
}

export function BaseTable({ rows }: { readonly rows: readonly Base[] }) {
  const { t, format } = useSpeech();
  const columns: readonly Column<Base>[] = [
    {
      key: "reference",
      title: t("about.base"),
      cell: ({ reference, digest }) => (
        <Link to={`/images/${digest}`}>
          <SafeText value={reference} />
        </Link>
      ),
    },
    { key: "digest", title: t("image.digest"), cell: ({ digest }) => <SafeText value={digest} mono /> },
    { key: "images", title: t("nav.images"), width: 90, numeric: true, cell: ({ images }) => format.number(images) },
  ];
  return (
    <DataTable
      label={t("search.bases")}
      rows={rowsOf(rows)}
      columns={columns}
      rowKey={({ digest }) => digest}
      empty={<EmptyState title={t("search.noBases")} hint={t("search.noBasesHint")} />}
    />
  );
}

export function OwnerTable({ rows }: { readonly rows: readonly Owner[] }) {
  const { t, format } = useSpeech();
  const columns: readonly Column<Owner>[] = [
    {
      key: "name",
      title: t("images.owner"),
      cell: ({ name }) => <SafeText value={name} />,
    },
    { key: "email", title: t("owners.email"), cell: ({ email }) => <SafeText value={email} /> },
    { key: "images", title: t("nav.images"), width: 90, numeric: true, cell: ({ images }) => format.number(images) },
  ];
  return (
    <DataTable
      label={t("nav.owners")}
      rows={rowsOf(rows)}
      columns={columns}
      rowKey={({ id }) => id}
      empty={<EmptyState title={t("search.noneTitle")} hint={t("search.noneHint")} />}
    />
  );
}
