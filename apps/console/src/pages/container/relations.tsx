import { ArrowRightOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useListeners } from "../../api/assets.ts";
import type { Container } from "../../api/contract.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "./relations.css";

interface Props {
  readonly container: Container;
}

/** What a container hangs together with: its node, its image and who answers for it, and who reaches it from outside. */
export function Relations({ container }: Props) {
  const { t } = useSpeech();
  const { nodeId, hostname, name, runtimeId, pod, namespace, openAlerts } = container;
  return (
    <section className="relations" aria-label={t("relations.title")}>
      <div className="relation-chain">
        <Box kind={t("place.node")}>
          <Link to={`/nodes/${nodeId}`}>
            <SafeText value={hostname} />
          </Link>
        </Box>
        <Arrow label={t("relations.runs")} />
        <Box kind={t("place.container")} isSubject>
          <strong>
            <SafeText value={name === "" ? runtimeId : name} />
          </strong>
          {pod === "" ? null : <SafeText value={`${namespace}/${pod}`} />}
          {openAlerts > 0 ? (
            <span className="tag tone-critical">{t("relations.alerts", { n: openAlerts })}</span>
          ) : (
            <span className="quiet">{t("relations.alerts", { n: 0 })}</span>
          )}
        </Box>
        <Arrow label={t("relations.madeOf")} />
        <ImageBox container={container} />
        <Arrow label={t("relations.owned")} />
        <OwnerBox container={container} />
      </div>
      <Reached container={container} />
    </section>
  );
}

interface BoxProps {
  readonly kind: string;
  readonly isSubject?: boolean;
  readonly children: ReactNode;
}

function Box({ kind, isSubject = false, children }: BoxProps) {
  return (
    <div className={isSubject ? "relation relation-subject" : "relation"}>
      <span className="quiet">{kind}</span>
      {children}
    </div>
  );
}

function Arrow({ label }: { readonly label: string }) {
  return (
    <span className="relation-arrow quiet">
      {label}
      <ArrowRightOutlined aria-hidden="true" />
    </span>
  );
}

function ImageBox({ container }: Props) {
  const { t, format } = useSpeech();
  const { image, imageDigest, imageId, critical, high } = container;
  if (imageId === null) {
    return (
      <Box kind={t("images.image")}>
        <SafeText value={image === "" ? imageDigest : image} />
        <span className="tag tone-medium">{t("relations.unknownImage")}</span>
      </Box>
    );
  }
  return (
    <Box kind={t("images.image")}>
      <Link to={`/images/${encodeURIComponent(imageDigest)}`}>
        <SafeText value={image} />
      </Link>
      <span className="chips">
        <span className={`tag ${critical ? "tone-critical" : "tone-other"}`}>
          {t("severity.critical")} {format.number(critical ?? 0)}
        </span>
        <span className={`tag ${high ? "tone-high" : "tone-other"}`}>
          {t("severity.high")} {format.number(high ?? 0)}
        </span>
      </span>
    </Box>
  );
}

/** Who answers for it, and by what that is known. */
function OwnerBox({ container: { owner } }: Props) {
  const { t } = useSpeech();
  return (
    <Box kind={t("images.owner")}>
      {owner === null ? (
        <span className="quiet">{t("about.noOwner")}</span>
      ) : (
        <>
          <SafeText value={owner.name} max={80} />
          <span className="quiet">
            {t(`ownerFrom.${owner.from}`)} <SafeText value={owner.detail} max={60} />
          </span>
        </>
      )}
    </Box>
  );
}

/** Ports that are open to others than the container itself. */
function Reached({ container }: Props) {
  const { t, nameOf } = useSpeech();
  const { items, loading, error } = useListeners({ container: container.runtimeId, nodeId: container.nodeId });
  // What is not known yet must not be taken for safety.
  if (loading || error !== null) return <div className="relation-reach quiet">{t("relations.reachUnknown")}</div>;
  const listening = items.filter((listener) => listener.exposed);
  const { exposure } = container;
  return (
    <div className="relation-reach">
      {exposure.length === 0 ? null : (
        <>
          <span className="tag tone-high">{t("container.exposed")}</span>
          {exposure.map(({ how, address, port, containerPort, protocol }) => (
            <span key={`${address} ${port}/${protocol}`} className="chips">
              <SafeText value={`${address}:${port} → ${containerPort}/${protocol}`} mono />
              <span className="quiet">{t(`exposedBy.${how}`)}</span>
            </span>
          ))}
        </>
      )}
      {listening.length === 0 ? (
        <span className="quiet">{t("relations.notReached")}</span>
      ) : (
        <>
          <span className="tag tone-medium">{t("relations.reached")}</span>
          {listening.map(({ id, protocol, port, kind, product, name }) => (
            <span key={id} className="chips">
              <SafeText value={`${protocol}/${port}`} mono />
              <span className="quiet">{nameOf("listenerKind", kind)}</span>
              <SafeText value={product === "" ? name : product} max={60} />
            </span>
          ))}
        </>
      )}
    </div>
  );
}
