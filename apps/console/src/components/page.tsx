import { type ReactNode, useEffect } from "react";
import { useSpeech } from "../i18n/language.tsx";
import "./page.css";

interface Props {
  readonly title: string;
  readonly heading?: ReactNode;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** The page's table takes the height that is left. */
  readonly fill?: boolean;
}

/** The frame of every page: title of the document, heading, actions, content. */
export function Page({ title, heading, lead, actions, children, fill = false }: Props) {
  const { t } = useSpeech();
  useEffect(() => {
    document.title = `${title} · ${t("product")}`;
  }, [title, t]);
  return (
    <div className={`page${fill ? " page-fill" : ""}`}>
      <header className="page-head">
        <div className="page-title">
          <h1>{heading ?? title}</h1>
          {lead === undefined ? null : <div className="quiet">{lead}</div>}
        </div>
        {actions === undefined ? null : <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  readonly title: string;
  readonly extra?: ReactNode;
  readonly children: ReactNode;
}

/** A framed part of a page. */
export function Panel({ title, extra, children }: PanelProps) {
  return (
    <section className="panel" aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
        {extra}
      </header>
      <div className="panel-body">{children}</div>
    </section>
  );
}
