import type { ContentFact, ContentFacts, ContentFile, ContentScanner } from "@bulwark/model";

/**
 * Runs a scanner on a file or a piece of it, as far as the scanner reads. One that throws costs its own findings in that
 * file.
 */
export function scanWith(
  scanner: ContentScanner,
  file: ContentFile,
  linesBefore: number,
): { readonly facts: readonly ContentFact[]; readonly problems: readonly string[] } {
  const { id, maxBytes } = scanner;
  const bytes = file.bytes.subarray(0, maxBytes - file.offset);
  let found: ContentFacts;
  try {
    found = scanner.scan({ ...file, bytes });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    found = { problems: [`${id} could not read it: ${why}`] };
  }
  const { facts = [], problems = [] } = found;
  const isCut = file.offset === 0 && file.sizeBytes > maxBytes;
  const placed = facts.map((fact) =>
    linesBefore === 0 || fact.line === undefined ? fact : { ...fact, line: fact.line + linesBefore },
  );
  const cut = isCut ? [`${id} read the first ${maxBytes} of its ${file.sizeBytes} bytes`] : [];
  return { facts: placed, problems: [...problems, ...cut] };
}
