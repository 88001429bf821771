import type { Lineage } from "../api/runtime-facts.ts";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";
import "./lineage-tree.css";

type Process = Lineage[number];

/** Beyond it the file system or an attacker has written a novel. */
const LONG = 4_000;
const SUPERUSER = 0;

/** A process and those above it, from the oldest down to the one that it is about. */
export function LineageTree({ lineage }: { readonly lineage: Lineage }) {
  const { t } = useSpeech();
  if (lineage.length === 0) return <p className="quiet">{t("lineage.none")}</p>;
  const down = [...lineage].reverse();
  return (
    <ol className="lineage">
      {down.map((process, depth) => (
        <li key={`${process.pid}|${process.startUs}|${process.exe}`} style={{ marginInlineStart: depth * 18 }}>
          <Entry process={process} isLast={depth === down.length - 1} />
        </li>
      ))}
    </ol>
  );
}

function Entry({ process, isLast }: { readonly process: Process; readonly isLast: boolean }) {
  const { t } = useSpeech();
  const { name = "", exe = "", pid = 0, arguments: argv = [], argumentsCut = 0 } = process;
  const command = argv.join(" ");
  return (
    <div className={isLast ? "process process-subject" : "process"}>
      <p className="chips">
        <strong>
          <SafeText value={name === "" ? exe : name} max={120} />
        </strong>
        <span className="quiet number">{t("lineage.pid", { pid: String(pid) })}</span>
        <span className="quiet">
          <SafeText value={userOf(process)} max={80} />
        </span>
        <Marks process={process} />
      </p>
      <p>
        <SafeText value={command === "" ? exe : command} mono wrap max={LONG} />
        {argumentsCut > 0 ? <span className="quiet"> {t("lineage.cut", { n: argumentsCut })}</span> : null}
      </p>
      {command === "" || exe === "" || argv[0] === exe ? null : (
        <p className="quiet">
          <SafeText value={exe} mono wrap />
        </p>
      )}
    </div>
  );
}

function userOf({ userName = "", effectiveUid }: Process): string {
  if (effectiveUid === undefined) return userName;
  if (userName !== "") return `${userName} (${effectiveUid})`;
  return effectiveUid === SUPERUSER ? "root (0)" : String(effectiveUid);
}

/** What is odd about a program or about where its input and output go. */
function Marks({ process }: { readonly process: Process }) {
  const { t } = useSpeech();
  const { exeInMemory, exeDeleted, exeDrifted, stdin, stdout } = process;
  return (
    <>
      {exeInMemory ? <span className="tag tone-critical">{t("lineage.inMemory")}</span> : null}
      {exeDeleted ? <span className="tag tone-high">{t("lineage.deleted")}</span> : null}
      {exeDrifted ? <span className="tag tone-high">{t("lineage.drifted")}</span> : null}
      {stdin === "socket" || stdout === "socket" ? (
        <span className="tag tone-critical">{t("lineage.socketStdio")}</span>
      ) : null}
    </>
  );
}
