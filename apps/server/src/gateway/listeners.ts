import type { SeenListener } from "@bulwark/store";

/** Servers by the name of their program; `java` and the like are told by their port. */
const PROGRAMS: Readonly<Record<string, readonly [SeenListener["kind"], string]>> = {
  nginx: ["web", "nginx"],
  apache2: ["web", "Apache httpd"],
  httpd: ["web", "Apache httpd"],
  caddy: ["web", "Caddy"],
  traefik: ["web", "Traefik"],
  haproxy: ["web", "HAProxy"],
  envoy: ["web", "Envoy"],
  lighttpd: ["web", "lighttpd"],
  gunicorn: ["web", "Gunicorn"],
  uwsgi: ["web", "uWSGI"],
  "php-fpm": ["web", "PHP-FPM"],
  postgres: ["database", "PostgreSQL"],
  mysqld: ["database", "MySQL"],
  mariadbd: ["database", "MariaDB"],
  mongod: ["database", "MongoDB"],
  "redis-server": ["database", "Redis"],
  "valkey-server": ["database", "Valkey"],
  memcached: ["database", "Memcached"],
  "clickhouse-serv": ["database", "ClickHouse"],
  influxd: ["database", "InfluxDB"],
  etcd: ["database", "etcd"],
};

const PORTS: Readonly<Record<number, readonly [SeenListener["kind"], string]>> = {
  80: ["web", ""],
  443: ["web", ""],
  3000: ["web", ""],
  5000: ["web", ""],
  8000: ["web", ""],
  8080: ["web", ""],
  8443: ["web", ""],
  8888: ["web", ""],
  1433: ["database", "SQL Server"],
  1521: ["database", "Oracle Database"],
  3306: ["database", "MySQL"],
  5432: ["database", "PostgreSQL"],
  5984: ["database", "CouchDB"],
  6379: ["database", "Redis"],
  9042: ["database", "Cassandra"],
  9200: ["database", "Elasticsearch"],
  11211: ["database", "Memcached"],
  27017: ["database", "MongoDB"],
};

/** What listens on a port: by its program, else by the port that such servers use. */
export function serviceOf(name: string, protocol: string, port: number): Pick<SeenListener, "kind" | "product"> {
  const program = name.startsWith("php-fpm") ? "php-fpm" : name;
  const known = Object.hasOwn(PROGRAMS, program) ? PROGRAMS[program] : undefined;
  const [kind, product] = known ?? (protocol === "tcp" ? PORTS[port] : undefined) ?? ["other", ""];
  return { kind, product };
}

/** Whether others than the machine itself can reach the address. */
export function isExposed(address: string): boolean {
  return !/^(?:127\.|::1$|::ffff:127\.)/.test(address);
}
