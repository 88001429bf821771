export type { RenderInput, ReportFormat } from "./format.ts";
export { formats } from "./formats.ts";
