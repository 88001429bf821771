import { Drawer } from "antd";
import { Link } from "react-router";
import { useRuntimeEvent } from "../../api/runtime-events.ts";
import type { EventDetail } from "../../api/runtime-facts.ts";
import { EventFacts } from "../../components/event-facts.tsx";
import { LineageTree } from "../../components/lineage-tree.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const WIDTH_PX = 680;

interface Props {
  readonly id: string | undefined;
  readonly onClose: () => void;
}

/** A whole event: its fields, its process with those above it, its container. */
export function EventDrawer({ id, onClose }: Props) {
  const { t } = useSpeech();
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      size={WIDTH_PX}
      destroyOnHidden
      title={t("events.one")}
      closable={{ "aria-label": t("close") }}
    >
      {id === undefined ? null : <Whole id={id} />}
    </Drawer>
  );
}

function Whole({ id }: { readonly id: string }) {
  const event = useRuntimeEvent(id);
  return <Loaded query={event}>{(data) => <Content event={data} />}</Loaded>;
}

function Content({ event }: { readonly event: EventDetail }) {
  const { t } = useSpeech();
  const { container } = event;
  return (
    <div className="stack">
      <EventFacts event={event} />
      <h3>{t("alert.lineage")}</h3>
      <LineageTree lineage={event.lineage ?? []} />
      <h3>{t("place.container")}</h3>
      {container === null || container === undefined ? (
        <p>{t("place.host")}</p>
      ) : (
        <dl className="facts">
          <dt>{t("place.container")}</dt>
          <dd>
            <Link to={`/assets?text=${encodeURIComponent(container.id ?? "")}`}>
              <SafeText value={container.name === "" ? container.id : container.name} wrap />
            </Link>
          </dd>
          <dt>{t("images.image")}</dt>
          <dd>
            <SafeText value={container.image} wrap />
          </dd>
          <dt>{t("container.id")}</dt>
          <dd>
            <SafeText value={container.id} mono wrap />
          </dd>
        </dl>
      )}
    </div>
  );
}
