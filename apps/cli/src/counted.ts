/**
 * A number with its noun.
 *
 * @example counted(1, "image") // "1 image"
 * @example counted(2, "repository", "repositories") // "2 repositories"
 */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
