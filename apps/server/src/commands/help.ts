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
  --gateway HOST:PORT  where sensors connect, always with TLS (default: the host of --listen, port 9443; also BULWARK_GATEWAY)
  --probes HOST:PORT   answers /healthz and /readyz there without TLS, also where no API runs (also BULWARK_PROBES)
  --keep-events-days N --keep-events-gib N   how long events of sensors are kept, and the room that they take at most
                       (default: 30 days, 50 GiB; also BULWARK_KEEP_EVENTS_DAYS and BULWARK_KEEP_EVENTS_GIB)
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

  --roles LIST   api, gateway, worker: separated by commas (default: all)
  and the options of bulwark up

In a Kubernetes cluster, without a database, in any number of replicas:

  --roles agent,admission   tells the server of the cluster's objects; judges what is to run (webhook), takes audit events
  --gateway HOST:PORT       the server's gateway, to which the agent connects (also BULWARK_GATEWAY)
  --cluster-token TOKEN     with which the cluster joins, once (also BULWARK_CLUSTER_TOKEN, or BULWARK_CLUSTER_TOKEN_FILE)
  --listen HOST:PORT        where the webhook listens (default: 0.0.0.0:8443)
  --probes HOST:PORT        where /healthz, /readyz and /metrics are answered without TLS (also BULWARK_PROBES)
  --kubeconfig FILE         the cluster, outside a pod
  BULWARK_AUDIT_TOKEN       what the API server shows that sends audit events to /audit (or BULWARK_AUDIT_TOKEN_FILE)

All processes need the same master keys: share DIR/master-keys.json, or wrap them with --kms-command.

Examples:
  bulwark server --roles api --listen 0.0.0.0:8443 --database postgresql://…
  bulwark server --roles gateway --gateway 0.0.0.0:9443 --database postgresql://…
  bulwark server --roles worker --database postgresql://… --concurrency 4
  bulwark server --roles agent --gateway bulwark.example.com:9443 --kubeconfig ~/.kube/config --cluster-token TOKEN
`;

/** Printed by `bulwark backup --help` and `bulwark restore --help`. */
export const BACKUP_HELP = `Writes everything that Bulwark keeps into a file, or fills an empty installation with it.

Usage: bulwark backup FILE [--data DIR] [--database URL]
       bulwark restore FILE [--data DIR] [--database URL]

The file is one moment of the database, but for the events of sensors, with the master keys: keep it as safe as a password. With DATABASE_URL or --database
a backup is made while servers run; the embedded database belongs to one process, so end bulwark up first. What waited or ran
goes on after a restore.

Examples:
  bulwark backup /srv/backup/bulwark-2026-06-01.zst
  bulwark restore /srv/backup/bulwark-2026-06-01.zst --data /srv/bulwark
`;

/** Printed by `bulwark audit --help`. */
export const AUDIT_HELP = `Checks that the audit logs are as they were written: each entry holds a hash of itself and of the one before.

Usage: bulwark audit verify [--data DIR] [--database URL]

Exit status: 0 intact, 1 something was changed or taken out, 2 it could not be checked.
Note the last hash elsewhere: then cutting off the end is noticed too.

Example:
  bulwark audit verify --database postgresql://bulwark@db.example.com/bulwark
`;

/** Printed by `bulwark keys --help`. */
export const KEYS_HELP = `Adds a master key to DIR/master-keys.json and seals every stored secret again with it.

Usage: bulwark keys rotate [--data DIR] [--database URL] [--kms-command WORDS]

With DATABASE_URL or --database servers may run meanwhile: they find the new key in the file that they share. End bulwark up
first where the database is the embedded one. Older keys stay in the file, for backups that were made with them.

Exit status: 0 all of it, 1 some secrets do not open and were left as they are, 2 it could not be done.

Example:
  bulwark keys rotate --data /srv/bulwark
`;

/** Printed by `bulwark password --help`. */
export const PASSWORD_HELP = `Gives an account a new random password: the way back in when it was lost.

Usage: bulwark password LOGIN [--data DIR] [--database URL]

The second factor is taken away and all sessions end; the audit log tells of it. End bulwark up first where the database is
the embedded one.

Example:
  bulwark password admin
`;
