/**
 * Whether `text` fits `pattern`, in which `*` stands for any run of characters and `?` for one. Linear in
 * `pattern × text`, so that no pattern can make it hang.
 *
 * @example matchesGlob("docker.io/library/*", "docker.io/library/nginx:1.27"); // true
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === "?" || (pattern[p] !== "*" && pattern[p] === text[t]))) {
      p++;
      t++;
    } else if (pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
