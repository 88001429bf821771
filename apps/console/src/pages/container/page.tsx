import { Tabs } from "antd";
import { Link, useParams } from "react-router";
import { useAlerts } from "../../api/alerts.ts";
import { useContainer, useListeners, usePrograms } from "../../api/assets.ts";
import type { Container } from "../../api/contract.ts";
import { useResponses } from "../../api/responses.ts";
import { useMay } from "../../api/session.ts";
import { AlertTable } from "../../components/alert-table.tsx";
import { ContainerState } from "../../components/container-state.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ListenerTable } from "../../components/listener-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { ProgramTable } from "../../components/program-table.tsx";
import { Respond } from "../../components/respond.tsx";
import { ResponseTable } from "../../components/response-table.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { ContainerFactList } from "./facts.tsx";
import { Relations } from "./relations.tsx";

const TABS = ["alerts", "programs", "ports", "responses"] as const;
const TITLE_CHARACTERS = 100;

export function Page() {
  const { t } = useSpeech();
  const container = useContainer(Number(useParams().id));
  const data = container.data;
  const title = data === undefined ? t("place.container") : data.name === "" ? data.runtimeId : data.name;
  return (
    <Frame
      title={visible(title, TITLE_CHARACTERS)}
      heading={<SafeText value={title} wrap />}
      lead={
        <span className="chips">
          <Link to="/assets">{t("assets.title")}</Link>
          {data === undefined ? null : <ContainerState container={data} />}
        </span>
      }
      actions={data === undefined || data.stoppedAt !== null ? null : <RespondTo container={data} />}
    >
      <Loaded query={container}>{(found) => <Content container={found} />}</Loaded>
    </Frame>
  );
}

function RespondTo({ container }: { readonly container: Container }) {
  const { nodeId, runtimeId, name } = container;
  return <Respond place={{ nodeId, container: runtimeId, name: name === "" ? runtimeId : name }} />;
}

function Content({ container }: { readonly container: Container }) {
  const { t } = useSpeech();
  const url = useUrlState();
  const may = useMay();
  const { runtimeId, nodeId } = container;
  const items = [
    { key: "alerts", label: t("alerts.title"), children: <Alerts place={{ container: runtimeId, nodeId }} /> },
    { key: "programs", label: t("asset.programs"), children: <Programs place={{ container: runtimeId, nodeId }} /> },
    { key: "ports", label: t("asset.ports"), children: <Ports place={{ container: runtimeId, nodeId }} /> },
    ...(may("responses:read")
      ? [{ key: "responses", label: t("responses.title"), children: <Responses container={runtimeId} /> }]
      : []),
  ];
  return (
    <>
      <Relations container={container} />
      <Panel title={t("findings.facts")}>
        <ContainerFactList container={container} />
      </Panel>
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "alerts"}
        items={items}
        onChange={(tab) => url.set({ tab: tab === "alerts" ? undefined : tab })}
        tabBarExtraContent={
          <Link to={`/events?span=day&container=${encodeURIComponent(runtimeId)}`}>{t("container.events")}</Link>
        }
        destroyOnHidden
      />
    </>
  );
}

interface Placed {
  readonly place: { readonly container: string; readonly nodeId: number };
}

function Alerts({ place }: Placed) {
  const { t } = useSpeech();
  const rows = useAlerts(place);
  return <AlertTable rows={rows} empty={<EmptyState title={t("container.noAlerts")} hint={t("alerts.emptyHint")} />} />;
}

function Programs({ place }: Placed) {
  const { t } = useSpeech();
  const rows = usePrograms(place);
  const empty = <EmptyState title={t("container.noPrograms")} hint={t("assets.noPlacesHint")} />;
  return <ProgramTable rows={rows} placed empty={empty} />;
}

function Ports({ place }: Placed) {
  const { t } = useSpeech();
  const rows = useListeners(place);
  const empty = <EmptyState title={t("container.noPorts")} hint={t("assets.noPlacesHint")} />;
  return <ListenerTable rows={rows} placed empty={empty} />;
}

function Responses({ container }: { readonly container: string }) {
  const { t } = useSpeech();
  const rows = useResponses({ container });
  const empty = <EmptyState title={t("alert.noResponses")} hint={t("alert.noResponsesHint")} />;
  return <ResponseTable rows={rows} placed empty={empty} />;
}
