import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Image } from "../api/contract.ts";
import type { Rows } from "../api/paged.ts";
import { useSpeech } from "../i18n/language.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { ImageState } from "./image-state.tsx";
import { RiskMeter } from "./risk-meter.tsx";
import { SafeText } from "./safe-text.tsx";
import { SeverityCounts } from "./severity.tsx";
import { TwoLines } from "./two-lines.tsx";

interface Props {
  readonly rows: Rows<Image>;
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  readonly empty: ReactNode;
  readonly fill?: boolean;
}

const TWO_LINES_PX = 48;

/** Images with their risk and findings; the same table wherever images are listed. */
export function ImageTable(props: Props) {
  const { t } = useSpeech();
  const columns = useColumns();
  return (
    <DataTable
      {...props}
      label={t("images.title")}
      columns={columns}
      rowKey={(image) => image.id}
      rowHeight={TWO_LINES_PX}
    />
  );
}

function useColumns(): readonly Column<Image>[] {
  const { t, nameOf, format } = useSpeech();
  return [
    { key: "reference", title: t("images.image"), cell: (image) => <ImageName image={image} /> },
    {
      key: "risk",
      title: t("images.risk"),
      width: 130,
      sort: "risk",
      cell: ({ risk, scannedAt }) => (scannedAt === null ? t("none") : <RiskMeter risk={risk} />),
    },
    {
      key: "findings",
      title: t("images.findings"),
      width: 170,
      sort: "critical",
      cell: (image) => (image.scannedAt === null ? t("none") : <SeverityCounts counts={image.counts} />),
    },
    { key: "state", title: t("images.state"), width: 130, cell: (image) => <ImageState image={image} /> },
    {
      key: "owner",
      title: t("images.owner"),
      width: 150,
      cell: ({ owner, grade }) => (
        <TwoLines second={grade === null ? "" : nameOf("grade", grade)}>
          <SafeText value={owner?.name} />
        </TwoLines>
      ),
    },
    {
      key: "size",
      title: t("images.size"),
      width: 100,
      sort: "sizeBytes",
      numeric: true,
      cell: ({ sizeBytes }) => format.bytes(sizeBytes),
    },
    {
      key: "firstSeen",
      title: t("images.firstSeen"),
      width: 130,
      sort: "firstSeen",
      cell: ({ firstSeen }) => <span title={format.time(firstSeen)}>{format.ago(firstSeen)}</span>,
    },
  ];
}

function ImageName({ image }: { readonly image: Image }) {
  return (
    <TwoLines second={<SafeText value={image.os === null ? image.platform : `${image.os.name} · ${image.platform}`} />}>
      <Link to={`/images/${image.digest}`}>
        <SafeText value={image.reference} />
      </Link>
    </TwoLines>
  );
}
