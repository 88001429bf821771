import { Alert } from "antd";
import { Link, useParams } from "react-router";
import type { GoldenDetail } from "../../api/contract.ts";
import { useGolden } from "../../api/golden.ts";
import { GoldenStateTag } from "../../components/golden-state.tsx";
import { HistoryList } from "../../components/history.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Actions } from "./actions.tsx";
import { Candidates } from "./candidates.tsx";
import { Consumers } from "./consumers.tsx";
import { Versions } from "./versions.tsx";

const TITLE_CHARACTERS = 100;

export function Page() {
  const { t } = useSpeech();
  const id = Number(useParams().id);
  const found = useGolden(id);
  const repository = found.data?.golden.repository;
  const title = repository === undefined ? t("golden.one") : `${repository.registry}/${repository.name}`;
  return (
    <Frame
      title={visible(title, TITLE_CHARACTERS)}
      heading={<SafeText value={title} wrap max={TITLE_CHARACTERS * 2} />}
      lead={<Link to="/golden">{t("golden.title")}</Link>}
      actions={found.data === undefined ? null : <Actions detail={found.data} />}
    >
      <Loaded query={found} rows={10}>
        {(detail) => <Content detail={detail} />}
      </Loaded>
    </Frame>
  );
}

function Content({ detail }: { readonly detail: GoldenDetail }) {
  const { t, nameOf } = useSpeech();
  const { golden, versions, candidates, consumers, history } = detail;
  return (
    <>
      {golden.state === "proposed" || golden.state === "published" ? null : (
        <Alert type={golden.state === "revoked" ? "error" : "info"} showIcon title={t(`goldenHint.${golden.state}`)} />
      )}
      <div className="columns">
        <Panel title={t("findings.facts")}>
          <Facts detail={detail} />
        </Panel>
        <Panel title={t("golden.consumersOf")}>
          <Consumers consumers={consumers} />
        </Panel>
        <Panel title={t("risk.history")}>
          <HistoryList entries={history.toReversed()} nameOfAction={(action) => nameOf("goldenState", action)} />
        </Panel>
      </div>
      <h2>{t("golden.versions")}</h2>
      <Versions id={golden.id} versions={versions} />
      <h2>{t("golden.candidates")}</h2>
      <Candidates candidates={candidates} />
    </>
  );
}

function Facts({ detail: { golden } }: { readonly detail: GoldenDetail }) {
  const { t, format } = useSpeech();
  return (
    <dl className="facts">
      <dt>{t("filters.state")}</dt>
      <dd>
        <GoldenStateTag state={golden.state} />
      </dd>
      <dt>{t("golden.purpose")}</dt>
      <dd>
        <SafeText value={golden.purpose} wrap />
      </dd>
      {golden.digest === "" ? null : (
        <>
          <dt>{t("image.digest")}</dt>
          <dd>
            <SafeText value={golden.digest} mono wrap />
          </dd>
        </>
      )}
      <dt>{t("images.owner")}</dt>
      <dd>
        <SafeText value={golden.owner?.name} />
      </dd>
      <dt>{t("golden.proposedBy")}</dt>
      <dd>
        <SafeText value={golden.proposedBy.name} /> <span className="quiet">{format.time(golden.proposedAt)}</span>
      </dd>
      <dt>{t("golden.approvedBy")}</dt>
      <dd>
        <SafeText value={golden.approvedBy?.name} /> <span className="quiet">{format.time(golden.approvedAt)}</span>
      </dd>
      {golden.successor === null ? null : (
        <>
          <dt>{t("golden.successor")}</dt>
          <dd>
            <Link to={`/golden/${golden.successor.id}`}>
              <SafeText value={`${golden.successor.registry}/${golden.successor.repository}`} wrap />
            </Link>
          </dd>
        </>
      )}
      {golden.reason === "" ? null : (
        <>
          <dt>{t("golden.reason")}</dt>
          <dd>
            <SafeText value={golden.reason} wrap />
          </dd>
        </>
      )}
    </dl>
  );
}
