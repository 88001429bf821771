import { Link } from "react-router";
import type { GoldenCandidate } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { rowsOf } from "../../components/rows-of.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { Violations } from "./violations.tsx";

/** What the tags of the repository name now: each could be published if it passes. */
export function Candidates({ candidates }: { readonly candidates: readonly GoldenCandidate[] }) {
  const { t } = useSpeech();
  const columns = useColumns();
  return (
    <DataTable
      label={t("golden.candidates")}
      rows={rowsOf(candidates)}
      columns={columns}
      rowKey={({ imageId, tag }) => `${imageId}|${tag}`}
      empty={<EmptyState title={t("golden.noCandidates")} hint={t("golden.noCandidatesHint")} />}
    />
  );
}

function useColumns(): readonly Column<GoldenCandidate>[] {
  const { t } = useSpeech();
  return [
    {
      key: "tag",
      title: t("unused.tag"),
      cell: ({ tag, digest }) => (
        <Link to={`/images/${encodeURIComponent(digest)}`}>
          <SafeText value={tag === "" ? digest : tag} />
        </Link>
      ),
    },
    { key: "platform", title: t("about.platform"), width: 160, cell: ({ platform }) => <SafeText value={platform} /> },
    {
      key: "rules",
      title: t("golden.rules"),
      width: 280,
      cell: ({ isScanned, passed, violations }) =>
        isScanned ? (
          <Violations passed={passed} violations={violations} />
        ) : (
          <span className="quiet">{t("bases.unscanned")}</span>
        ),
    },
    {
      key: "version",
      title: t("golden.isVersion"),
      width: 150,
      cell: ({ versionId }) =>
        versionId === null ? <span className="quiet">{t("none")}</span> : t("golden.published"),
    },
  ];
}
