import { Alert, Drawer } from "antd";
import { Link } from "react-router";
import type { Image, LineageDetail, LineageNode } from "../../api/contract.ts";
import { useImagesOnNode, useLineageNode } from "../../api/lineage.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Figure } from "../../components/figure.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { nameOfNode } from "../../components/node-look.ts";
import { NodePath } from "../../components/node-path.tsx";
import { RiskMeter } from "../../components/risk-meter.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityCounts } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { SimulateMove } from "./simulate-move.tsx";
import type { Forest } from "./use-forest.ts";

const WIDTH_PX = 680;
const TWO_LINES_PX = 48;
const MAX_OWNERS = 50;
/** What an image says of its base and what its layers say are not the same. */
const DOUBTFUL = ["contradicted", "unresolved", "cyclic"] as const;

interface Props {
  readonly id: number | undefined;
  readonly forest: Forest;
  readonly onClose: () => void;
}

/** All that is known of one node of the forest, and of what stands on it. */
export function NodeDrawer({ id, forest, onClose }: Props) {
  const { t } = useSpeech();
  const found = useLineageNode(id);
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      size={WIDTH_PX}
      destroyOnHidden
      title={<SafeText value={found.data === undefined ? t("bases.one") : nameOfNode(found.data.node)} />}
      closable={{ "aria-label": t("close") }}
    >
      {id === undefined ? null : <Loaded query={found}>{(data) => <Content detail={data} forest={forest} />}</Loaded>}
    </Drawer>
  );
}

function Content({ detail, forest }: { readonly detail: LineageDetail; readonly forest: Forest }) {
  const { t } = useSpeech();
  const { node, path } = detail;
  const doubt = DOUBTFUL.find((claim) => claim === node.claim);
  return (
    <div className="stack">
      {doubt === undefined ? null : <Alert type="warning" showIcon title={t(`claim.${doubt}`)} />}
      <Facts node={node} />
      <h3>{t("bases.path")}</h3>
      <NodePath path={path} />
      <h3>{t("bases.standing")}</h3>
      <Standing standing={detail.standing} />
      {node.beneath === 0 ? null : (
        <>
          <h3>{t("bases.simulate")}</h3>
          <SimulateMove node={node} forest={forest} />
          <h3>{t("bases.imagesOn")}</h3>
          <Images id={node.id} />
        </>
      )}
    </div>
  );
}

function Facts({ node }: { readonly node: LineageNode }) {
  const { t, format } = useSpeech();
  const { image } = node;
  return (
    <dl className="facts">
      <dt>{t("bases.kind")}</dt>
      <dd>
        {t(`baseKind.${node.kind}`)}
        <p className="quiet">{t(`baseKindHint.${node.kind}`)}</p>
      </dd>
      <dt>{t("images.image")}</dt>
      <dd>
        {image === null ? (
          <span className="quiet">{t("none")}</span>
        ) : (
          <Link to={`/images/${image.digest}`}>
            <SafeText value={image.reference} wrap />
          </Link>
        )}
      </dd>
      {node.repository === null ? null : (
        <>
          <dt>{t("risks.repository")}</dt>
          <dd>
            <SafeText value={node.repository} wrap />
          </dd>
        </>
      )}
      <dt>{t("images.findings")}</dt>
      <dd>
        {image === null || image.scannedAt === null ? t("bases.unscanned") : <SeverityCounts counts={image.counts} />}
      </dd>
      <dt>{t("images.owner")}</dt>
      <dd>
        <SafeText value={image?.owner?.name} />
      </dd>
      <dt>{t("about.built")}</dt>
      <dd>{format.time(image?.builtAt)}</dd>
      <dt>{t("bases.layers")}</dt>
      <dd>
        <span className="number">{format.number(node.layers)}</span>
        <p>
          <SafeText value={node.chain} mono wrap />
        </p>
      </dd>
      <dt>{t("bases.how")}</dt>
      <dd>{t(`baseHow.${node.how}`)}</dd>
    </dl>
  );
}

function Standing({ standing }: { readonly standing: LineageDetail["standing"] }) {
  const { t, format } = useSpeech();
  return (
    <>
      <div className="figures">
        <Figure name={t("nav.images")} value={format.number(standing.images)} />
        <Figure name={t("nav.repositories")} value={format.number(standing.repositories)} />
        <Figure name={t("bases.containers")} value={format.number(standing.containers)} />
        <Figure name={t("nav.owners")} value={format.number(standing.owners.filter(({ id }) => id !== null).length)} />
      </div>
      {standing.owners.length === 0 ? null : (
        <ul className="plain-list">
          {standing.owners.slice(0, MAX_OWNERS).map(({ id, name, images }) => (
            <li key={id ?? "none"} className="forest-owner">
              {id === null ? <span className="quiet">{t("bases.noOwner")}</span> : <SafeText value={name} />}
              <span className="quiet number">{t("bases.imageCount", { n: images })}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Images({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const rows = useImagesOnNode(id);
  const columns: readonly Column<Image>[] = [
    {
      key: "image",
      title: t("images.image"),
      cell: ({ digest, reference, owner }) => (
        <TwoLines second={<SafeText value={owner?.name} />}>
          <Link to={`/images/${digest}`}>
            <SafeText value={reference} />
          </Link>
        </TwoLines>
      ),
    },
    {
      key: "risk",
      title: t("images.risk"),
      width: 120,
      cell: ({ risk, scannedAt }) => (scannedAt === null ? t("none") : <RiskMeter risk={risk} />),
    },
    {
      key: "findings",
      title: t("images.findings"),
      width: 170,
      cell: ({ counts, scannedAt }) => (scannedAt === null ? t("none") : <SeverityCounts counts={counts} />),
    },
  ];
  return (
    <div>
      <DataTable
        label={t("bases.imagesOn")}
        rows={rows}
        columns={columns}
        rowKey={(image) => image.id}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("bases.noImages")} hint={t("bases.noImagesHint")} />}
      />
    </div>
  );
}
