import { CodedError } from "@bulwark/model";

/**
 * Whether an error comes again however often the same is written: of what it holds, or of our own code that it meets.
 * PostgreSQL's are those of classes 22, 23 and 54 (PostgreSQL documentation, "Error Codes").
 */
export function isOfData(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError || error instanceof CodedError) return true;
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === "string" && /^(?:2[23]|54)/.test(code);
}
