/** Printed by `bulwark db --help`. */
export const DB_HELP = `Keep the advisory database that scans match against.

Usage: bulwark db ACTION [options]

Actions
  update              fetch the published advisories (OSV), the known exploited flaws (CISA KEV) and the exploit
                      predictions (EPSS); after the first time only what changed
  import FILE …       take advisories from files: OSV records as zip, ndjson, json or a directory of them, the KEV
                      catalogue, an EPSS export; all also gzip-compressed
  status              say what is in the database and how old it is
  push REF            put the database into a registry, for networks without access to the feeds
  pull REF            get it from there

Options
  --db FILE           the database (default: $BULWARK_DB, else advisories.db in the cache directory)
  --ecosystems LIST   update only these, comma-separated: Debian,npm
  --osv-url URL  --kev-url URL  --epss-url URL
                      other addresses of the feeds
  --ca-file FILE      also trust the certificates in FILE (PEM)
  --plain-http        push and pull: talk plain HTTP to the registry
  --if-newer          import: only when a file is newer than the database
  --force             update: accept feeds that are older than what is held
  -q, --quiet         no progress

Examples
  bulwark db update
  bulwark db update --ecosystems Debian,PyPI,npm
  bulwark db import all.zip known_exploited_vulnerabilities.json
  bulwark db push registry.example/security/advisories:latest

A scan never sees a half-made database, and a failed update leaves the old one in use.
`;
