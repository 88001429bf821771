export { severityOfScore } from "./cvss/cvss.ts";
export {
  type AdvisoryDatabase,
  type DatabaseStatus,
  openAdvisoryDatabase,
  type SubjectMatches,
} from "./database.ts";
export { AdvisoryError, type AdvisoryErrorCode } from "./errors.ts";
