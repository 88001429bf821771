/** Names that end in one of these hold a secret, unless {@link HARMLESS_NAME} says otherwise. */
const SECRET_NAME =
  /(^|_)(PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|SECRET|SECRETS|TOKEN|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|ENCRYPTION_?KEY|SIGNING_?KEY|CREDENTIAL|CREDENTIALS|AUTH)$/;
/** `PWD` and `OLDPWD` are working directories; `SSH_ASKPASS` is a program; a key's id or a file's name opens nothing. */
const HARMLESS_NAME =
  /^(OLD)?PWD$|ASKPASS$|PUBLIC_?KEY$|BYPASS$|COMPASS$|(^|_)(NO|ALLOW|ENABLE|DISABLE|REQUIRE|USE|SKIP|RANDOM)_[A-Z_]*$/;

const SECRET_VALUE = [
  /^AKIA[0-9A-Z]{16}$/,
  /^gh[pousr]_[A-Za-z0-9]{36,}$/,
  /^github_pat_\w{22,}$/,
  /^glpat-[\w-]{20,}$/,
  /^xox[abprs]-[\w-]{10,}$/,
  /^npm_[A-Za-z0-9]{36}$/,
  /^LTAI[A-Za-z0-9]{12,20}$/,
  /^eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*$/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /^[a-z][a-z0-9+.-]*:\/\/[^\s:/@]+:[^\s:/@$]+@/,
];
/** Values that stand in for one: nothing, a variable, a word of the usual kind, a number, a path, a true or false. */
const PLACEHOLDER =
  /^$|^\$|^(true|false|yes|no|on|off|none|null|nil|unset|default|required|optional|\d{1,5})$|^(\/|\.\/|~\/|file:)|^<.*>$|^\*+$|^x+$|^\.+$/i;
const STAND_IN = /^(your|my|the|insert|enter|put|set|replace|todo|fixme|example|dummy|placeholder|changeme-at)\b/i;

/** Why a variable is taken to hold a secret: by its name, by the shape of its value, or not at all. */
export type SecretShape = "" | "name" | "value";

/**
 * Whether a variable holds a secret. The value is looked at, never kept.
 *
 * @example secretShape("DB_PASSWORD", "hunter2"); // "name"
 */
export function secretShape(name: string, value: string): SecretShape {
  const text = value.trim();
  if (SECRET_VALUE.some((shape) => shape.test(text.slice(0, 4_096)))) return "value";
  return isSecretName(name) && !PLACEHOLDER.test(text) && !STAND_IN.test(text) ? "name" : "";
}

/** Whether the name alone says that the value is a secret. */
export function isSecretName(name: string): boolean {
  const upper = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[.-]/g, "_")
    .toUpperCase();
  return SECRET_NAME.test(upper) && !HARMLESS_NAME.test(upper);
}
