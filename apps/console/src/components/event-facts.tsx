import type { RuntimeEvent } from "@bulwark/model";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";

type Event = Partial<Omit<RuntimeEvent, "process" | "container">>;

const LONG = 4_000;
const US_PER_MS = 1_000;

/** The fields of an event that it has, in words where a number would not tell. */
export function EventFacts({ event }: { readonly event: Event }) {
  const { t, nameOf, format } = useSpeech();
  const { timeUs = 0, type = "", count = 1 } = event;
  return (
    <dl className="facts">
      <dt>{t("event.kind")}</dt>
      <dd>
        <SafeText value={nameOf("eventType", type)} />
      </dd>
      <dt>{t("event.time")}</dt>
      <dd>{timeUs === 0 ? t("none") : format.exactTime(new Date(timeUs / US_PER_MS).toISOString())}</dd>
      {count > 1 ? (
        <>
          <dt>{t("alerts.count")}</dt>
          <dd>{t("alert.times", { n: count })}</dd>
        </>
      ) : null}
      {useFields(event).map(([name, value]) => (
        <Field key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Field({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <SafeText value={value} mono wrap max={LONG} />
      </dd>
    </>
  );
}

function useFields(event: Event): readonly (readonly [string, string])[] {
  const { t } = useSpeech();
  const { path = "", newPath = "", result = 0, mode = 0, detail = "", dnsName = "", dnsAnswers = [] } = event;
  const { targetPid = 0, protocol = "", argument = 0, upperLayer = false } = event;
  const fields: readonly (readonly [string, string | undefined])[] = [
    [t("event.path"), path],
    [t("event.newPath"), newPath],
    [t("event.mode"), mode === 0 ? "" : `0${mode.toString(8)}`],
    [t("event.layer"), upperLayer ? t("event.upperLayer") : ""],
    [t("event.protocol"), protocol],
    [t("event.local"), endpoint(event.localAddress, event.localPort)],
    [t("event.remote"), endpoint(event.remoteAddress, event.remotePort)],
    [t("event.dns"), dnsName],
    [t("event.answers"), dnsAnswers.join(", ")],
    [t("event.argument"), argument === 0 ? "" : String(argument)],
    [t("event.target"), targetPid === 0 ? "" : String(targetPid)],
    [t("event.detail"), detail],
    [t("event.result"), result < 0 ? t("event.refused", { error: String(-result) }) : ""],
  ];
  return fields.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value] as const]));
}

function endpoint(address = "", port = 0): string {
  if (address === "") return "";
  const host = address.includes(":") ? `[${address}]` : address;
  return port === 0 ? host : `${host}:${port}`;
}
