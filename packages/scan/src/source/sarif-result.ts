import { type Fields, fieldsOf, listOf, type Severity, textOf } from "@bulwark/model";

const MAX_REASON = 300;
const MAX_MESSAGE = 1_000;

/** Bounds of `security-severity` are those of CVSS 3.1, section 5; a low score below 1 is hardly one. */
const BY_SCORE: readonly (readonly [number, Severity])[] = [
  [9, "critical"],
  [7, "high"],
  [4, "medium"],
  [1, "low"],
];
/** `rank` is a share of 100 without bounds of its own (section 3.27.25). */
const BY_RANK: readonly (readonly [number, Severity])[] = [
  [90, "critical"],
  [70, "high"],
  [40, "medium"],
  [10, "low"],
];
const BY_LEVEL: ReadonlyMap<string, Severity> = new Map([
  ["error", "high"],
  ["warning", "medium"],
  ["note", "low"],
  ["none", "negligible"],
]);
/** Kinds of result that tell that nothing is wrong (section 3.27.9). */
const NO_FINDING: ReadonlySet<string> = new Set(["pass", "notApplicable", "informational"]);

/** The rules of a run's tool and its extensions. */
export interface Rules {
  /** Id of the rule that a result breaks; empty when it names none. */
  idOf(result: Fields): string;
  /** What is told of the rule; nothing where it is not described. */
  ruleOf(result: Fields): Fields;
  /** A message that any rule may use. */
  globalMessage(id: string): Fields;
}

/** Looks up rules by index or id, in the driver or the extension that the result names (sections 3.27.5 to 3.27.7). */
export function rulesOf(tool: Fields): Rules {
  const driver = fieldsOf(tool.driver);
  const components = [driver, ...listOf(tool.extensions).map(fieldsOf)];
  const byId = new Map<string, Fields>();
  for (const component of components) {
    for (const rule of listOf(component.rules).map(fieldsOf)) {
      const id = textOf(rule.id);
      if (id !== "" && !byId.has(id)) byId.set(id, rule);
    }
  }
  const byIndex = (result: Fields): Fields => {
    const reference = fieldsOf(result.rule);
    const extension = fieldsOf(reference.toolComponent).index;
    const component = typeof extension === "number" ? fieldsOf(listOf(tool.extensions)[extension]) : driver;
    const index = typeof result.ruleIndex === "number" ? result.ruleIndex : reference.index;
    return typeof index === "number" ? fieldsOf(listOf(component.rules)[index]) : {};
  };
  const namedBy = (result: Fields) => textOf(result.ruleId) || textOf(fieldsOf(result.rule).id);
  return {
    idOf: (result) => namedBy(result) || textOf(byIndex(result).id),
    ruleOf(result) {
      const id = namedBy(result);
      // `CA1000/1` is a result of rule `CA1000`.
      return byId.get(id) ?? byId.get(id.replace(/\/[^/]*$/, "")) ?? byIndex(result);
    },
    globalMessage: (id) => ownFields(fieldsOf(driver.globalMessageStrings), id),
  };
}

/** Whether a result tells of something wrong that is there now. */
export function isFinding(result: Fields): boolean {
  return !NO_FINDING.has(textOf(result.kind)) && result.baselineState !== "absent";
}

/** Suppressed, unless somebody still has to agree or did not (section 3.35.3). */
export function isSuppressed(result: Fields): boolean {
  const all = listOf(result.suppressions).map(fieldsOf);
  return all.length > 0 && all.every(({ status }) => status === undefined || status === "accepted");
}

/** Why it is suppressed, as far as the report tells. */
export function reasonOf(result: Fields): string {
  const [first] = listOf(result.suppressions).map(fieldsOf);
  const where = first?.kind === "inSource" ? "suppressed in the source" : "suppressed by the analyser";
  return (textOf(first?.justification) || where).slice(0, MAX_REASON);
}

/** By `security-severity`, else by `rank`, else by level: the result's own, or its rule's, or "warning". */
export function severityOf(result: Fields, rule: Fields): Severity {
  const score = scoreOf(fieldsOf(result.properties)) ?? scoreOf(fieldsOf(rule.properties));
  if (score !== undefined) return bandOf(score, BY_SCORE);
  const standard = fieldsOf(rule.defaultConfiguration);
  const rank = [result.rank, standard.rank].find((value) => typeof value === "number" && value >= 0 && value <= 100);
  if (typeof rank === "number") return bandOf(rank, BY_RANK);
  const level = textOf(result.level) || textOf(standard.level) || "warning";
  return BY_LEVEL.get(level) ?? "unknown";
}

/** Zero says that nobody gave a number. */
function scoreOf(properties: Fields): number | undefined {
  const value = properties["security-severity"];
  const score = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof score === "number" && score > 0 && score <= 10 ? score : undefined;
}

function bandOf(value: number, bands: readonly (readonly [number, Severity])[]): Severity {
  return bands.find(([from]) => value >= from)?.[1] ?? "negligible";
}

/** The message with its arguments filled in; messages may be kept with the rule (section 3.11). */
export function messageOf(result: Fields, rule: Fields, rules: Rules): string {
  const message = fieldsOf(result.message);
  const id = textOf(message.id);
  const kept = ownFields(fieldsOf(rule.messageStrings), id);
  const text = textOf(message.text) || textOf(kept.text) || textOf(rules.globalMessage(id).text);
  const values = listOf(message.arguments);
  const filled = (whole: string, at: string) => textOf(values[Number(at)]).slice(0, MAX_MESSAGE) || whole;
  return text.slice(0, MAX_MESSAGE).replace(/\{(\d{1,3})\}/g, filled);
}

function ownFields(fields: Fields, key: string): Fields {
  return key !== "" && Object.hasOwn(fields, key) ? fieldsOf(fields[key]) : {};
}
