import { Alert } from "antd";
import type { RuleProblem } from "../../api/contract.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const MAX_SHOWN = 200;
const LONG = 1_000;

/** What of files of rules cannot be used, each with its line and column. */
export function Problems({ problems }: { readonly problems: readonly RuleProblem[] }) {
  const { t } = useSpeech();
  const told = useServerTexts();
  if (problems.length === 0) return null;
  const isWorse = problems.some(({ level }) => level === "error");
  return (
    <Alert
      type={isWorse ? "error" : "warning"}
      showIcon
      title={t("runtimeRules.problems", { n: problems.length })}
      description={
        <ul className="plain-list rule-problems">
          {problems.slice(0, MAX_SHOWN).map(({ level, message, rule, file, line, column }) => (
            <li key={`${file}|${line}|${column}|${rule}|${message}`}>
              <span className={`tag ${level === "error" ? "tone-critical" : "tone-medium"}`}>
                {t(`problemLevel.${level}`)}
              </span>{" "}
              <SafeText value={`${file}:${line}:${column}`} mono /> <SafeText value={rule} max={120} />
              <p>
                <SafeText value={told.ruleProblem(message)} wrap max={LONG} />
              </p>
            </li>
          ))}
        </ul>
      }
    />
  );
}
