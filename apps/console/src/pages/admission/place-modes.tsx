import { App, Button, Form, Input, Segmented } from "antd";
import { useSetAdmissionMode } from "../../api/admission.ts";
import type { AdmissionModeChange, AdmissionPolicy } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { ClusterSelect } from "../../components/cluster-select.tsx";
import { eitherOf } from "../../components/either-of.ts";
import { useExplain } from "../../components/explain.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { MODES, ModeChoice, sentPlace } from "./mode-choice.tsx";
import "../../components/plain-table.css";

const CLUSTER_PX = 180;
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

interface Chosen {
  readonly cluster?: number;
  readonly namespace?: string;
  readonly mode: NonNullable<AdmissionModeChange["mode"]>;
}

/** Where a policy does something else than in the rest of the estate. */
export function PlaceModes({ policy }: { readonly policy: AdmissionPolicy }) {
  const { t, format } = useSpeech();
  const may = useMay()("runtime:write");
  const set = useSetAdmissionMode();
  const { name, modes } = policy;
  return (
    <section className="stack" aria-label={t("admission.placeModes")}>
      <h3>{t("admission.placeModes")}</h3>
      {modes.length === 0 ? (
        <p className="quiet">{t("admission.noPlaceModes")}</p>
      ) : (
        <table className="plain-table" aria-label={t("admission.placeModes")}>
          <thead>
            <tr>
              <th scope="col">{t("baseline.cluster")}</th>
              <th scope="col">{t("admission.namespace")}</th>
              <th scope="col">{t("admission.mode")}</th>
              <th scope="col">{t("admission.by")}</th>
              <th scope="col">{t("actions")}</th>
            </tr>
          </thead>
          <tbody>
            {modes.map(({ mode, changedBy, changedAt, ...place }) => (
              <tr key={`${place.cluster?.id ?? ""} ${place.namespace}`}>
                <td>{place.cluster === null ? t("admission.allClusters") : <SafeText value={place.cluster.name} />}</td>
                <td>
                  {place.namespace === "" ? t("admission.allNamespaces") : <SafeText value={place.namespace} mono />}
                </td>
                <td>
                  <ModeChoice policy={name} place={place} mode={mode} />
                </td>
                <td>
                  <SafeText value={changedBy} /> <span className="quiet">{format.date(changedAt)}</span>
                </td>
                <td>
                  {may ? (
                    <Button size="small" onClick={() => set.mutate({ policy: name, ...sentPlace(place), mode: null })}>
                      {t("admission.asElsewhere")}
                    </Button>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {may ? <AddMode policy={name} /> : null}
    </section>
  );
}

function AddMode({ policy }: { readonly policy: string }) {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const [form] = Form.useForm<Chosen>();
  const set = useSetAdmissionMode();
  const send = ({ cluster, namespace = "", mode }: Chosen) =>
    set.mutate(
      { policy, mode, ...(cluster === undefined ? {} : { cluster }), ...(namespace === "" ? {} : { namespace }) },
      { onSuccess: () => form.resetFields(), onError: (error) => void message.error(explain(error).title) },
    );
  return (
    <Form form={form} layout="inline" initialValues={{ mode: "audit" }} onFinish={send}>
      <Form.Item name="cluster" label={t("baseline.cluster")}>
        <ClusterSelect
          allowClear
          className="cluster-choice"
          style={{ width: CLUSTER_PX }}
          placeholder={t("admission.allClusters")}
        />
      </Form.Item>
      <Form.Item
        name="namespace"
        label={t("admission.namespace")}
        dependencies={["cluster"]}
        rules={[
          { pattern: NAME, message: t("admission.namespaceWanted") },
          eitherOf("cluster", t("admission.placeWanted")),
        ]}
      >
        <Input className="mono" maxLength={63} spellCheck={false} autoComplete="off" />
      </Form.Item>
      <Form.Item name="mode">
        <Segmented
          aria-label={t("admission.mode")}
          options={MODES.map((value) => ({ value, label: t(`admissionMode.${value}`) }))}
        />
      </Form.Item>
      <Button htmlType="submit" loading={set.isPending}>
        {t("admission.setHere")}
      </Button>
    </Form>
  );
}
