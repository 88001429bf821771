/** NIST SP 800-63B-4, section 3.1.1.2: at least 15 characters where a password may be the only factor. */
const MIN_PASSWORD = 15;
const MAX_PASSWORD = 256;
const MIN_DISTINCT = 6;
const MIN_NAME = 4;
/** Long passwords that people choose all the same, and what a password for this product begins with. */
const COMMON = [
  "passwordpassword",
  "password12345678",
  "123456789012345",
  "1234567890123456",
  "qwertyuiopasdfgh",
  "qwertyuiopasdfghjklzxcvbnm",
  "abcdefghijklmnop",
  "letmeinletmeinletmein",
  "correcthorsebatterystaple",
  "administratoradministrator",
  "changemechangeme",
  "bulwarkbulwark",
];

/**
 * Why a password will not do; undefined when it will. Its composition is nobody's business (section 3.1.1.2, item 5).
 *
 * @param names login and name of the account, which the password must not consist of
 */
export function passwordProblem(password: string, names: readonly string[] = []): string | undefined {
  const normal = password.normalize("NFKC");
  const characters = [...normal];
  if (characters.length < MIN_PASSWORD) return `a password has at least ${MIN_PASSWORD} characters`;
  if (characters.length > MAX_PASSWORD) return `a password has at most ${MAX_PASSWORD} characters`;
  if (new Set(characters).size < MIN_DISTINCT) return `a password has at least ${MIN_DISTINCT} different characters`;
  const folded = fold(normal);
  const isCommon = COMMON.some((common) => folded === common || folded.replace(/\d+$/, "") === common);
  if (isCommon) return "this password is among those that are tried first";
  const foldedNames = names.map(fold).filter((name) => name.length >= MIN_NAME);
  const rest = foldedNames.reduce((text, name) => text.replaceAll(name, ""), folded);
  if (rest !== folded && [...rest].length < MIN_PASSWORD / 2) return "a password is more than the name of its account";
  return undefined;
}

function fold(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}
