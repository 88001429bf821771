import { useSpeech } from "../i18n/language.tsx";
import "./risk-meter.css";

const FULL = 100;

function toneOfRisk(risk: number): string {
  if (risk >= 80) return "critical";
  if (risk >= 55) return "high";
  if (risk >= 30) return "medium";
  return risk > 0 ? "low" : "good";
}

/** An image's risk, 0 to 100, as number and bar. */
export function RiskMeter({ risk }: { readonly risk: number }) {
  const { format } = useSpeech();
  return (
    <span className="risk-meter">
      <span className="risk-number">{format.number(Math.round(risk))}</span>
      <span className="risk-track" aria-hidden="true">
        <span className={`risk-fill risk-${toneOfRisk(risk)}`} style={{ width: `${Math.min(FULL, risk)}%` }} />
      </span>
    </span>
  );
}
