import benchmarks from "../../../../content/translations/benchmarks.zh.json" with { type: "json" };
import checks from "../../../../content/translations/checks.zh.json" with { type: "json" };
import policies from "../../../../content/translations/policies.zh.json" with { type: "json" };
import rules from "../../../../content/translations/rules.zh.json" with { type: "json" };
import { type Pattern, translated } from "./text-patterns.ts";
import { evidenceInChinese } from "./zh-benchmark-evidence.ts";
import { stepFixInChinese, stepInChinese } from "./zh-path-texts.ts";
import { alertTitleInChinese, gapInChinese, outcomeInChinese, ruleProblemInChinese } from "./zh-sensor-texts.ts";

/** Translations of texts that the server writes in English. A text that is not known stays as it is. */
export interface ServerTexts {
  /** Title and advice of a configuration check, by its id. */
  readonly checks: Readonly<Record<string, { readonly title: string; readonly advice: string }>>;
  /** Title and advice of a check of a benchmark, by its id. */
  readonly benchmarks: Readonly<Record<string, { readonly title: string; readonly advice: string }>>;
  /** A rule that comes with the product, by its name. */
  readonly rules: Readonly<
    Record<string, { readonly title: string; readonly description: string; readonly advice: string }>
  >;
  /** A policy of admission that comes with the product, by its name. */
  readonly policies: Readonly<
    Record<
      string,
      { readonly title: string; readonly description: string; readonly rules: Readonly<Record<string, string>> }
    >
  >;
  /** A factor of a priority. */
  reason(text: string): string;
  advice(text: string): string;
  /** Why a task or a registry failed. */
  problem(text: string): string;
  /** Why a rule cannot block, or what its block leaves to alerts: several reasons are separated by "; ". */
  blocking(text: string): string;
  /** Title of an alert, where the server gave it. */
  alertTitle(text: string): string;
  /** What came of a response. */
  outcome(text: string): string;
  /** Why a node cannot carry out a block. */
  gap(text: string): string;
  /** What of a file of rules cannot be used. */
  ruleProblem(text: string): string;
  /** What a check of a benchmark found. */
  evidence(text: string): string;
  /** A step of an attack path. */
  step<Step extends { readonly kind: string; readonly name: string; readonly how: string }>(step: Step): Step;
  /** What to change so that it leads nowhere. */
  stepFix(text: string): string;
}

/** What the severity word in a risk's first factor becomes. */
const SEVERITIES: Readonly<Record<string, string>> = {
  critical: "严重",
  high: "高危",
  medium: "中危",
  low: "低危",
  negligible: "轻微",
  unknown: "未知",
};

/** Factors of a priority (packages/advisory/src/priority.ts), and states of a match. */
const REASONS: readonly Pattern[] = [
  [/^malicious package$/, "恶意软件包"],
  [/^exploited in ransomware campaigns$/, "已被勒索软件利用"],
  [/^exploited in the wild$/, "已在野外被利用"],
  [/^EPSS (\d+) %$/, "EPSS 利用概率 $1%"],
  [/^public exploit$/, "存在公开的利用代码"],
  [/^a fix exists$/, "已有修复版本"],
  [/^fixed$/, "已修复"],
  [/^affected$/, "受影响"],
  [/^fixed (\S+)$/, "在 $1 中修复"],
];

/** Advice on flaws (packages/store/src/images/image-findings.ts). */
const ADVICE: readonly Pattern[] = [
  [
    /^Remove (.+) and replace every secret that the image could reach: the package is malicious\.$/,
    "移除 $1，并更换该镜像可触及的所有密钥：这是恶意软件包。",
  ],
  [
    /^It came with the base image: no fixed version is known yet; remove (.+) if it is not needed\.$/,
    "来自基础镜像：目前没有已知的修复版本；若不需要，请移除 $1。",
  ],
  [
    /^It came with a layer of your own: no fixed version is known yet; remove (.+) if it is not needed\.$/,
    "来自您自己的层：目前没有已知的修复版本；若不需要，请移除 $1。",
  ],
  [
    /^It came with the base image: wait for a base that holds (.+) (\S+), or move to one, and rebuild\.$/,
    "来自基础镜像：等待或改用包含 $1 $2 的基础镜像，然后重新构建。",
  ],
  [
    /^It came with a layer of your own: update (.+) to (\S+) and rebuild\.$/,
    "来自您自己的层：将 $1 更新到 $2，然后重新构建。",
  ],
];

