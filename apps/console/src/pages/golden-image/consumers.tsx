import type { GoldenDetail } from "../../api/contract.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "../../components/plain-table.css";

const MAX_ROWS = 100;

/** Whose images stand on it. */
export function Consumers({ consumers }: { readonly consumers: GoldenDetail["consumers"] }) {
  const { t, format } = useSpeech();
  if (consumers.length === 0) return <p className="quiet">{t("golden.noConsumers")}</p>;
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th>{t("images.owner")}</th>
          <th className="numeric">{t("nav.images")}</th>
          <th className="numeric">{t("nav.repositories")}</th>
        </tr>
      </thead>
      <tbody>
        {consumers.slice(0, MAX_ROWS).map(({ id, name, images, repositories }) => (
          <tr key={id ?? "none"}>
            <th scope="row">{id === null ? t("bases.noOwner") : <SafeText value={name} />}</th>
            <td className="numeric">{format.number(images)}</td>
            <td className="numeric">{format.number(repositories)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
