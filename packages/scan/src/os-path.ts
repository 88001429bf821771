/** Where package managers of operating systems put programs and libraries; what people add lies in usr/local. */
const OS_PLACE = /^(?:usr\/(?!local\/|src\/)|s?bin\/|lib(?:32|64|x32)?\/)/;
const MERGED_USR = /^usr\/(?=(?:bin|sbin|lib|lib32|lib64|libx32)\/)/;

/** Whether a path lies where files of OS packages are expected. */
export function isOsPath(path: string): boolean {
  return OS_PLACE.test(path);
}

/** Package lists name files by either side of the /usr merge: `usr/bin/ls` and `bin/ls` are one. */
export function canonicalPath(path: string): string {
  return path.replace(MERGED_USR, "");
}
