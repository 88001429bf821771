import { Alert, Button } from "antd";
import { useRouteError } from "react-router";
import { SafeText } from "../components/safe-text.tsx";
import { useSpeech } from "../i18n/language.tsx";

/** A page that could not be drawn: usually the console was updated meanwhile and its old parts are gone. */
export function PageFailure() {
  const { t } = useSpeech();
  const error = useRouteError();
  return (
    <div className="page">
      <Alert
        type="error"
        showIcon
        title={t("failure.page")}
        description={<SafeText value={error instanceof Error ? error.message : String(error)} wrap />}
        action={<Button onClick={() => window.location.reload()}>{t("failure.reload")}</Button>}
      />
    </div>
  );
}
