import { stringify } from "yaml";
import { AdmissionError } from "../admission/errors.ts";
import { readAdmissionPolicy } from "../admission/read-policy.ts";
import type { Trait, TraitKind } from "./traits.ts";

/** Where a baseline was learned, and where its policy holds. */
export interface BaselineScope {
  readonly cluster: string;
  /** Empty for all. */
  readonly namespace: string;
  /** A label of pods, such as that of their owner or business; null for all pods. */
  readonly label: { readonly name: string; readonly value: string } | null;
}

/** What was learned. */
export interface Learned {
  /** Of the policy. */
  readonly name: string;
  readonly scope: BaselineScope;
  readonly traits: readonly Trait[];
  /** Kinds of which more was seen than a policy lists: nothing is asked of these. */
  readonly tooMany: readonly TraitKind[];
}

interface ProposedRule {
  readonly id: string;
  readonly on: "pod" | "container" | "image";
  readonly title: string;
  readonly deny: string;
  readonly message: string;
}

const NEW_PATH = "has(v.hostPath) && !(v.hostPath.path in params.hostPaths)";
const USER = "container.?securityContext.?runAsUser.orValue(pod.spec.?securityContext.?runAsUser.orValue(-1))";
const BOUND =
  "container.?securityContext.?runAsNonRoot.orValue(pod.spec.?securityContext.?runAsNonRoot.orValue(false))";
const ADDED = "container.?securityContext.?capabilities.?add.orValue([])";

/**
 * Writes a policy of admission (YAML) that admits what was learned and names what is new. It only watches, until somebody sets another
 * mode. What was seen are parameters, and no part of an expression: a name that is made to look like CEL is compared like any other.
 *
 * @throws AdmissionError `ADMISSION_POLICY_INVALID` where what was learned cannot be written so that the same is read
 * @example readAdmissionPolicy(proposePolicy(learned), "learned").mode // "audit"
 */
export function proposePolicy(learned: Learned): string {
  const { name, traits, scope } = learned;
  const seen = (kind: TraitKind) =>
    traits
      .filter((each) => each.kind === kind)
      .map(({ value }) => value)
      .toSorted();
  const params = {
    images: seen("image"),
    capabilities: seen("capability"),
    hostNamespaces: seen("host-namespace"),
    hostPaths: seen("host-path"),
    serviceAccounts: seen("service-account"),
  };
  const text = stringify(
    {
      ...{ name, title: titleOf(scope), description: DESCRIPTION, category: "learned", mode: "audit" },
      ...{ scope: scopeOf(scope), params, rules: rulesOf(learned, seen) },
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  const read = readAdmissionPolicy(text, name);
  // The text is what people approve: it has to mean what was seen, whatever that looks like.
  if (JSON.stringify(read.params) === JSON.stringify(params)) return text;
  const what = `admission policy ${name}: what was learned cannot be written as YAML`;
  throw new AdmissionError("ADMISSION_POLICY_INVALID", what, "learn anew");
}

const DESCRIPTION =
  "Written from what was seen in an observation period; the parameters list it. What is not among them is new here.";

function titleOf({ namespace, label }: BaselineScope): string {
  const place = namespace === "" ? "these pods" : namespace;
  return `Nothing but what was seen ${label === null ? "in" : "of"} ${label === null ? place : `${label.name}=${label.value}`}`;
}

function scopeOf({ cluster, namespace, label }: BaselineScope) {
  return {
    // Patterns have no escape: in place of a character that means something stands one that fits it.
    clusters: [cluster.replace(/\*/g, "?")],
    ...(namespace === "" ? {} : { namespaces: [namespace] }),
    ...(label === null ? {} : { labels: { [label.name]: label.value } }),
  };
}

function rulesOf({ tooMany }: Learned, seen: (kind: TraitKind) => readonly string[]): readonly ProposedRule[] {
  const users = seen("user");
  const listed: readonly (readonly [TraitKind, ProposedRule])[] = [
    ["image", IMAGES],
    ["capability", CAPABILITIES],
    ["host-namespace", HOST_NAMESPACES],
    ["host-path", HOST_PATHS],
    ["service-account", SERVICE_ACCOUNTS],
  ];
  return [
    ...listed.filter(([kind]) => !tooMany.includes(kind)).map(([, rule]) => rule),
    ...(seen("privileged").length === 0 ? [PRIVILEGED] : []),
    ...(users.includes("root") ? [] : [ROOT]),
    ...(users.includes("root") || users.includes("image") ? [] : [MAY_BE_ROOT]),
    ...(seen("token").length === 0 ? [TOKEN] : []),
  ];
}

const IMAGES: ProposedRule = {
  ...{ id: "image", on: "image", title: "images of repositories that were seen" },
  deny: '!((image.registry + "/" + image.repository) in params.images)',
  message: "{image.reference} is of {image.registry}/{image.repository}, which was not seen here",
};
const CAPABILITIES: ProposedRule = {
  ...{ id: "capability", on: "container", title: "no capability is added that was not seen" },
  deny: `${ADDED}.exists(c, !(c in params.capabilities))`,
  message: `container {container.name} adds {${ADDED}.filter(c, !(c in params.capabilities))}, not seen here`,
};
const HOST_NAMESPACES: ProposedRule = {
  ...{ id: "host-namespace", on: "pod", title: "no namespace of the node that was not seen" },
  deny: (["hostNetwork network", "hostPID process", "hostIPC ipc"] as const)
    .map((pair) => pair.split(" "))
    .map(([member, name]) => `(pod.spec.?${member}.orValue(false) && !("${name}" in params.hostNamespaces))`)
    .join(" || "),
  message: "the pod shares a namespace of its node that was not shared here (seen: {params.hostNamespaces})",
};
const HOST_PATHS: ProposedRule = {
  ...{ id: "host-path", on: "pod", title: "no directory of the node that was not seen" },
  deny: `pod.spec.?volumes.orValue([]).exists(v, ${NEW_PATH})`,
  message: `volumes {pod.spec.volumes.filter(v, ${NEW_PATH}).map(v, v.name + " (" + v.hostPath.path + ")")} are directories of the node that were not seen here`,
};
const SERVICE_ACCOUNTS: ProposedRule = {
  ...{ id: "service-account", on: "pod", title: "service accounts that were seen" },
  deny: '!(pod.spec.?serviceAccountName.orValue("default") in params.serviceAccounts)',
  message: 'the service account {pod.spec.?serviceAccountName.orValue("default")} was not seen here',
};
const PRIVILEGED: ProposedRule = {
  ...{ id: "privileged", on: "container", title: "no privileged container, since none was seen" },
  deny: "container.?securityContext.?privileged.orValue(false)",
  message: "container {container.name} is privileged, and none was here",
};
const ROOT: ProposedRule = {
  ...{ id: "root", on: "container", title: "no container is told to run as root, since none was seen" },
  deny: `${USER} == 0`,
  message: "container {container.name} is told to run as user 0, and none was here",
};
const MAY_BE_ROOT: ProposedRule = {
  ...{
    id: "user",
    on: "container",
    title: "each container says that it does not run as root, as all that were seen do",
  },
  deny: `!${BOUND} && ${USER} < 1`,
  message: "container {container.name} may run as root, and none may here; set runAsNonRoot, or runAsUser above 0",
};
const TOKEN: ProposedRule = {
  ...{ id: "token", on: "pod", title: "no token of the service account, since no pod that was seen had one" },
  deny: "pod.spec.?automountServiceAccountToken.orValue(true)",
  message: "the pod gets a token of its service account, and none did here",
};
