import type { Spread } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { NodeName } from "../../components/node-name.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityCounts } from "../../components/severity.tsx";
import { useSpeech } from "../../i18n/language.tsx";

type Top = Spread["topRoots"][number];

const TWO_LINES_PX = 48;

/** The bases that carry the most images. */
export function TopBases({ top, images }: { readonly top: readonly Top[]; readonly images: number }) {
  const { t } = useSpeech();
  const columns = useColumns(images);
  return (
    <DataTable
      label={t("spread.top")}
      rows={rowsOf(top)}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={<EmptyState title={t("bases.emptyTitle")} hint={t("bases.emptyHint")} />}
    />
  );
}

function useColumns(all: number): readonly Column<Top>[] {
  const { t, format } = useSpeech();
  return [
    { key: "base", title: t("bases.one"), cell: ({ id, node }) => <NodeName id={id} node={node} /> },
    { key: "images", title: t("nav.images"), width: 100, numeric: true, cell: ({ images }) => format.number(images) },
    {
      key: "share",
      title: t("spread.share"),
      width: 90,
      numeric: true,
      cell: ({ images }) => format.percent(images / all),
    },
    {
      key: "findings",
      title: t("images.findings"),
      width: 180,
      cell: ({ node }) =>
        node?.image?.scannedAt == null ? (
          <span className="quiet">{t("bases.unscanned")}</span>
        ) : (
          <SeverityCounts counts={node.image.counts} />
        ),
    },
    {
      key: "owner",
      title: t("images.owner"),
      width: 150,
      cell: ({ node }) => <SafeText value={node?.image?.owner?.name} />,
    },
    { key: "built", title: t("about.built"), width: 130, cell: ({ node }) => format.date(node?.image?.builtAt) },
  ];
}
