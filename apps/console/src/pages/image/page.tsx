import { DownloadOutlined, ScanOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Tabs } from "antd";
import { Link, useParams } from "react-router";
import type { ImageDetail } from "../../api/contract.ts";
import { sbomAddress, useImage, useScan } from "../../api/images.ts";
import { useMay } from "../../api/session.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { ImageState } from "../../components/image-state.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { About } from "./about.tsx";
import { Findings } from "./findings.tsx";
import { ImageSummary } from "./image-summary.tsx";
import { LayerStack } from "./layer-stack.tsx";
import { Packages } from "./packages.tsx";
import { StandsOn } from "./stands-on.tsx";
import "./image.css";

const TABS = ["findings", "packages", "bases", "about"] as const;
const TITLE_CHARACTERS = 120;

export function Page() {
  const { t } = useSpeech();
  const { digest = "" } = useParams();
  const image = useImage(digest);
  const reference = image.data?.reference ?? digest;
  return (
    <Frame
      title={visible(reference, TITLE_CHARACTERS)}
      heading={<SafeText value={reference} wrap max={TITLE_CHARACTERS * 2} />}
      lead={image.data === undefined ? <Link to="/images">{t("images.title")}</Link> : <Lead image={image.data} />}
      actions={image.data === undefined ? null : <Actions image={image.data} />}
    >
      <Loaded query={image} rows={10}>
        {(data) => <Detail image={data} />}
      </Loaded>
    </Frame>
  );
}

function Lead({ image }: { readonly image: ImageDetail }) {
  const { t, format } = useSpeech();
  return (
    <span className="chips">
      <ImageState image={image} />
      <SafeText value={image.os?.name ?? image.platform} />
      <SafeText value={image.digest.slice(0, 19)} mono />
      <CopyButton text={image.digest} what={t("image.digest")} />
      <span>{t("image.scanned", { when: format.ago(image.scannedAt) })}</span>
    </span>
  );
}

function Actions({ image }: { readonly image: ImageDetail }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const scan = useScan();
  const may = useMay();
  const start = () =>
    scan.mutate(
      { images: [image.digest], force: true },
      { onSuccess: () => void message.success(t("image.scanStarted")) },
    );
  const formats = (["cyclonedx", "spdx"] as const).map((key) => ({
    key,
    label: (
      <a href={sbomAddress(image.digest, key)} download>
        {t(`sbom.${key}`)}
      </a>
    ),
  }));
  return (
    <>
      <Dropdown trigger={["click"]} menu={{ items: formats }}>
        <Button icon={<DownloadOutlined />}>{t("image.sbom")}</Button>
      </Dropdown>
      {may("jobs:write") ? (
        <Button type="primary" icon={<ScanOutlined />} loading={scan.isPending} onClick={start}>
          {t("image.scanNow")}
        </Button>
      ) : null}
    </>
  );
}

function Detail({ image }: { readonly image: ImageDetail }) {
  const { t, format } = useSpeech();
  const url = useUrlState();
  const tab = url.oneOf("tab", TABS) ?? "findings";
  const asked = url.integer("layer");
  const layer = image.layers.some(({ depth }) => depth === asked) ? asked : undefined;
  const items = [
    { key: "findings", label: t("image.findings"), children: <Findings image={image} layer={layer} /> },
    {
      key: "packages",
      label: `${t("image.packages")} (${format.number(image.packageCount)})`,
      children: <Packages digest={image.digest} layer={layer} />,
    },
    { key: "bases", label: t("image.standsOn"), children: <StandsOn digest={image.digest} /> },
    { key: "about", label: t("image.about"), children: <About image={image} /> },
  ];
  return (
    <>
      <ImageSummary image={image} />
      <div className="image-columns">
        <LayerStack
          image={image}
          selected={layer}
          onSelect={(depth) => url.set({ layer: depth === undefined ? undefined : String(depth) })}
        />
        <Tabs
          className="image-tabs"
          activeKey={tab}
          items={items}
          onChange={(key) => url.set({ tab: key })}
          destroyOnHidden
        />
      </div>
    </>
  );
}
