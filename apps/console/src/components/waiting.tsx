import { Skeleton } from "antd";
import { useSpeech } from "../i18n/language.tsx";

/** Stands where content is on its way. */
export function Waiting({ rows = 6 }: { readonly rows?: number }) {
  const { t } = useSpeech();
  return (
    <div className="waiting" role="status" aria-label={t("loading")}>
      <Skeleton active title={false} paragraph={{ rows }} />
    </div>
  );
}
