import { Button } from "antd";
import { Link } from "react-router";
import { useAssetCounts } from "../api/assets.ts";
import { useMay } from "../api/session.ts";
import { useSpeech } from "../i18n/language.tsx";
import { EmptyState } from "./empty-state.tsx";

interface Props {
  /** What is said when there are sensors and still nothing to show. */
  readonly title: string;
  readonly hint: string;
}

/** A list of the runtime without rows. Where no node has a sensor it says so, and how to come by one. */
export function NoSensor({ title, hint }: Props) {
  const { t } = useSpeech();
  const may = useMay();
  const counts = useAssetCounts(may("runtime:read"));
  if ((counts.data?.nodes ?? 1) > 0) return <EmptyState title={title} hint={hint} />;
  return (
    <EmptyState
      title={t("sensor.noneTitle")}
      hint={t("sensor.noneHint")}
      action={
        may("admin:write") ? (
          <Link to="/nodes?tab=tokens">
            <Button type="primary">{t("sensor.makeToken")}</Button>
          </Link>
        ) : null
      }
    />
  );
}
