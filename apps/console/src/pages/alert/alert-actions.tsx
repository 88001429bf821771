import { Button, DatePicker, Form, Input, Select } from "antd";
import { useAccounts } from "../../api/administration.ts";
import { useAllowAlert, useChangeAlert } from "../../api/alerts.ts";
import type { AlertAllowance, AlertDetail } from "../../api/contract.ts";
import type { AlertFacts } from "../../api/runtime-facts.ts";
import { useMay } from "../../api/session.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

interface Props {
  readonly alert: AlertDetail;
}

const SHOWN_NAME = 60;
/** Of what an API server was asked those that name an object come first, as narrow as they are. */
const PLACES = ["container", "image", "everywhere"] as const;
const REQUEST_PLACES = ["namespace", "object", "cluster", "everywhere"] as const;
const MAX_REASON = 2_000;

/** What a person may decide about an alert. What can be done on the node stands below. */
export function AlertActions({ alert }: Props) {
  const { t } = useSpeech();
  const may = useMay();
  const change = useChangeAlert(alert.id);
  if (!may("alerts:write")) return null;
  const { state } = alert;
  const to = (next: "open" | "acknowledged" | "closed") => change.mutate({ state: next });
  return (
    <>
      {state === "open" ? (
        <Button loading={change.isPending} onClick={() => to("acknowledged")}>
          {t("alert.acknowledge")}
        </Button>
      ) : null}
      {may("admin:read") ? <Assign alert={alert} /> : null}
      {may("runtime:write") && state !== "allowed" ? <Allow alert={alert} /> : null}
      {state === "closed" || state === "allowed" ? (
        <Button loading={change.isPending} onClick={() => to("open")}>
          {t("alert.reopen")}
        </Button>
      ) : (
        <Button type="primary" loading={change.isPending} onClick={() => to("closed")}>
          {t("alert.close")}
        </Button>
      )}
    </>
  );
}

function Assign({ alert }: Props) {
  const { t } = useSpeech();
  const accounts = useAccounts();
  const assign = useChangeAlert(alert.id);
  return (
    <FormModal<{ assigneeId: number | undefined }>
      title={t("risk.assign")}
      submit={t("risk.assign")}
      kind="default"
      initial={alert.assignee === null ? {} : { assigneeId: alert.assignee.id }}
      sending={assign.isPending}
      onSubmit={({ assigneeId = null }, close) => assign.mutate({ assigneeId }, { onSuccess: close })}
    >
      {() => (
        <Form.Item name="assigneeId" label={t("risks.assignee")}>
          <Select
            allowClear
            showSearch={{ optionFilterProp: "label" }}
            options={accounts.items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))}
          />
        </Form.Item>
      )}
    </FormModal>
  );
}

interface Allowance {
  readonly where: AlertAllowance["where"];
  readonly reason: string;
  readonly expires?: { toISOString(): string };
}

function placesOf({ container }: AlertDetail): readonly AlertAllowance["where"][] {
  return container === "" ? ["everywhere"] : PLACES;
}

/** Only what the request names: nodes and bindings of a cluster have no namespace. */
function placesOfRequest({ objectRef }: NonNullable<AlertFacts["audit"]>): readonly AlertAllowance["where"][] {
  const { namespace = "", name = "" } = objectRef ?? {};
  const isNamed = { namespace: namespace !== "", object: name !== "", cluster: true, everywhere: true };
  return REQUEST_PLACES.filter((place) => isNamed[place]);
}

function Allow({ alert }: Props) {
  const { t } = useSpeech();
  const allow = useAllowAlert(alert.id);
  const required = [{ required: true, whitespace: true, message: t("form.required") }];
  const { audit, event } = alert.facts as AlertFacts;
  const places = audit === undefined ? placesOf(alert) : placesOfRequest(audit);
  // What tells of no single event, such as that events were lost, cannot be known and accepted.
  if (audit === undefined && event === undefined) return null;
  const send = ({ where, reason, expires }: Allowance, close: () => void) =>
    allow.mutate(
      { where, reason, ...(expires === undefined ? {} : { expiresAt: expires.toISOString() }) },
      { onSuccess: close },
    );
  return (
    <FormModal<Allowance>
      title={t("alert.allow")}
      submit={t("alert.allow")}
      kind="default"
      initial={places[0] === undefined ? {} : { where: places[0] }}
      sending={allow.isPending}
      onSubmit={send}
    >
      {() => (
        <>
          <p className="quiet form-alert">
            {audit === undefined ? (
              t("alert.allowHint")
            ) : (
              <SafeText
                value={t("alert.allowRequestHint", { user: visible(audit.user?.username ?? "", SHOWN_NAME) })}
                wrap
              />
            )}
          </p>
          <Form.Item name="where" label={t("alert.allowWhere")} rules={[{ required: true }]}>
            <Select options={places.map((value) => ({ value, label: t(`allowWhere.${value}`) }))} />
          </Form.Item>
          <Form.Item name="reason" label={t("risk.reason")} rules={required}>
            <Input.TextArea rows={3} maxLength={MAX_REASON} />
          </Form.Item>
          <Form.Item name="expires" label={t("alert.allowUntil")} extra={t("alert.allowForever")}>
            <DatePicker showTime={{ format: "HH:mm" }} />
          </Form.Item>
        </>
      )}
    </FormModal>
  );
}
