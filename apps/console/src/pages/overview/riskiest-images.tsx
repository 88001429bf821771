import { Link } from "react-router";
import type { Image } from "../../api/contract.ts";
import { RiskMeter } from "../../components/risk-meter.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityCounts } from "../../components/severity.tsx";
import { useSpeech } from "../../i18n/language.tsx";

export function RiskiestImages({ images }: { readonly images: readonly Image[] }) {
  const { t } = useSpeech();
  if (images.length === 0) return <p className="quiet">{t("overview.noRiskiest")}</p>;
  return (
    <ol className="riskiest">
      {images.map((image) => (
        <li key={image.id}>
          <Link to={`/images/${image.digest}`}>
            <SafeText value={image.reference} />
          </Link>
          <SeverityCounts counts={image.counts} />
          <RiskMeter risk={image.risk} />
        </li>
      ))}
    </ol>
  );
}
