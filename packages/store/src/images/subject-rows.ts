import type { AdvisorySubject } from "@bulwark/model";

/** A row as advisories are asked about it: a package of no module has none. */
export function asSubject<Row extends AdvisorySubject>({
  module,
  ...subject
}: Row): Omit<Row, "module"> & AdvisorySubject {
  return module === undefined || module === "" ? subject : { ...subject, module };
}
