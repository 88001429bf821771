import { Alert, Button } from "antd";
import { ApiError } from "../api/client.ts";
import { useSpeech } from "../i18n/language.tsx";
import { useExplain } from "./explain.ts";
import { SafeText } from "./safe-text.tsx";

/** An error where its content would stand: what happened, what to do, and a way to try again. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry?: () => void }) {
  const { t } = useSpeech();
  const explain = useExplain();
  const problem = error instanceof ApiError ? error.problem : undefined;
  const { title, next } = explain(error);
  return (
    <Alert
      type="error"
      showIcon
      title={title}
      description={
        <>
          {problem === undefined || problem.code === "OFFLINE" ? null : <SafeText value={problem.title} wrap />}
          {next === undefined ? null : (
            <p>
              <SafeText value={next} wrap />
            </p>
          )}
          {problem?.instance === undefined ? null : (
            <p className="quiet">{t("problem.instance", { id: problem.instance })}</p>
          )}
        </>
      }
      action={retry === undefined ? null : <Button onClick={retry}>{t("retry")}</Button>}
    />
  );
}