/** Why a task, a registry or an export failed (apps/server/src/jobs/worker.ts, exports/transports, packages/image/src/registry). The part that quotes others stays. */
const PROBLEMS: readonly Pattern[] = [
  [/^its worker was stopped$/, "执行它的工作进程已停止"],
  [/^it waits for the worker on (\S+)$/, "等待 $1 上的工作进程"],
  [/^worker (\S+) gave no sign of life for (\d+) seconds$/, "工作进程 $1 已 $2 秒没有响应"],
  [
    /^the disk of the database or of the worker is full \((.*)\); free space there, the task is tried again by itself$/,
    "数据库或工作进程的磁盘已满（$1）；请释放空间，任务会自动重试",
  ],
  [/^(\S+) cannot be reached: no answer for (\d+) ms[^;]*/, "无法连接 $1：$2 毫秒内没有响应"],
  [/^(\S+) cannot be reached: ([^;]*)/, "无法连接 $1：$2"],
  [/^the receiver answers with status (\d+)(?:: (.*))?$/, "接收方返回状态码 $1 $2"],
  [/^(\S+) closed the connection before it had everything$/, "$1 在收完之前关闭了连接"],
  [/^(\S+) does not close the connection within (\S+) s$/, "$1 在 $2 秒内没有关闭连接"],
  [/^(\S+) does not take everything within (\S+) s$/, "$1 在 $2 秒内没有收完"],
  [/^the brokers do not answer within (\S+) s$/, "代理在 $1 秒内没有响应"],
  [/^\S+ failed \d+ times\. (.*)$/, "多次尝试均失败：$1"],
  [
    /^(\S+) leads to this machine, a private network or a reserved address.*$/,
    "$1 指向本机、私有网络或保留地址；如确有需要，请为该目标允许私有网络",
  ],
  [/^(\S+) does not answer: ([^;]*).*$/, "$1 没有响应：$2"],
  [/^(\S+): connect ECONNREFUSED (\S+)$/, "$1：连接 $2 被拒绝（ECONNREFUSED）"],
  [/^the image lies on (\S+) alone, in no registry/, "镜像只在 $1 上，不在任何镜像仓库中"],
];

/** Why a node cannot refuse what a rule sees (packages/detect/src/sensor-policy/blocks.ts). */
const BLOCKING: readonly Pattern[] = [
  [/^it judges many events together, and a node decides on each one$/, "它综合判断多个事件，而节点只能逐个决定"],
  [/^it is about the host, and only containers are blocked$/, "它针对主机，而阻断只针对容器"],
  [
    /^programs are blocked by one property each: .*$/,
    "程序只能按单一属性阻断：名称、路径、漂移、内存或以套接字为输入输出",
  ],
  [/^files are blocked by their path alone, and the rule asks for more$/, "文件只能按路径阻断，而该规则还有其他条件"],
  [
    /^calls are blocked by their name alone, and the rule asks for more$/,
    "系统调用只能按名称阻断，而该规则还有其他条件",
  ],
  [/^it would block every connection$/, "会阻断所有连接"],
  [/^a node cannot decide on what the rule leaves out$/, "节点无法判断该规则的排除条件"],
  [/^a node cannot decide on all that the rule asks$/, "节点无法判断该规则的全部条件"],
  [/^a node cannot decide on (\S+) by itself$/, "节点无法自行判断 $1"],
  [/^a node cannot refuse (.+)$/, "节点无法拒绝 $1"],
];

/** Texts of the server in Chinese. What advisories and other people wrote stays as it is. */
export const zhServer: ServerTexts = {
  checks,
  benchmarks,
  rules,
  policies,
  reason(text) {
    const [, severity = ""] = /^(\w+) severity$/.exec(text) ?? [];
    const word = SEVERITIES[severity];
    return word === undefined ? translated(REASONS, text) : `严重程度：${word}`;
  },
  advice: (text) => translated(ADVICE, text),
  problem: (text) => translated(PROBLEMS, text),
  blocking: (text) =>
    text
      .split("; ")
      .map((reason) => translated(BLOCKING, reason))
      .join("；"),
  alertTitle: alertTitleInChinese,
  outcome: outcomeInChinese,
  gap: gapInChinese,
  ruleProblem: ruleProblemInChinese,
  evidence: evidenceInChinese,
  step: stepInChinese,
  stepFix: stepFixInChinese,
};
