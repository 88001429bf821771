import { Form, Select } from "antd";
import { useOwners } from "../../api/administration.ts";
import type { ImageDetail } from "../../api/contract.ts";
import { useChangeImage } from "../../api/images.ts";
import { useMay } from "../../api/session.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const GRADES = ["critical", "high", "medium", "low"] as const;
const SHOWN_NAME = 60;

/** Who answers for the image and how much depends on it; both set due dates and who is told. */
export function Ownership({ image }: { readonly image: ImageDetail }) {
  const { t } = useSpeech();
  const owners = useOwners();
  const change = useChangeImage();
  const disabled = !useMay()("images:write") || change.isPending;
  return (
    <Form layout="vertical" className="stack-form">
      <Form.Item label={t("images.owner")} htmlFor="image-owner">
        <Select
          id="image-owner"
          allowClear
          disabled={disabled}
          placeholder={t("about.noOwner")}
          value={image.owner?.id}
          options={owners.items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))}
          onChange={(ownerId?: number) => change.mutate({ digest: image.digest, ownerId: ownerId ?? null })}
        />
      </Form.Item>
      <Form.Item label={t("filters.grade")} htmlFor="image-grade" extra={t("about.gradeHint")}>
        <Select
          id="image-grade"
          allowClear
          disabled={disabled}
          placeholder={t("about.noGrade")}
          value={image.grade ?? undefined}
          options={GRADES.map((value) => ({ value, label: t(`grade.${value}`) }))}
          onChange={(grade?: string) => change.mutate({ digest: image.digest, grade: grade ?? null })}
        />
      </Form.Item>
    </Form>
  );
}
