import { Drawer } from "antd";
import type { GoldenDiff } from "../../api/contract.ts";
import { useGoldenDiff } from "../../api/golden.ts";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "../../components/plain-table.css";

const WIDTH_PX = 680;
const MAX_ROWS = 300;

interface Props {
  readonly id: number;
  readonly version: number | undefined;
  readonly onClose: () => void;
}

/** What changed since the version before: packages and findings. */
export function DiffDrawer({ id, version, onClose }: Props) {
  const { t } = useSpeech();
  return (
    <Drawer
      open={version !== undefined}
      onClose={onClose}
      size={WIDTH_PX}
      destroyOnHidden
      title={t("golden.changes")}
      closable={{ "aria-label": t("close") }}
    >
      {version === undefined ? null : <Content id={id} version={version} />}
    </Drawer>
  );
}

function Content({ id, version }: { readonly id: number; readonly version: number }) {
  const { t, format } = useSpeech();
  const diff = useGoldenDiff(id, version);
  return (
    <Loaded query={diff}>
      {(data) => (
        <div className="stack">
          <p>
            <SafeText value={data.to.description} wrap />
          </p>
          {data.from === null ? (
            <p className="quiet">{t("golden.firstVersion")}</p>
          ) : (
            <>
              <p className="quiet">
                {t("golden.since", { tag: data.from.tag, when: format.time(data.from.publishedAt) })}
              </p>
              <Sizes diff={data} />
              <Findings title={t("golden.gone")} findings={data.findingsGone} />
              <Findings title={t("golden.came")} findings={data.findingsNew} />
              <Packages title={t("golden.changed")} packages={data.changed} />
              <Packages title={t("golden.added")} packages={data.added} />
              <Packages title={t("golden.removed")} packages={data.removed} />
              {data.cut ? <p className="quiet">{t("golden.cut")}</p> : null}
            </>
          )}
        </div>
      )}
    </Loaded>
  );
}

function Sizes({ diff }: { readonly diff: GoldenDiff }) {
  const { t, format } = useSpeech();
  return (
    <div className="figures">
      <Figure name={t("golden.sizeBefore")} value={format.bytes(diff.sizeBytes.from)} />
      <Figure name={t("golden.sizeNow")} value={format.bytes(diff.sizeBytes.to)} />
      <Figure name={t("golden.gone")} value={format.number(diff.findingsGone.length)} />
      <Figure
        name={t("golden.came")}
        value={format.number(diff.findingsNew.length)}
        tone={diff.findingsNew.length > 0 ? "bad" : undefined}
      />
    </div>
  );
}

function Findings({ title, findings }: { readonly title: string; readonly findings: GoldenDiff["findingsNew"] }) {
  if (findings.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <table className="plain-table">
        <tbody>
          {findings.slice(0, MAX_ROWS).map((finding) => (
            <tr key={`${finding.id}|${finding.package}`}>
              <th scope="row">
                <SafeText value={finding.id} />
              </th>
              <td>
                <SeverityTag severity={finding.severity} />
              </td>
              <td>
                <SafeText value={finding.package} wrap />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Packages({ title, packages }: { readonly title: string; readonly packages: GoldenDiff["changed"] }) {
  if (packages.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <table className="plain-table">
        <tbody>
          {packages.slice(0, MAX_ROWS).map(({ type, name, from, to }) => (
            <tr key={`${type}|${name}|${from}|${to}`}>
              <th scope="row">
                <SafeText value={name} wrap />
              </th>
              <td>
                <SafeText value={[from, to].filter((each) => each !== "").join(" → ")} mono wrap />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
