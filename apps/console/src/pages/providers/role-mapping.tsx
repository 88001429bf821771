import { DeleteOutlined } from "@ant-design/icons";
import { Button, Form, Input, Select } from "antd";
import { useSpeech } from "../../i18n/language.tsx";

export const ROLES = ["admin", "security", "operator", "developer", "auditor"] as const;

/** Which value of the claim gives which role. */
export function RoleMapping() {
  const { t } = useSpeech();
  const required = [{ required: true, message: t("form.required") }];
  return (
    <Form.Item label={t("providers.roles")} extra={t("providers.rolesHint")}>
      <Form.List name="roles">
        {(rows, { add, remove }) => (
          <div className="mapping">
            {rows.map(({ key, name }) => (
              <div key={key} className="form-row">
                <Form.Item name={[name, "value"]} rules={required} noStyle>
                  <Input className="mono" maxLength={500} aria-label={t("providers.value")} spellCheck={false} />
                </Form.Item>
                <Form.Item name={[name, "role"]} rules={required} noStyle>
                  <Select
                    aria-label={t("users.role")}
                    options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))}
                  />
                </Form.Item>
                <Button
                  type="text"
                  icon={<DeleteOutlined />}
                  aria-label={t("providers.removeRole")}
                  onClick={() => remove(name)}
                />
              </div>
            ))}
            <Button size="small" onClick={() => add({ role: "auditor" })}>
              {t("providers.addRole")}
            </Button>
          </div>
        )}
      </Form.List>
    </Form.Item>
  );
}
