import { DownloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { Link, useParams } from "react-router";
import type { Case } from "../../api/contract.ts";
import { caseExportAddress, useCase, useCaseCurve } from "../../api/search.ts";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { questionOf, searchAddress } from "../search/question.ts";
import { CaseImages } from "./case-images.tsx";
import { CaseNote, EditCase } from "./case-note.tsx";
import { ClosureCurve } from "./closure-curve.tsx";

const TITLE_CHARACTERS = 100;

export function Page() {
  const { t } = useSpeech();
  const id = Number(useParams().id);
  const found = useCase(id);
  const title = found.data?.title ?? t("cases.one");
  return (
    <Frame
      title={visible(title, TITLE_CHARACTERS)}
      heading={<SafeText value={title} wrap />}
      lead={<Link to="/cases">{t("cases.title")}</Link>}
      actions={found.data === undefined ? null : <Actions opened={found.data} />}
    >
      <Loaded query={found}>{(data) => <Detail opened={data} />}</Loaded>
    </Frame>
  );
}

function Actions({ opened }: { readonly opened: Case }) {
  const { t } = useSpeech();
  return (
    <>
      <Button href={caseExportAddress(opened.id)} download icon={<DownloadOutlined />}>
        {t("cases.export")}
      </Button>
      <EditCase opened={opened} />
    </>
  );
}

function Detail({ opened }: { readonly opened: Case }) {
  const { t, format } = useSpeech();
  const curve = useCaseCurve(opened.id);
  const total = opened.open + opened.closed;
  return (
    <>
      <div className="columns">
        <Panel title={t("cases.question")}>
          <p>
            <Link to={searchAddress(opened.query)}>
              <SafeText value={questionOf(opened.query)} mono wrap />
            </Link>
          </p>
          <br />
          <div className="figures">
            <Figure
              name={t("cases.open")}
              value={format.number(opened.open)}
              tone={opened.open > 0 ? "bad" : undefined}
            />
            <Figure name={t("cases.closed")} value={format.number(opened.closed)} />
            <Figure name={t("cases.share")} value={total === 0 ? t("none") : format.percent(opened.closed / total)} />
          </div>
          <br />
          <p className="quiet">{t("cases.openedBy", { who: opened.createdBy, when: format.time(opened.createdAt) })}</p>
        </Panel>
        <Panel title={t("cases.curve")}>
          <Loaded query={curve}>{({ points }) => <ClosureCurve points={points} />}</Loaded>
        </Panel>
      </div>
      <CaseNote opened={opened} />
      <h2>{t("cases.images")}</h2>
      <CaseImages id={opened.id} />
    </>
  );
}
