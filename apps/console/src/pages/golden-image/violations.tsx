import { Popover } from "antd";
import type { GoldenViolation } from "../../api/contract.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const MAX_SHOWN = 40;

interface Props {
  /** Null until it was assessed. */
  readonly passed: boolean | null;
  readonly violations: readonly GoldenViolation[];
}

/** Whether an image passes the build rules, and which it breaks. */
export function Violations({ passed, violations }: Props) {
  const { t } = useSpeech();
  if (passed === null) return <span className="quiet">{t("golden.notAssessed")}</span>;
  const tag = (
    <span className={`tag ${passed ? "tone-good" : "tone-critical"}`}>
      {t(passed ? "golden.passes" : "golden.breaks")}
    </span>
  );
  if (violations.length === 0) return tag;
  const list = (
    <ul className="plain-list">
      {violations.slice(0, MAX_SHOWN).map(({ policy, rule, level, message }) => (
        <li key={`${policy}|${rule}|${message}`}>
          <span className={`tag ${level === "deny" ? "tone-critical" : "tone-medium"}`}>{t(`ruleLevel.${level}`)}</span>{" "}
          <SafeText value={rule} mono /> <SafeText value={message} wrap />
        </li>
      ))}
    </ul>
  );
  return (
    <span className="chips">
      {tag}
      <Popover trigger={["click"]} content={list}>
        <button type="button" className="link-button">
          {t("golden.ruleCount", { n: violations.length })}
        </button>
      </Popover>
    </span>
  );
}
