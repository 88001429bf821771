import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";

interface Props {
  readonly techniques: readonly { readonly id: string; readonly name: string }[];
  readonly tactics: readonly string[];
}

const ID = /^T(\d{4})(?:\.(\d{3}))?$/;

/** Techniques of MITRE ATT&CK with the tactics that they serve. */
export function Techniques({ techniques, tactics }: Props) {
  const { t, nameOf } = useSpeech();
  if (techniques.length === 0 && tactics.length === 0) return <span className="quiet">{t("none")}</span>;
  return (
    <span className="chips">
      {tactics.map((tactic) => (
        <span key={tactic} className="tag tone-other">
          <SafeText value={nameOf("tactic", tactic)} max={80} />
        </span>
      ))}
      {techniques.map((technique) => (
        <Technique key={technique.id} {...technique} />
      ))}
    </span>
  );
}

/** Linked to its page at MITRE only where the id is one. */
function Technique({ id, name }: { readonly id: string; readonly name: string }) {
  const [, main, sub] = ID.exec(id) ?? [];
  const text = <SafeText value={name === "" ? id : `${id} ${name}`} max={120} />;
  if (main === undefined) return text;
  return (
    <a
      href={`https://attack.mitre.org/techniques/T${main}/${sub === undefined ? "" : `${sub}/`}`}
      target="_blank"
      rel="noopener noreferrer nofollow"
      referrerPolicy="no-referrer"
    >
      {text}
    </a>
  );
}
