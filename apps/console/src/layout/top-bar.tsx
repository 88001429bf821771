import { UserOutlined } from "@ant-design/icons";
import { Button, Dropdown, Input } from "antd";
import { useNavigate } from "react-router";
import { useLogout, useSession } from "../api/session.ts";
import { SafeText } from "../components/safe-text.tsx";
import { useSpeech } from "../i18n/language.tsx";
import { Preferences } from "./preferences.tsx";

const SHOWN_NAME = 40;

/** Search from anywhere, live state, preferences, account. */
export function TopBar({ live }: { readonly live: boolean }) {
  const { t } = useSpeech();
  const navigate = useNavigate();
  const account = useSession().data?.account;
  const logout = useLogout();
  const items = [
    { key: "account", label: t("account.title"), onClick: () => void navigate("/account") },
    { key: "logout", label: t("account.logout"), onClick: () => logout.mutate(undefined) },
  ];
  return (
    <header className="top-bar">
      <Input.Search
        className="search"
        aria-label={t("shell.search")}
        placeholder={t("shell.search")}
        maxLength={200}
        onSearch={(text) => {
          if (text.trim() !== "") void navigate(`/images?search=${encodeURIComponent(text.trim())}`);
        }}
      />
      <span
        className={`live${live ? " on" : ""}`}
        role="status"
        title={t(live ? "shell.liveHint" : "shell.notLiveHint")}
      >
        {t(live ? "shell.live" : "shell.notLive")}
      </span>
      <Preferences />
      <Dropdown trigger={["click"]} menu={{ items }}>
        <Button type="text" icon={<UserOutlined />} aria-label={t("account.menu")}>
          <SafeText value={account?.name} max={SHOWN_NAME} />
        </Button>
      </Dropdown>
    </header>
  );
}
