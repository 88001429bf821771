import { Link } from "react-router";
import { usePlacedContainer } from "../api/assets.ts";
import { useMay } from "../api/session.ts";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";
import { TwoLines } from "./two-lines.tsx";

interface Placed {
  readonly hostname: string;
  readonly container: string;
  readonly containerName: string;
}

/** Where something happened, as a cell of a table: the container and below it its node. */
export function PlaceCell({ place }: { readonly place: Placed }) {
  const { t } = useSpeech();
  const { hostname, container, containerName } = place;
  if (container === "") {
    return (
      <TwoLines second={t("place.host")}>
        <SafeText value={hostname} />
      </TwoLines>
    );
  }
  return (
    <TwoLines second={<SafeText value={hostname} />}>
      <SafeText value={containerName === "" ? container : containerName} />
    </TwoLines>
  );
}

/** A container by its place, linked to its page where the node has told of it. */
export function ContainerLink({ nodeId, place }: { readonly nodeId: number; readonly place: Placed }) {
  const { t } = useSpeech();
  const mayLook = useMay()("runtime:read");
  const found = usePlacedContainer(nodeId, mayLook ? place.container : "");
  if (place.container === "") return <span>{t("place.host")}</span>;
  const name = place.containerName === "" ? place.container : place.containerName;
  if (found.data === undefined || found.data === null) return <SafeText value={name} wrap />;
  return (
    <Link to={`/containers/${found.data.id}`}>
      <SafeText value={name} wrap />
    </Link>
  );
}
