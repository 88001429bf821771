import type { AuditEvent } from "@bulwark/model";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const LONG = 2_000;

/** What an API server was asked: by whom, from where, on what, and what it answered. */
export function RequestFacts({ event }: { readonly event: Partial<AuditEvent> }) {
  const { t } = useSpeech();
  const {
    user,
    impersonatedUser,
    verb = "",
    objectRef,
    sourceIPs = [],
    userAgent = "",
    requestURI = "",
    omitted = "",
  } = event;
  const object = [objectRef?.resource, objectRef?.subresource].filter(Boolean).join("/");
  const name = [objectRef?.namespace, objectRef?.name].filter(Boolean).join("/");
  const rows = [
    [t("request.user"), user?.username],
    [t("request.as"), impersonatedUser?.username],
    [t("request.verb"), `${verb} ${object}`],
    [t("request.object"), name],
    [t("request.from"), sourceIPs.join(", ")],
    [t("request.agent"), userAgent],
    [t("request.uri"), requestURI],
    [t("request.answer"), event.responseStatus?.code === undefined ? "" : String(event.responseStatus.code)],
    [t("request.omitted"), omitted === "" ? "" : t(`request.omitted.${omitted}`)],
  ] as const;
  return (
    <dl className="facts">
      {rows.map(([label, value]) =>
        value === undefined || value === "" ? null : (
          <div key={label} style={{ display: "contents" }}>
            <dt>{label}</dt>
            <dd>
              <SafeText value={value} wrap max={LONG} />
            </dd>
          </div>
        ),
      )}
    </dl>
  );
}
