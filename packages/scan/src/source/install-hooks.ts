import { type Fields, fieldsOf, textOf } from "@bulwark/model";
import type { Surface } from "./install-rules.ts";
import { gitlabHooks, workflowHooks } from "./pipeline-hooks.ts";

/** Longer commands are cut, and a rule tells of them: nobody writes such. */
const MAX_COMMAND = 8 * 1024;

/** Code that runs when somebody installs or builds, or when a pipeline is started. */
export interface InstallHook {
  readonly surface: Surface;
  /** For people: `postinstall`, `job build`. Empty where the file says it all. */
  readonly name: string;
  readonly text: string;
  /** Line on which the text begins. */
  readonly line: number;
  /** Events that start the pipeline. */
  readonly triggers?: readonly string[];
}

// npm documentation, "scripts", life cycle operation order of `npm install`; `prepublish` ran there up to npm 6.
const NPM_INSTALLED = ["preinstall", "install", "postinstall"];
const NPM_OWN = [...NPM_INSTALLED, "preprepare", "prepare", "postprepare", "prepublish"];
// Composer documentation, "Scripts", command events; only those of the root package run.
const COMPOSER = [
  "pre-install-cmd",
  "post-install-cmd",
  "pre-update-cmd",
  "post-update-cmd",
  "pre-autoload-dump",
  "post-autoload-dump",
  "post-root-package-install",
  "post-create-project-cmd",
];

type Reader = (text: string, path: string) => readonly InstallHook[];

const READERS: readonly (readonly [RegExp, Reader])[] = [
  [/(?:^|\/)package\.json$/, npmHooks],
  [/^(?!(?:.*\/)?vendor\/.).*?(?:^|\/)composer\.json$/, composerHooks],
  [/(?:^|\/)binding\.gyp$/, gypHooks],
  [
    /(?:^|\/)(?:setup|hatch_build|pdm_build|sitecustomize|usercustomize)\.py$/,
    (text) => codeHook("python", text, /^[ \t]*#/),
  ],
  [/\.pth$/, pthHooks],
  [/(?:^|\/)pyproject\.toml$/, (text) => codeHook("pyproject", text, /^[ \t]*#/)],
  [/(?:^|\/)(?:extconf|mkrf_conf)\.rb$|\.gemspec$/, (text) => codeHook("ruby", text, /^[ \t]*#/)],
  [/(?:^|\/)build\.rs$/, (text) => codeHook("rust", text, /^[ \t]*\/\//)],
  // GitHub and GitLab read these from the root of the repository alone.
  [/^\.github\/workflows\/[^/]+\.ya?ml$|^\.github\/actions\/(?:.+\/)?action\.ya?ml$|^action\.ya?ml$/, workflowHooks],
  [/^\.gitlab-ci\.ya?ml$/, gitlabHooks],
];

/** Whether a file of this path can hold code that runs by itself. */
export function mayHoldHooks(path: string): boolean {
  return READERS.some(([wanted]) => wanted.test(path));
}

/** The code of a file that runs by itself. Nothing for files that cannot be read: their own tools refuse them too. */
export function hooksOf(path: string, text: string): readonly InstallHook[] {
  return READERS.filter(([wanted]) => wanted.test(path)).flatMap(([, read]) => read(text, path));
}

function npmHooks(text: string, path: string): readonly InstallHook[] {
  const scripts = fieldsOf(fieldsOf(parseJson(text)).scripts);
  const names = /(?:^|\/)node_modules\//.test(path) ? NPM_INSTALLED : NPM_OWN;
  return names.flatMap((name) => commandHooks(scripts, name, text));
}

function composerHooks(text: string): readonly InstallHook[] {
  const scripts = fieldsOf(fieldsOf(parseJson(text)).scripts);
  return COMPOSER.flatMap((name) => commandHooks(scripts, name, text));
}

function commandHooks(scripts: Fields, name: string, text: string): readonly InstallHook[] {
  const given = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
  const commands = (Array.isArray(given) ? given : [given]).map(textOf).filter((command) => command !== "");
  if (commands.length === 0) return [];
  const from = Math.max(0, text.search(/"scripts"\s{0,20}:/));
  const at = text.indexOf(`"${name}"`, from);
  const line = at < 0 ? 1 : lineAt(text, at);
  return commands.map((command) => ({ surface: "command", name, text: command.slice(0, MAX_COMMAND), line }));
}

/** gyp runs what stands in `<!(…)` when it reads the file, and npm has it read where there is one (npm documentation, "scripts"). */
function gypHooks(text: string): readonly InstallHook[] {
  return [...text.matchAll(/<!@?\(([^\n]{1,4000})\)/g)].map((match) => ({
    surface: "command",
    name: "binding.gyp",
    text: match[1] ?? "",
    line: lineAt(text, match.index),
  }));
}

/** Lines that begin with `import` are run whenever Python starts (Python documentation, "site"). */
function pthHooks(text: string): readonly InstallHook[] {
  return text
    .split(/\r\n?|\n/)
    .flatMap((line, index) =>
      /^import[ \t]/.test(line) ? [{ surface: "pth" as const, name: "", text: line, line: index + 1 }] : [],
    );
}

/** Lines of comment become empty, so that places stay what they are. */
function codeHook(surface: Surface, text: string, comment: RegExp): readonly InstallHook[] {
  const code = text
    .split("\n")
    .map((line) => (comment.test(line) ? "" : line))
    .join("\n");
  return [{ surface, name: "", text: code, line: 1 }];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // npm and Composer refuse it too, so nothing of it runs
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
