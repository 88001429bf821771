import { App, Form, Select } from "antd";
import { useBenchmarkChecks, useStartBenchmark } from "../../api/benchmarks.ts";
import { useMay } from "../../api/session.ts";
import { useExplain } from "../../components/explain.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** Judges everything that takes part, by a profile. */
export function RunButton() {
  const { t } = useSpeech();
  const { message } = App.useApp();
  const explain = useExplain();
  const start = useStartBenchmark();
  if (!useMay()("runtime:write")) return null;
  const send = (body: { profile: string }, close: () => void) =>
    start.mutate(body, {
      onSuccess: () => {
        void message.success(t("benchmarks.started"));
        close();
      },
      onError: (error) => void message.error(explain(error).title),
    });
  return (
    <FormModal<{ profile: string }>
      title={t("benchmarks.run")}
      submit={t("benchmarks.runSubmit")}
      initial={{ profile: "recommended" }}
      sending={start.isPending}
      onSubmit={send}
    >
      {() => <ProfileField />}
    </FormModal>
  );
}

/** Which checks are judged. */
export function ProfileField() {
  const { t } = useSpeech();
  const profiles = useBenchmarkChecks().data?.profiles ?? [];
  const options = profiles.map(({ id, title, checks }) => ({
    value: id,
    label: t("benchmarks.profileOf", { name: title, n: checks }),
  }));
  return (
    <Form.Item name="profile" label={t("benchmarks.profile")} rules={[{ required: true, message: t("form.required") }]}>
      <Select options={options} />
    </Form.Item>
  );
}
