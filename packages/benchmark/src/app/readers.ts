import { type ConfigDocument, type ConfigReader, textOfBytes, valuesOf } from "./document.ts";
import { readApacheSections } from "./formats/apache-sections.ts";
import { type LineFormat, readLines } from "./formats/lines.ts";
import { readNginxBlocks } from "./formats/nginx-blocks.ts";
import { readXmlElements } from "./formats/xml-elements.ts";
import { readYamlTree } from "./formats/yaml-tree.ts";

function lineReader(id: string, wants: readonly string[], format: LineFormat): ConfigReader {
  return { id, wants, read: ({ bytes }) => readLines(bytes, format) };
}

/** mongod.conf is YAML since MongoDB 2.6 and `name = value` before; both are in use. */
function readMongo(bytes: Uint8Array): ConfigDocument {
  const text = textOfBytes(bytes);
  const old = /^[ \t]*\w+[ \t]*=/m.test(text) && !/^[ \t]*\w+:([ \t]|$)/m.test(text);
  return old ? readLines(bytes, { comments: "#", separator: "equals", trailingComments: true }) : readYamlTree(bytes);
}

/** Each line of pg_hba.conf is a rule: type, database, user, address, method, options (PostgreSQL, The pg_hba.conf File). */
function readHba(bytes: Uint8Array): ConfigDocument {
  const lines = readLines(bytes, { comments: "#", separator: "blank", trailingComments: true });
  const directives = lines.directives.map((rule) => {
    const [database = "", user = "", ...rest] = rule.args;
    const local = rule.name === "local";
    const masked = !local && /^\d+\.\d+\.\d+\.\d+$/.test(rest[1] ?? "");
    const address = local ? "" : masked ? `${rest[0]}/${rest[1]}` : (rest[0] ?? "");
    const method = (local ? rest[0] : masked ? rest[2] : rest[1]) ?? "";
    return { ...rule, attributes: { database, user, address, method } };
  });
  return { ...lines, directives, values: valuesOf([]) };
}

/** Every program whose files are read. A new one is a line here and a folder of checks. */
export const CONFIG_READERS: readonly ConfigReader[] = [
  {
    id: "nginx",
    wants: [
      "**/nginx.conf",
      "etc/nginx/**/*.conf",
      "etc/nginx/sites-*/*",
      "etc/nginx/snippets/*",
      "**/nginx/conf.d/*.conf",
      "**/nginx/conf/**/*.conf",
      "**/nginx/http.d/*.conf",
    ],
    read: ({ bytes }) => readNginxBlocks(bytes),
  },
  {
    id: "apache",
    wants: [
      "**/httpd.conf",
      "**/apache2.conf",
      "etc/apache2/sites-*/*",
      "etc/apache2/conf-*/*.conf",
      "etc/apache2/mods-enabled/*.conf",
      "etc/apache2/conf.d/*.conf",
      "etc/apache2/ports.conf",
      "etc/httpd/**/*.conf",
      "**/apache2/conf/**/*.conf",
    ],
    read: ({ bytes }) => readApacheSections(bytes),
  },
  {
    id: "tomcat",
    wants: [
      "**/conf/server.xml",
      "**/conf/tomcat-users.xml",
      "**/conf/web.xml",
      "**/conf/context.xml",
      "etc/tomcat*/server.xml",
      "etc/tomcat*/tomcat-users.xml",
      "etc/tomcat*/web.xml",
      "etc/tomcat*/context.xml",
      "**/webapps/manager/META-INF/context.xml",
      "**/webapps/host-manager/META-INF/context.xml",
      "**/webapps/examples/WEB-INF/web.xml",
    ],
    read: ({ bytes }) => readXmlElements(bytes),
  },
  lineReader(
    "redis",
    ["**/redis.conf", "etc/redis/*.conf", "**/valkey.conf", "etc/valkey/*.conf", "**/sentinel.conf", "**/redis-*.conf"],
    {
      comments: "#",
      separator: "blank",
      lowerCase: true,
    },
  ),
  lineReader("mysql", ["**/my.cnf", "**/mysqld.cnf", "etc/mysql/**/*.cnf", "etc/my.cnf.d/*.cnf", "**/mariadb.cnf"], {
    comments: "#;!",
    trailingComments: true,
    separator: "equals",
    lowerCase: true,
    dashes: true,
    sections: "plain",
  }),
  lineReader("postgresql", ["**/postgresql.conf", "**/postgresql.auto.conf", "etc/postgresql/**/conf.d/*.conf"], {
    comments: "#",
    trailingComments: true,
    separator: "either",
    lowerCase: true,
  }),
  { id: "pg-hba", wants: ["**/pg_hba.conf"], read: ({ bytes }) => readHba(bytes) },
  {
    id: "mongodb",
    wants: ["**/mongod.conf", "**/mongodb.conf", "**/mongod.yml", "**/mongos.conf"],
    read: ({ bytes }) => readMongo(bytes),
  },
  {
    id: "elasticsearch",
    wants: ["**/elasticsearch.yml", "**/opensearch.yml"],
    read: ({ bytes }) => readYamlTree(bytes),
  },
  lineReader(
    "kafka",
    ["**/server.properties", "**/broker.properties", "**/kraft/*.properties", "etc/kafka/*.properties"],
    {
      comments: "#!",
      separator: "equals",
      continuation: true,
    },
  ),
  lineReader("zookeeper", ["**/zoo.cfg", "**/zookeeper.properties"], { comments: "#", separator: "equals" }),
  lineReader("sshd", ["etc/ssh/sshd_config", "etc/ssh/sshd_config.d/*.conf", "**/sshd_config"], {
    comments: "#",
    separator: "either",
    trailingComments: true,
    lowerCase: true,
    opensBlock: ["match"],
    wins: "first",
  }),
  lineReader(
    "php",
    [
      "**/php.ini",
      "etc/php/**/*.ini",
      "etc/php*.d/*.ini",
      "usr/local/etc/php/conf.d/*.ini",
      "**/php-fpm.d/*.conf",
      "etc/php/**/pool.d/*.conf",
    ],
    {
      comments: ";#",
      separator: "equals",
      lowerCase: true,
      sections: "plain",
    },
  ),
  {
    id: "docker",
    wants: ["etc/docker/daemon.json", "**/.config/docker/daemon.json"],
    read: ({ bytes }) => readYamlTree(bytes),
  },
  {
    id: "registry",
    wants: ["etc/docker/registry/config.y*ml", "etc/distribution/config.y*ml"],
    read: ({ bytes }) => readYamlTree(bytes),
  },
  lineReader("rabbitmq", ["**/rabbitmq.conf", "etc/rabbitmq/conf.d/*.conf"], {
    comments: "#",
    separator: "equals",
    trailingComments: true,
  }),
  { id: "etcd", wants: ["**/etcd.conf.y*ml", "etc/etcd/*.y*ml"], read: ({ bytes }) => readYamlTree(bytes) },
  lineReader("memcached", ["etc/memcached.conf"], { comments: "#", separator: "either" }),
  lineReader("vsftpd", ["**/vsftpd.conf", "etc/vsftpd/*.conf"], {
    comments: "#",
    separator: "equals",
    lowerCase: true,
  }),
  lineReader("grafana", ["**/grafana.ini", "**/grafana/conf/custom.ini"], {
    comments: ";#",
    separator: "equals",
    lowerCase: true,
    sections: "prefix",
  }),
];
