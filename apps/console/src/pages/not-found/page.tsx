import { Link } from "react-router";
import { EmptyState } from "../../components/empty-state.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { useSpeech } from "../../i18n/language.tsx";

export function Page() {
  const { t } = useSpeech();
  return (
    <Frame title={t("notFound.title")}>
      <EmptyState
        title={t("notFound.title")}
        hint={t("notFound.hint")}
        action={<Link to="/">{t("notFound.back")}</Link>}
      />
    </Frame>
  );
}
