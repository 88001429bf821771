import { App as AntApp, theme as antTheme, ConfigProvider, type ThemeConfig } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { createContext, type ReactNode, use, useEffect, useLayoutEffect, useMemo, useState } from "react";
import { useSpeech } from "../i18n/language.tsx";

export const THEMES = ["system", "light", "dark"] as const;
export type ThemeChoice = (typeof THEMES)[number];
const REMEMBERED = "bulwark.theme";
const DARK = window.matchMedia("(prefers-color-scheme: dark)");

interface Look {
  readonly choice: ThemeChoice;
  readonly dark: boolean;
  readonly choose: (choice: ThemeChoice) => void;
}

const LookContext = createContext<Look | undefined>(undefined);

/** Light and dark: the system's unless another was chosen, which is remembered. */
export function ThemeProvider({ children }: { readonly children: ReactNode }) {
  const [choice, setChoice] = useState(rememberedChoice);
  const [systemDark, setSystemDark] = useState(DARK.matches);
  const { language } = useSpeech();
  useEffect(() => {
    const follow = () => setSystemDark(DARK.matches);
    DARK.addEventListener("change", follow);
    return () => DARK.removeEventListener("change", follow);
  }, []);
  const dark = choice === "system" ? systemDark : choice === "dark";
  // Before anything is painted: otherwise the page would flash in the other colours.
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }, [dark]);
  const look = useMemo<Look>(() => {
    const choose = (next: ThemeChoice) => {
      window.localStorage.setItem(REMEMBERED, next);
      setChoice(next);
    };
    return { choice, dark, choose };
  }, [choice, dark]);
  return (
    <LookContext value={look}>
      <ConfigProvider
        theme={dark ? DARK_THEME : LIGHT_THEME}
        locale={language === "zh" ? zhCN : enUS}
        csp={csp()}
        button={PLAIN_BUTTON}
        getPopupContainer={overlays}
      >
        <AntApp component={false}>{children}</AntApp>
      </ConfigProvider>
    </LookContext>
  );
}

export function useLook(): Look {
  const look = use(LookContext);
  if (look === undefined) throw new Error("no ThemeProvider above");
  return look;
}

function rememberedChoice(): ThemeChoice {
  const remembered = window.localStorage.getItem(REMEMBERED);
  return THEMES.find((choice) => choice === remembered) ?? "system";
}

/** Ant Design writes style elements; the page's policy lets only those with its nonce count. */
function csp(): { readonly nonce?: string } {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
  return nonce === undefined || nonce === "" ? {} : { nonce };
}

/** Ant Design puts a space between two Chinese characters unless told not to. */
const PLAIN_BUTTON = { autoInsertSpace: false };

/** Over the page lie its drawers, dialogues and lists. Below the body itself Ant Design would write a style without nonce. */
function overlays(): HTMLElement {
  return document.getElementById("overlays") ?? document.body;
}

const SHARED: ThemeConfig["token"] = {
  fontSize: 13,
  borderRadius: 6,
  controlHeight: 32,
  wireframe: false,
  motionDurationMid: "0.12s",
  motionDurationSlow: "0.16s",
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif',
};

const LIGHT_THEME: ThemeConfig = {
  token: { ...SHARED, colorPrimary: "#2b5cc4", colorInfo: "#2b5cc4", colorLink: "#2453b3", colorBgLayout: "#f4f5f7" },
};

const DARK_THEME: ThemeConfig = {
  algorithm: antTheme.darkAlgorithm,
  token: {
    ...SHARED,
    colorPrimary: "#5b8def",
    colorInfo: "#5b8def",
    colorLink: "#8ab0f7",
    colorBgBase: "#12161c",
    colorBgContainer: "#191f27",
    colorBgElevated: "#202732",
    colorBgLayout: "#12161c",
    colorBorder: "#3a4554",
    colorBorderSecondary: "#2c3540",
  },
};
