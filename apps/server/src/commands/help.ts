/** Printed by `bulwark up --help`. */
export const UP_HELP = `Starts everything on this machine: database, API, console and workers.

Usage: bulwark up [options]

  --data DIR           where everything is kept (default: /var/lib/bulwark for root, ~/.local/share/bulwark for others)
  --listen HOST:PORT   default 127.0.0.1:8080; on any address but loopback it speaks TLS only, with a certificate of its own
  --tls-key FILE --tls-cert FILE   a certificate of yours
  --behind-tls-proxy   a proxy in front speaks TLS; see --trust-proxy and --public-url
  --public-url URL     address that browsers use
  --trust-proxy LIST   addresses of proxies whose X-Forwarded headers count
  --database URL       a PostgreSQL server instead of the embedded one (also DATABASE_URL, or DATABASE_URL_FILE for a file)
  --probes HOST:PORT   answers /healthz and /readyz there without TLS, also where no API runs (also BULWARK_PROBES)
  --concurrency N      tasks done at once (default: one for each processor)
  --kms-command WORDS  program that wraps the master key
  --no-host-scan       do not scan this machine's root file system at the start

The first start makes the account "admin" and prints its password once; BULWARK_ADMIN_PASSWORD
(or a file that BULWARK_ADMIN_PASSWORD_FILE names) sets it instead.

Examples:
  bulwark up
  bulwark up --listen 0.0.0.0:8443 --data /srv/bulwark
  DATABASE_URL=postgresql://bulwark:secret@db.example.com/bulwark bulwark up
`;

/** Printed by `bulwark server --help`. */
export const SERVER_HELP = `Runs some roles of the platform; any number of such processes share one database.

Usage: bulwark server --roles LIST [options]

  --roles LIST   api, worker: separated by commas (default: both)
  and the options of bulwark up

All processes need the same master keys: share DIR/master-keys.json, or wrap them with --kms-command.

Examples:
  bulwark server --roles api --listen 0.0.0.0:8443 --database postgresql://…
  bulwark server --roles worker --database postgresql://… --concurrency 4
`;
