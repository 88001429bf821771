import { DownOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useState } from "react";
import { useMay } from "../api/session.ts";
import { useSpeech } from "../i18n/language.tsx";
import { type AskedAction, RespondForm, type RespondPlace } from "./respond-form.tsx";

const FIRST: readonly AskedAction[] = ["isolate", "pause", "kill-process"];
const MORE: readonly AskedAction[] = ["collect-evidence", "quarantine", "restore-network", "resume", "stop", "destroy"];
/** They make something go away that does not come back. */
const ENDING: readonly AskedAction[] = ["stop", "destroy"];
/** What can be done on the host itself, where there is no container. */
const ON_HOST: readonly AskedAction[] = ["kill-process", "collect-evidence", "quarantine"];

/** Buttons for everything that a node can do about a container; each asks first and says what happens. */
export function Respond({ place }: { readonly place: RespondPlace }) {
  const { t } = useSpeech();
  const may = useMay();
  const [asked, setAsked] = useState<AskedAction>();
  if (!may("responses:write")) return null;
  const possible = (action: AskedAction) =>
    (place.container !== "" || ON_HOST.includes(action)) && (action !== "kill-process" || place.process !== undefined);
  return (
    <>
      {FIRST.filter(possible).map((action) => (
        <Button key={action} danger={action !== "pause"} onClick={() => setAsked(action)}>
          {t(`responseAction.${action}`)}
        </Button>
      ))}
      <Dropdown
        trigger={["click"]}
        menu={{
          items: MORE.filter(possible).map((action) => ({
            key: action,
            label: t(`responseAction.${action}`),
            danger: ENDING.includes(action),
          })),
          onClick: ({ key }) => setAsked(MORE.find((action) => action === key)),
        }}
      >
        <Button icon={<DownOutlined />} iconPlacement="end">
          {t("respond.more")}
        </Button>
      </Dropdown>
      <RespondForm action={asked} place={place} onClose={() => setAsked(undefined)} />
    </>
  );
}
