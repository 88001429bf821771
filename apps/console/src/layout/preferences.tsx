import { BulbOutlined, GlobalOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { LANGUAGES, useSpeech } from "../i18n/language.tsx";
import { THEMES, useLook } from "../theme/theme.tsx";

/** Language and look, on every page and before login. */
export function Preferences() {
  const { t, language, speak } = useSpeech();
  const { choice, choose } = useLook();
  const languages = LANGUAGES.map((key) => ({ key, label: t(`language.${key}`), onClick: () => speak(key) }));
  const themes = THEMES.map((key) => ({ key, label: t(`theme.${key}`), onClick: () => choose(key) }));
  return (
    <>
      <Dropdown trigger={["click"]} menu={{ items: languages, selectable: true, selectedKeys: [language] }}>
        <Button type="text" icon={<GlobalOutlined />} aria-label={t("language.choose")} title={t("language.choose")} />
      </Dropdown>
      <Dropdown trigger={["click"]} menu={{ items: themes, selectable: true, selectedKeys: [choice] }}>
        <Button type="text" icon={<BulbOutlined />} aria-label={t("theme.choose")} title={t("theme.choose")} />
      </Dropdown>
    </>
  );
}
