import "./history.css";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";

const LONG = 4_000;

interface Entry {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly detail: string;
}

/** What happened to something, the latest first. */
export function HistoryList({
  entries,
  nameOfAction,
}: {
  readonly entries: readonly Entry[];
  readonly nameOfAction: (action: string) => string;
}) {
  const { format } = useSpeech();
  return (
    <ol className="history">
      {entries.toReversed().map((entry) => (
        <li key={`${entry.at}|${entry.actor}|${entry.action}|${entry.detail}`}>
          <p>
            <SafeText value={entry.actor} max={80} /> <span className="quiet">{format.time(entry.at)}</span>
          </p>
          <p>
            <SafeText value={nameOfAction(entry.action)} />
          </p>
          {entry.detail === "" ? null : <SafeText value={entry.detail} wrap max={LONG} />}
        </li>
      ))}
    </ol>
  );
}
