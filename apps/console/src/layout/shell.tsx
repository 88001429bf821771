import { useEffect, useRef } from "react";
import { Outlet, useLocation, useNavigation } from "react-router";
import { useLiveEvents } from "../api/events.ts";
import { useSpeech } from "../i18n/language.tsx";
import { Navigation } from "./navigation.tsx";
import { TopBar } from "./top-bar.tsx";
import "./shell.css";

/** What stands around every page: skip link, navigation, bar, main. */
export function Shell() {
  const { t } = useSpeech();
  const live = useLiveEvents();
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const first = useRef(pathname);
  const busy = useNavigation().state !== "idle";
  // After going to another page the keyboard starts at its content, as it does after a page load without scripts.
  useEffect(() => {
    if (first.current === pathname) return;
    first.current = pathname;
    main.current?.focus({ preventScroll: true });
    main.current?.scrollTo(0, 0);
  }, [pathname]);
  return (
    <div className="shell">
      <button type="button" className="skip-link" onClick={() => main.current?.focus()}>
        {t("shell.skip")}
      </button>
      <Navigation />
      <div className="shell-body">
        <TopBar live={live} />
        <main id="main" ref={main} tabIndex={-1} aria-busy={busy}>
          <Outlet />
        </main>
      </div>
    </div>
  );
}
