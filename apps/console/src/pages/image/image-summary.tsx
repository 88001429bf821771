import type { ImageDetail } from "../../api/contract.ts";
import { Figure } from "../../components/figure.tsx";
import { RiskMeter } from "../../components/risk-meter.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** The image's figures in one line. What was not looked at is not shown as zero. */
export function ImageSummary({ image }: { readonly image: ImageDetail }) {
  const { t, format } = useSpeech();
  const { counts } = image;
  const known = image.scannedAt !== null;
  const count = (value: number) => (known ? format.number(value) : t("none"));
  const bad = (value: number) => (known && value > 0 ? "bad" : undefined);
  return (
    <section className="panel image-summary" aria-label={t("image.summary")}>
      <Figure name={t("images.risk")} value={known ? <RiskMeter risk={image.risk} /> : t("none")} />
      <Figure name={t("severity.critical")} value={count(counts.critical)} tone={bad(counts.critical)} />
      <Figure name={t("severity.high")} value={count(counts.high)} />
      <Figure name={t("overview.exploited")} value={count(counts.exploited)} tone={bad(counts.exploited)} />
      <Figure name={t("overview.fixable")} value={count(counts.fixable)} />
      <Figure name={t("overview.secrets")} value={count(counts.secrets)} tone={bad(counts.secrets)} />
      <Figure name={t("overview.malware")} value={count(counts.malware)} tone={bad(counts.malware)} />
      <Figure name={t("image.fromBase")} value={count(counts.baseCritical + counts.baseHigh)} />
      <Figure name={t("images.size")} value={format.bytes(image.sizeBytes)} />
    </section>
  );
}
