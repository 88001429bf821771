import { Drawer } from "antd";
import { Link } from "react-router";
import type { Finding } from "../../api/contract.ts";
import { SafeLink } from "../../components/safe-link.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const WIDTH_PX = 560;
const LONG = 20_000;
/** Lines of evidence that are shown. */
const MAX_LINES = 50;
const MAX_REFERENCES = 50;

interface Props {
  readonly finding: Finding | undefined;
  readonly onClose: () => void;
}

/** All that is known of one finding: where, why it is told, what to do. */
export function FindingDrawer({ finding, onClose }: Props) {
  const { t } = useSpeech();
  return (
    <Drawer
      open={finding !== undefined}
      onClose={onClose}
      size={WIDTH_PX}
      destroyOnHidden
      title={<SafeText value={finding?.id} />}
      closable={{ "aria-label": t("close") }}
    >
      {finding === undefined ? null : <Content finding={finding} />}
    </Drawer>
  );
}

function Content({ finding }: { readonly finding: Finding }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  const factors = [finding.range, finding.status, ...(finding.reasons ?? [])].filter((each) => each !== undefined);
  const evidence = [finding.foundBy, ...factors.map(told.reason)].filter((each) => each !== "");
  const details = (finding.detail ?? "").split("\n").filter((line) => line !== "");
  return (
    <div className="finding-drawer">
      <p>
        <SafeText value={told.titleOf(finding)} wrap />
      </p>
      <h3>{t("findings.advice")}</h3>
      <SafeText value={told.adviceOf(finding)} wrap max={LONG} />
      <h3>{t("findings.facts")}</h3>
      <Facts finding={finding} />
      {evidence.length === 0 ? null : <Block title={t("findings.evidence")} lines={evidence} />}
      {details.length === 0 ? null : <Block title={t("findings.detail")} lines={details} />}
      {finding.waived === undefined ? null : <Waived waived={finding.waived} />}
      {finding.references.length === 0 ? null : (
        <>
          <h3>{t("findings.references")}</h3>
          <ul>
            {finding.references.slice(0, MAX_REFERENCES).map((href) => (
              <li key={href}>
                <SafeLink href={href} />
              </li>
            ))}
          </ul>
        </>
      )}
      {finding.kind === "vulnerability" ? (
        <p>
          <br />
          <Link to={`/vulnerabilities/${encodeURIComponent(finding.id)}`}>{t("findings.everywhere")}</Link>
        </p>
      ) : null}
    </div>
  );
}

function Facts({ finding }: { readonly finding: Finding }) {
  const { t, format } = useSpeech();
  return (
    <dl className="facts">
      <dt>{t("filters.severity")}</dt>
      <dd>
        <span className="chips">
          <SeverityTag severity={finding.severity} />
          {finding.exploited ? <span className="tag tone-critical">{t("findings.exploited")}</span> : null}
        </span>
      </dd>
      {finding.package === undefined ? null : (
        <>
          <dt>{t("findings.package")}</dt>
          <dd>
            <SafeText value={finding.package.purl} mono wrap />
          </dd>
        </>
      )}
      {finding.path === "" ? null : (
        <>
          <dt>{t("findings.path")}</dt>
          <dd>
            <SafeText value={finding.path} mono wrap />
          </dd>
        </>
      )}
      <dt>{t("findings.fixed")}</dt>
      <dd>
        <SafeText value={finding.fixedVersion ?? t("findings.noFix")} mono={finding.fixedVersion !== undefined} />
      </dd>
      <dt>{t("findings.layer")}</dt>
      <dd>{t("findings.inLayer", { layer: finding.layer, origin: t(`origin.${finding.origin}`) })}</dd>
      <dt>{t("findings.cvss")}</dt>
      <dd>{finding.cvss === undefined ? t("none") : format.number(finding.cvss)}</dd>
      <dt>{t("findings.epss")}</dt>
      <dd>{finding.epss === undefined ? t("none") : format.percent(finding.epss)}</dd>
      <dt>{t("images.firstSeen")}</dt>
      <dd>{format.time(finding.firstSeen)}</dd>
    </dl>
  );
}

function Block({ title, lines }: { readonly title: string; readonly lines: readonly string[] }) {
  return (
    <>
      <h3>{title}</h3>
      <div className="evidence">
        {[...new Set(lines)].slice(0, MAX_LINES).map((line) => (
          <div key={line}>
            <SafeText value={line} mono wrap max={LONG} />
          </div>
        ))}
      </div>
    </>
  );
}

function Waived({ waived }: { readonly waived: NonNullable<Finding["waived"]> }) {
  const { t, format } = useSpeech();
  return (
    <>
      <h3>{t("findings.waived")}</h3>
      <SafeText value={waived.reason} wrap />
      <p className="quiet">{t("findings.waivedBy", { approver: waived.approver, until: format.date(waived.until) })}</p>
    </>
  );
}
