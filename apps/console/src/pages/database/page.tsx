import { Alert } from "antd";
import { useAdvisoryDatabase } from "../../api/administration.ts";
import type { AdvisoryDatabase } from "../../api/contract.ts";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const OLD_DAYS = 3;
const DAY_MS = 86_400_000;

/** What is known about vulnerabilities, and how old that knowledge is. */
export function Page() {
  const { t } = useSpeech();
  const database = useAdvisoryDatabase();
  return (
    <Frame title={t("database.title")} lead={t("database.lead")}>
      <Loaded query={database}>{(data) => <State database={data} />}</Loaded>
    </Frame>
  );
}

function State({ database }: { readonly database: AdvisoryDatabase }) {
  const { t, format } = useSpeech();
  const { number, time } = format;
  return (
    <>
      <Warning database={database} />
      <section className="panel panel-body figures" aria-label={t("database.title")}>
        <Figure name={t("database.records")} value={number(database.records)} />
        <Figure name={t("database.ecosystems")} value={number(database.ecosystems.length)} />
      </section>
      <div className="columns">
        <Panel title={t("database.times")}>
          <dl className="facts">
            <dt>{t("database.built")}</dt>
            <dd>{time(database.built)}</dd>
            {database.sources.map(({ name, updated }) => [
              <dt key={`${name}-name`}>
                <SafeText value={t("database.feed", { name })} />
              </dt>,
              <dd key={name}>{time(updated)}</dd>,
            ])}
          </dl>
        </Panel>
        <Panel title={t("database.ecosystems")}>
          <dl className="facts">
            {database.ecosystems.map(({ ecosystem: name, records }) => [
              <dt key={`${name}-name`}>
                <SafeText value={name} />
              </dt>,
              <dd key={name} className="number">
                {number(records)}
              </dd>,
            ])}
          </dl>
        </Panel>
      </div>
    </>
  );
}

function Warning({ database }: { readonly database: AdvisoryDatabase }) {
  const { t, format } = useSpeech();
  if (database.built === null) {
    return <Alert type="error" showIcon title={t("database.missing")} description={t("database.updateHint")} />;
  }
  if (database.seedOnly) {
    return <Alert type="warning" showIcon title={t("database.seedOnly")} description={t("database.updateHint")} />;
  }
  if (Date.now() - Date.parse(database.built) < OLD_DAYS * DAY_MS) return null;
  const title = t("database.old", { when: format.ago(database.built) });
  return <Alert type="warning" showIcon title={title} description={t("database.updateHint")} />;
}
