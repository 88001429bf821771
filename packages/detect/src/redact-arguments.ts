/** What stands in for a secret. */
export const REDACTED = "[redacted]";

/** Cheap look at a whole command line before anything else is tried. */
const SUSPICIOUS = /pass|pwd|secret|token|key|auth|cred|bearer|:\/\/[^/\s@]*:[^/\s@]+@|(?:^|\s)-(?:p|u)/i;
/** Names whose values are secret, as options, variables or members. */
const NAME =
  "[\\w.-]{0,64}(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|auth)";
const VALUE = `(?:"[^"]{1,4096}"|'[^']{1,4096}'|[^\\s"'&,;]{1,4096})`;
const ASSIGNED = new RegExp(`(${NAME}["']?\\s*[=:]\\s*)${VALUE}`, "gi");
const OPTION = new RegExp(`^--?${NAME}$`, "i");
const HEADER = /(authorization:\s*(?:basic|bearer|token)?\s*)\S{1,4096}/gi;
const BEARER = /\b(bearer\s+)[\w.~+/-]{8,4096}=*/gi;
const ADDRESS = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^/\s:@]{0,256}:)[^/\s@]{1,1024}@/gi;
/** Programs whose `-p` takes a password without a space, and curl's `-u`. */
const SHORT: Readonly<Record<string, RegExp>> = {
  mysql: /^-p.+$/,
  mysqldump: /^-p.+$/,
  mysqladmin: /^-p.+$/,
  mariadb: /^-p.+$/,
  sshpass: /^-p.*$/,
  curl: /^-u.*$/,
  "redis-cli": /^-a$/,
};

/**
 * Takes secrets out of a command line before anybody keeps or sees it. What is left out is named; the array itself comes back
 * where nothing had to be taken out.
 *
 * @example redactArguments(["mysql", "--password=x", "-h", "db"]) // ["mysql", "--password=[redacted]", "-h", "db"]
 */
export function redactArguments(words: readonly string[]): readonly string[] {
  if (words.length < 2 || !SUSPICIOUS.test(words.join(" "))) return words;
  const program = words[0]?.slice(words[0].lastIndexOf("/") + 1) ?? "";
  const short = Object.hasOwn(SHORT, program) ? SHORT[program] : undefined;
  let isSecretNext = false;
  let isChanged = false;
  const shown = words.map((word, i) => {
    if (i === 0) return word;
    const clean = isSecretNext ? REDACTED : redactWord(word, short);
    // `--password VALUE`, and the short form where the value stands apart.
    isSecretNext = !isSecretNext && (OPTION.test(word) || (short?.test(word) === true && word.length === 2));
    isChanged ||= clean !== word;
    return clean;
  });
  return isChanged ? shown : words;
}

function redactWord(word: string, short: RegExp | undefined): string {
  if (short?.test(word) === true && word.length > 2) return `${word.slice(0, 2)}${REDACTED}`;
  return redactText(word);
}

/** Takes what is given by name, or looks like a credential by its form, out of one text. */
export function redactText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  return text
    .replace(ADDRESS, `$1${REDACTED}@`)
    .replace(HEADER, `$1${REDACTED}`)
    .replace(BEARER, `$1${REDACTED}`)
    .replace(ASSIGNED, `$1${REDACTED}`);
}
