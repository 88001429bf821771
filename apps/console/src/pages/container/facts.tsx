import type { Container } from "../../api/contract.ts";
import type { ContainerFacts } from "../../api/runtime-facts.ts";
import { CAPABILITY_COUNT, capabilityNames } from "../../components/linux-capabilities.ts";
import { SafeText } from "../../components/safe-text.tsx";
import type { Key } from "../../i18n/en.ts";
import { useSpeech } from "../../i18n/language.tsx";

const LONG = 4_000;
const MAX_MOUNTS = 100;
const MAX_LABELS = 200;

/** What a container may do and what it was given, the dangerous marked. */
export function ContainerFactList({ container }: { readonly container: Container }) {
  const { t, format } = useSpeech();
  const facts = container.facts as ContainerFacts;
  const { user = "", addresses = [], mounts = [], labels = {}, arguments: argv = [] } = facts;
  return (
    <div className="columns">
      <dl className="facts">
        <dt>{t("container.rights")}</dt>
        <dd>
          <Rights facts={facts} />
        </dd>
        <dt>{t("container.capabilities")}</dt>
        <dd>
          <Capabilities set={facts.capabilities ?? 0} />
        </dd>
        <dt>{t("assets.user")}</dt>
        <dd>
          <SafeText value={user === "" ? t("container.imageUser") : user} />
        </dd>
        <dt>{t("container.command")}</dt>
        <dd>
          <SafeText value={argv.join(" ")} mono wrap max={LONG} />
        </dd>
        <dt>{t("container.addresses")}</dt>
        <dd>
          <SafeText value={addresses.join(", ")} mono wrap />
        </dd>
        <dt>{t("container.runtime")}</dt>
        <dd>
          <SafeText value={container.runtime} />
        </dd>
        <dt>{t("container.id")}</dt>
        <dd>
          <SafeText value={container.runtimeId} mono wrap />
        </dd>
        <dt>{t("container.started")}</dt>
        <dd>{format.time(container.startedAt)}</dd>
        {container.stoppedAt === null ? null : (
          <>
            <dt>{t("container.stopped")}</dt>
            <dd>{format.time(container.stoppedAt)}</dd>
          </>
        )}
      </dl>
      <dl className="facts">
        <dt>{t("container.mounts")}</dt>
        <dd>
          <Mounts mounts={mounts} />
        </dd>
        <dt>{t("container.labels")}</dt>
        <dd>
          <Labels labels={labels} />
        </dd>
      </dl>
    </div>
  );
}

const RIGHTS: readonly (readonly [keyof ContainerFacts, Key])[] = [
  ["privileged", "container.privileged"],
  ["hostNetwork", "container.hostNetwork"],
  ["hostPid", "container.hostPid"],
  ["hostIpc", "container.hostIpc"],
];

function Rights({ facts }: { readonly facts: ContainerFacts }) {
  const { t } = useSpeech();
  const wide = RIGHTS.filter(([name]) => facts[name] === true);
  return (
    <span className="chips">
      {wide.map(([name, label]) => (
        <span key={name} className="tag tone-critical">
          {t(label)}
        </span>
      ))}
      {wide.length === 0 ? <span className="tag tone-good">{t("container.noWideRights")}</span> : null}
      <span className={`tag ${facts.seccomp ? "tone-good" : "tone-medium"}`}>
        {t(facts.seccomp ? "container.seccomp" : "container.noSeccomp")}
      </span>
      <span className={`tag ${facts.readOnlyRoot ? "tone-good" : "tone-other"}`}>
        {t(facts.readOnlyRoot ? "container.readOnlyRoot" : "container.writableRoot")}
      </span>
    </span>
  );
}

function Capabilities({ set }: { readonly set: number }) {
  const { t } = useSpeech();
  const names = capabilityNames(set);
  if (names.length === 0) return <span className="quiet">{t("container.noCapabilities")}</span>;
  if (names.length === CAPABILITY_COUNT) return <span className="tag tone-high">{t("container.allCapabilities")}</span>;
  return (
    <span className="chips">
      {names.map(({ name, strong }) => (
        <span key={name} className={`tag mono ${strong ? "tone-high" : "tone-other"}`}>
          {name}
        </span>
      ))}
    </span>
  );
}

function Mounts({ mounts }: { readonly mounts: NonNullable<ContainerFacts["mounts"]> }) {
  const { t } = useSpeech();
  if (mounts.length === 0) return <span className="quiet">{t("container.noMounts")}</span>;
  return (
    <ul className="plain-list">
      {mounts.slice(0, MAX_MOUNTS).map(({ source, destination, type, writable }) => (
        <li key={`${destination}|${source}`}>
          <SafeText value={`${source === "" ? type : source} → ${destination}`} mono wrap />{" "}
          <span className={`tag ${writable ? "tone-medium" : "tone-other"}`}>
            {t(writable ? "container.writable" : "container.readOnly")}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  const { t } = useSpeech();
  const entries = Object.entries(labels).slice(0, MAX_LABELS);
  if (entries.length === 0) return <span className="quiet">{t("container.noLabels")}</span>;
  return (
    <ul className="plain-list">
      {entries.map(([name, value]) => (
        <li key={name}>
          <SafeText value={`${name}=${value}`} mono wrap max={LONG} />
        </li>
      ))}
    </ul>
  );
}
