/** Where package managers of operating systems put programs and libraries; what people add lies in usr/local. */
const OS_PLACE = /^(?:usr\/(?!local\/|src\/)|s?bin\/|lib(?:32|64|x32)?\/)/;
const MERGED_USR = /^usr\/(?=(?:bin|sbin|lib|lib32|lib64|libx32)\/)/;

/** Whether a path lies where files of OS packages are expected. */
export function isOsPath(path: string): boolean {
  return OS_PLACE.test(path);
}

/**
 * Made by programs of packages after these were unpacked, and recorded nowhere. What matches is looked at in any case: the
 * list only saves a second pass over a layer in which no other file is without a record.
 */
const GENERATED =
  /^usr\/(?:share\/(?:info\/dir|mime\/|(?:applications|icons)\/(?:[^/]+\/)?[^/]+\.cache$)|lib\/(?:[^/]+\/)?(?:gconv\/gconv-modules\.cache|gio\/modules\/giomodule\.cache|gdk-pixbuf-2\.0\/[^/]+\/loaders\.cache)$|lib\/locale\/locale-archive$|(?:lib|share)\/.*\/__pycache__\/[^/]+\.pyc$)/;

/** Whether a file is one that no package list is expected to record. */
export function isGenerated(path: string): boolean {
  return GENERATED.test(path);
}

/** Package lists name files by either side of the /usr merge: `usr/bin/ls` and `bin/ls` are one. */
export function canonicalPath(path: string): string {
  return path.replace(MERGED_USR, "");
}
