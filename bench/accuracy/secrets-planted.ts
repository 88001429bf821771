import {
  ALNUM,
  BASE64,
  BASE64URL,
  createRandom,
  DIGITS,
  HEX,
  LOWER,
  pemBody,
  type Random,
  UPPER,
  uuid,
} from "./random.ts";
import type { LabelledSample } from "./secrets.ts";

/** A kind of secret: how its issuer documents it, the name people give it, and the rules that may report it. */
interface Kind {
  readonly name: string;
  readonly value: (random: Random) => string;
  readonly expected: readonly string[];
}

const GENERIC = ["generic-secret", "generic-secret-unquoted"];
const PASSWORD = ["generic-password", "generic-password-unquoted", "spring-cloud-config-password", "dotenv-file"];

const KINDS: readonly Kind[] = [
  { name: "AWS_SECRET_ACCESS_KEY", value: (r) => r.letters(BASE64, 40), expected: ["aws-secret-access-key"] },
  {
    name: "AWS_ACCESS_KEY_ID",
    value: (r) => `AKIA${r.letters(`${UPPER}234567`, 16)}`,
    expected: ["aws-access-key-id"],
  },
  { name: "GOOGLE_API_KEY", value: (r) => `AIzaSy${r.letters(BASE64URL, 33)}`, expected: ["gcp-api-key"] },
  {
    name: "ALIBABA_CLOUD_ACCESS_KEY_ID",
    value: (r) => `LTAI5t${r.letters(ALNUM, 18)}`,
    expected: ["alibaba-cloud-access-key-id"],
  },
  {
    name: "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    value: (r) => r.letters(ALNUM, 30),
    expected: ["alibaba-cloud-access-key-secret"],
  },
  {
    name: "TENCENTCLOUD_SECRET_ID",
    value: (r) => `AKID${r.letters(ALNUM, 32)}`,
    expected: ["tencent-cloud-secret-id"],
  },
  { name: "TENCENTCLOUD_SECRET_KEY", value: (r) => r.letters(ALNUM, 32), expected: ["tencent-cloud-secret-key"] },
  { name: "HUAWEICLOUD_SDK_SK", value: (r) => r.letters(ALNUM, 40), expected: ["huawei-cloud-secret-key"] },
  { name: "VOLC_ACCESSKEY", value: (r) => `AKLT${r.letters(BASE64URL, 43)}`, expected: ["volcengine-access-key-id"] },
  { name: "QINIU_SECRET_KEY", value: (r) => r.letters(BASE64URL, 40), expected: ["qiniu-key"] },
  { name: "GITHUB_TOKEN", value: (r) => `ghp_${r.letters(ALNUM, 36)}`, expected: ["github-personal-token"] },
  {
    name: "GH_PAT",
    value: (r) => `github_pat_${r.letters(ALNUM, 22)}_${r.letters(ALNUM, 59)}`,
    expected: ["github-fine-grained-token"],
  },
  { name: "GITLAB_TOKEN", value: (r) => `glpat-${r.letters(BASE64URL, 20)}`, expected: ["gitlab-personal-token"] },
  { name: "NPM_TOKEN", value: (r) => `npm_${r.letters(ALNUM, 36)}`, expected: ["npm-token"] },
  { name: "DOCKERHUB_TOKEN", value: (r) => `dckr_pat_${r.letters(BASE64URL, 27)}`, expected: ["docker-hub-token"] },
  {
    name: "SLACK_BOT_TOKEN",
    value: (r) => `xoxb-${r.letters("123456789", 12)}-${r.letters("123456789", 13)}-${r.letters(ALNUM, 24)}`,
    expected: ["slack-bot-token"],
  },
  {
    name: "SLACK_WEBHOOK",
    value: (r) =>
      `https://hooks.slack.com/services/T${r.letters(UPPER + DIGITS, 10)}/B${r.letters(UPPER + DIGITS, 10)}/${r.letters(ALNUM, 24)}`,
    expected: ["slack-webhook"],
  },
  {
    name: "DINGTALK_WEBHOOK",
    value: (r) => `https://oapi.dingtalk.com/robot/send?access_token=${r.letters(HEX, 64)}`,
    expected: ["dingtalk-webhook"],
  },
  {
    name: "FEISHU_WEBHOOK",
    value: (r) => `https://open.feishu.cn/open-apis/bot/v2/hook/${uuid(r)}`,
    expected: ["feishu-webhook"],
  },
  {
    name: "WECOM_WEBHOOK",
    value: (r) => `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${uuid(r)}`,
    expected: ["wecom-webhook"],
  },
  {
    name: "TELEGRAM_BOT_TOKEN",
    value: (r) => `${r.letters("123456789", 10)}:AA${r.letters(BASE64URL, 33)}`,
    expected: ["telegram-bot-token"],
  },
  { name: "STRIPE_SECRET_KEY", value: (r) => `sk_live_51${r.letters(ALNUM, 97)}`, expected: ["stripe-live-key"] },
  {
    name: "OPENAI_API_KEY",
    value: (r) => `sk-proj-${r.letters(BASE64URL, 74)}T3BlbkFJ${r.letters(BASE64URL, 74)}`,
    expected: ["openai-api-key"],
  },
  {
    name: "ANTHROPIC_API_KEY",
    value: (r) => `sk-ant-api03-${r.letters(BASE64URL, 93)}AA`,
    expected: ["anthropic-api-key"],
  },
  { name: "DASHSCOPE_API_KEY", value: (r) => `sk-${r.letters(HEX, 32)}`, expected: ["deepseek-or-dashscope-key"] },
  { name: "HF_TOKEN", value: (r) => `hf_${r.letters(LOWER + UPPER, 34)}`, expected: ["huggingface-token"] },
  {
    name: "SENDGRID_API_KEY",
    value: (r) => `SG.${r.letters(BASE64URL, 22)}.${r.letters(BASE64URL, 43)}`,
    expected: ["sendgrid-api-key"],
  },
  { name: "TWILIO_AUTH_TOKEN", value: (r) => r.letters(HEX, 32), expected: ["twilio-auth-token"] },
  { name: "DD_API_KEY", value: (r) => r.letters(HEX, 32), expected: ["datadog-api-key"] },
  { name: "SENTRY_AUTH_TOKEN", value: (r) => `sntryu_${r.letters(HEX, 64)}`, expected: ["sentry-token"] },
  { name: "VAULT_TOKEN", value: (r) => `hvs.${r.letters(BASE64URL, 24)}`, expected: ["vault-token"] },
  {
    name: "DATABASE_URL",
    value: (r) => `postgresql://orders:${r.letters(ALNUM, 18)}@pg-1.corp.internal:5432/orders`,
    expected: ["postgres-url"],
  },
  {
    name: "MONGO_URI",
    value: (r) => `mongodb+srv://svc:${r.letters(ALNUM, 16)}@cluster7.k3f9a.mongodb.net/prod`,
    expected: ["mongodb-url"],
  },
  { name: "REDIS_URL", value: (r) => `redis://:${r.letters(ALNUM, 24)}@10.2.0.9:6379/2`, expected: ["redis-url"] },
  {
    name: "CELERY_BROKER_URL",
    value: (r) => `amqp://worker:${r.letters(ALNUM, 12)}@rabbit.svc:5672/jobs`,
    expected: ["amqp-url"],
  },
  {
    name: "SESSION_JWT",
    value: (r) =>
      `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${Buffer.from(JSON.stringify({ sub: uuid(r), exp: 2_000_000_000 })).toString("base64url")}.${r.letters(BASE64URL, 43)}`,
    expected: ["jwt"],
  },
  // Tokens of no known issuer, and passwords: only their names tell.
  { name: "INTERNAL_API_KEY", value: (r) => r.letters(ALNUM, 32), expected: GENERIC },
  { name: "BILLING_AUTH_TOKEN", value: (r) => r.letters(HEX, 40), expected: GENERIC },
  { name: "COOKIE_SECRET", value: (r) => r.letters(BASE64URL, 43), expected: GENERIC },
  {
    name: "DB_PASSWORD",
    value: (r) => r.letters(`${ALNUM}!#%+^`, 16).replace(/^[^A-Za-z0-9]/, "z"),
    expected: PASSWORD,
  },
  {
    name: "SMTP_PASSWORD",
    value: (r) =>
      `${r.pick(["Winter", "Berlin", "Tiger", "Kaffee"])}${r.letters(DIGITS, 4)}${r.pick(["!", "#", "?!", "$$"]).replace("$$", "+")}`,
    expected: PASSWORD,
  },
  { name: "admin_password", value: (r) => `${r.letters(LOWER, 7)}${r.letters(DIGITS, 2)}`, expected: PASSWORD },
];

/** The same variable in the files of an application. `camel` is the name as such files spell it. */
const STYLES: readonly {
  readonly path: string;
  readonly text: (name: string, value: string, camel: string) => string;
}[] = [
  {
    path: "app/.env",
    text: (name, value) => `# production\nNODE_ENV=production\nPORT=8080\n${name}=${value}\nLOG_LEVEL=info\n`,
  },
  {
    path: "app/config/production.yaml",
    text: (name, value) =>
      `server:\n  port: 8080\n  host: 0.0.0.0\nintegrations:\n  ${name.toLowerCase()}: "${value}"\n  retries: 3\n`,
  },
  {
    path: "app/config.json",
    text: (_name, value, camel) =>
      `{\n  "port": 8080,\n  "debug": false,\n  "${camel}": "${value}",\n  "region": "eu-west-1"\n}\n`,
  },
  {
    path: "app/settings.py",
    text: (name, value) => `import os\n\nDEBUG = False\n${name.toUpperCase()} = "${value}"\nTIME_ZONE = "UTC"\n`,
  },
  {
    path: "app/src/client.js",
    text: (_name, value, camel) =>
      `import { Client } from "./lib.js";\n\nconst ${camel} = '${value}';\nexport const client = new Client(${camel}, { retries: 3 });\n`,
  },
  {
    path: "srv/start.sh",
    text: (name, value) => `#!/bin/sh\nset -e\nexport ${name.toUpperCase()}="${value}"\nexec node server.js "$@"\n`,
  },
  {
    path: "app/service.properties",
    text: (name, value) =>
      `service.name=orders\nservice.${name.toLowerCase().replaceAll("_", ".")}.value.unused=\n${name.toLowerCase()}=${value}\nservice.timeout=30\n`,
  },
  {
    path: "build/Dockerfile",
    text: (name, value) =>
      `FROM node:22-slim\nWORKDIR /app\nENV ${name.toUpperCase()}="${value}"\nCOPY . .\nCMD ["node", "server.js"]\n`,
  },
  {
    path: "deploy/docker-compose.yml",
    text: (name, value) =>
      `services:\n  web:\n    image: shop:1.4\n    environment:\n      ${name.toUpperCase()}: "${value}"\n      TZ: UTC\n`,
  },
  {
    path: "app/main.go",
    text: (_name, value, camel) =>
      `package main\n\nimport "fmt"\n\nfunc main() {\n\t${camel} := "${value}"\n\tfmt.Println(len(${camel}))\n}\n`,
  },
];

/** Files that hold exactly one secret each. */
export function plantedSecrets(): readonly LabelledSample[] {
  const samples: LabelledSample[] = [];
  const add = (name: string, path: string, text: string, expected: readonly string[]) => {
    samples.push({ name, path, content: Buffer.from(text), expected });
  };
  for (const [k, kind] of KINDS.entries()) {
    for (const [s, style] of STYLES.entries()) {
      const value = kind.value(createRandom(1_000 * k + s + 7));
      const camel = kind.name.toLowerCase().replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
      // A file of settings is a finding of its own.
      const expected = style.path.endsWith(".env")
        ? [...kind.expected, "dotenv-file", ...fileKinds(kind)]
        : kind.expected;
      add(
        kind.name,
        style.path,
        style.text(kind.name, value, camel),
        style.path.endsWith(".py") ? [...expected, "django-secret-key"] : expected,
      );
    }
  }
  for (const [at, { name, path, text, expected }] of WHOLE_FILES.entries()) {
    for (let variant = 0; variant < 3; variant++)
      add(name, path, text(createRandom(90_000 + 10 * at + variant)), expected);
  }
  return samples;
}

/** Names that a framework uses in .env. */
function fileKinds(kind: Kind): readonly string[] {
  return kind.name === "COOKIE_SECRET" ? ["symfony-app-secret"] : [];
}

const WHOLE_FILES: readonly {
  readonly name: string;
  readonly path: string;
  readonly text: (random: Random) => string;
  readonly expected: readonly string[];
}[] = [
  {
    name: "RSA key",
    path: "root/.ssh/id_rsa",
    text: (r) =>
      `-----BEGIN RSA PRIVATE KEY-----\n${pemBody(r, 24)}\n${r.letters(BASE64, 42)}==\n-----END RSA PRIVATE KEY-----\n`,
    expected: ["private-key-rsa"],
  },
  {
    name: "PKCS 8 key",
    path: "app/certs/server.key",
    text: (r) => `-----BEGIN PRIVATE KEY-----\n${pemBody(r, 26)}\n-----END PRIVATE KEY-----\n`,
    expected: ["private-key-pkcs8"],
  },
  {
    name: "OpenSSH key",
    path: "home/dev/.ssh/id_ed25519",
    text: (r) =>
      `-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n${pemBody(r, 5)}\n-----END OPENSSH PRIVATE KEY-----\n`,
    expected: ["private-key-openssh"],
  },
  {
    name: "EC key in YAML",
    path: "app/values.yaml",
    text: (r) =>
      `tls:\n  key: |\n    -----BEGIN EC PRIVATE KEY-----\n    ${pemBody(r, 3).replaceAll("\n", "\n    ")}\n    -----END EC PRIVATE KEY-----\n`,
    expected: ["private-key-ec"],
  },
  {
    name: "PGP key",
    path: "app/release.asc",
    text: (r) =>
      `-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n${pemBody(r, 30)}\n=aB3d\n-----END PGP PRIVATE KEY BLOCK-----\n`,
    expected: ["private-key-pgp"],
  },
  {
    name: "service account",
    path: "app/gcp.json",
    text: (r) =>
      JSON.stringify(
        {
          type: "service_account",
          project_id: "shop",
          private_key_id: r.letters(HEX, 40),
          private_key: `-----BEGIN PRIVATE KEY-----\n${pemBody(r, 26)}\n-----END PRIVATE KEY-----\n`,
        },
        null,
        2,
      ),
    expected: ["gcp-service-account-key", "private-key-pkcs8"],
  },
  {
    name: "docker log-in",
    path: "root/.docker/config.json",
    text: (r) =>
      JSON.stringify({
        auths: { "registry.corp.internal": { auth: Buffer.from(`ci:${r.letters(ALNUM, 20)}`).toString("base64") } },
      }),
    expected: ["docker-registry-auth", "docker-config-file"],
  },
  {
    name: "npmrc",
    path: "root/.npmrc",
    text: (r) => `registry=https://npm.corp.internal/\n//npm.corp.internal/:_authToken=${uuid(r)}\nalways-auth=true\n`,
    expected: ["npmrc-token"],
  },
  {
    name: "netrc",
    path: "root/.netrc",
    text: (r) => `machine git.corp.internal\nlogin ci-bot\npassword ${r.letters(ALNUM, 24)}\n`,
    expected: ["netrc-password"],
  },
  {
    name: "pgpass",
    path: "root/.pgpass",
    text: (r) => `pg-1.corp.internal:5432:orders:orders:${r.letters(ALNUM, 16)}\n`,
    expected: ["pgpass-password"],
  },
  {
    name: "MySQL client",
    path: "root/.my.cnf",
    text: (r) => `[client]\nuser = root\npassword = "${r.letters(ALNUM, 14)}"\n`,
    expected: ["mysql-client-password"],
  },
  {
    name: "git remote",
    path: "app/.git/config",
    text: (r) =>
      `[core]\n\tbare = false\n[remote "origin"]\n\turl = https://oauth2:${r.letters(ALNUM, 26)}@git.corp.internal/shop/web.git\n`,
    expected: ["git-url-credentials"],
  },
  {
    name: "git credentials",
    path: "root/.git-credentials",
    text: (r) => `https://ci:${r.letters(ALNUM, 30)}@git.corp.internal\n`,
    expected: ["git-stored-credentials"],
  },
  {
    name: "AWS credentials",
    path: "root/.aws/credentials",
    text: (r) =>
      `[default]\naws_access_key_id = AKIA${r.letters(`${UPPER}234567`, 16)}\naws_secret_access_key = ${r.letters(BASE64, 40)}\n`,
    expected: ["aws-credentials-file", "aws-access-key-id"],
  },
  {
    name: "kubeconfig",
    path: "root/.kube/config",
    text: (r) =>
      `apiVersion: v1\nkind: Config\nclusters:\n- name: prod\nusers:\n- name: admin\n  user:\n    client-certificate-data: LS0tLS1CRUdJTiBDRVJU${r.letters(BASE64, 400)}\n    client-key-data: LS0tLS1CRUdJTiBSU0Eg${r.letters(BASE64, 800)}==\n`,
    expected: ["kubeconfig-client-key", "kubeconfig-file"],
  },
  {
    name: "Kubernetes secret",
    path: "deploy/secret.yaml",
    text: (r) =>
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: orders-db\ntype: Opaque\ndata:\n  username: b3JkZXJz\n  password: ${Buffer.from(r.letters(ALNUM, 18)).toString("base64")}\n`,
    expected: ["kubernetes-secret-data"],
  },
  {
    name: "shadow",
    path: "etc/shadow",
    text: (r) =>
      `root:$6$${r.letters(ALNUM, 16)}$${r.letters(`${ALNUM}./`, 86)}:19700:0:99999:7:::\ndaemon:*:19700:0:99999:7:::\n`,
    expected: ["shadow-password-hash"],
  },
  {
    name: "htpasswd",
    path: "etc/nginx/.htpasswd",
    text: (r) => `admin:$2y$10$${r.letters(`${ALNUM}./`, 53)}\n`,
    expected: ["htpasswd-hash"],
  },
  {
    name: "Terraform state",
    path: "infra/terraform.tfstate",
    text: (r) =>
      JSON.stringify(
        {
          version: 4,
          resources: [
            {
              type: "aws_db_instance",
              instances: [{ attributes: { username: "orders", password: r.letters(ALNUM, 20) } }],
            },
          ],
        },
        null,
        2,
      ),
    expected: ["terraform-state-secret", "terraform-state-file"],
  },
  {
    name: "WordPress",
    path: "var/www/html/wp-config.php",
    text: (r) =>
      `<?php\ndefine( 'DB_NAME', 'shop' );\ndefine( 'DB_PASSWORD', '${r.letters(ALNUM, 15)}' );\ndefine( 'DB_HOST', 'db' );\n`,
    expected: ["wordpress-database-password"],
  },
  {
    name: "Spring",
    path: "app/application-prod.yml",
    text: (r) =>
      `spring:\n  datasource:\n    url: jdbc:postgresql://pg-1/orders\n    username: orders\n    password: ${r.letters(ALNUM, 15)}\n`,
    expected: PASSWORD,
  },
  {
    name: "JDBC",
    path: "app/persistence.xml",
    text: (r) =>
      `<property name="url" value="jdbc:mysql://db-1.corp.internal:3306/shop?user=shop&amp;password=${r.letters(ALNUM, 14)}"/>\n`,
    expected: ["jdbc-password"],
  },
  {
    name: "connection string",
    path: "app/appsettings.json",
    text: (r) =>
      JSON.stringify(
        {
          ConnectionStrings: {
            Default: `Server=sql-1.corp.internal;Database=Shop;User Id=shop;Password=${r.letters(ALNUM, 15)};TrustServerCertificate=true`,
          },
        },
        null,
        2,
      ),
    expected: ["ado-connection-string"],
  },
  {
    name: "Azure storage",
    path: "app/local.settings.json",
    text: (r) =>
      JSON.stringify({
        Values: {
          AzureWebJobsStorage: `DefaultEndpointsProtocol=https;AccountName=shopprod;AccountKey=${r.letters(BASE64, 86)}==;EndpointSuffix=core.windows.net`,
        },
      }),
    expected: ["azure-storage-account-key"],
  },
  {
    name: "shell history",
    path: "root/.bash_history",
    text: (r) => `ls\nmysql -h db-1 -u root -p${r.letters(ALNUM, 12)} shop\nexit\n`,
    expected: ["shell-history-file", "database-command-password"],
  },
  {
    name: "curl in a script",
    path: "srv/backup.sh",
    text: (r) =>
      `#!/bin/sh\ncurl -s -H "Authorization: Bearer ${r.letters(ALNUM, 40)}" https://api.corp.internal/v1/backup\n`,
    expected: ["generic-bearer-token"],
  },
  {
    name: "curl with a user",
    path: "srv/fetch.sh",
    text: (r) => `#!/bin/sh\ncurl -fsS -u deploy:${r.letters(ALNUM, 14)} -O https://files.corp.internal/app.tgz\n`,
    expected: ["generic-curl-password"],
  },
  {
    name: "notebook",
    path: "work/train.ipynb",
    text: (r) =>
      JSON.stringify(
        {
          cells: [
            {
              cell_type: "code",
              source: [
                "import openai\n",
                `openai.api_key = "sk-${r.letters(ALNUM, 20)}T3BlbkFJ${r.letters(ALNUM, 20)}"\n`,
              ],
              outputs: [],
            },
          ],
          nbformat: 4,
        },
        null,
        1,
      ),
    expected: ["openai-api-key"],
  },
  {
    name: "Chinese notes",
    path: "app/部署说明.txt",
    text: (r) => `测试环境\n用户名: admin\n密码: ${r.letters(ALNUM, 12)}\n`,
    expected: ["generic-secret-chinese"],
  },
  {
    name: "proxy",
    path: "etc/environment",
    text: (r) => `http_proxy=http://svc-build:${r.letters(ALNUM, 12)}@proxy.corp.internal:3128\n`,
    expected: ["http-basic-url"],
  },
  {
    name: "Maven",
    path: "root/.m2/settings.xml",
    text: (r) =>
      `<settings><servers><server><id>nexus</id><username>ci</username><password>${r.letters(ALNUM, 18)}</password></server></servers></settings>\n`,
    expected: ["maven-server-password"],
  },
  {
    name: "WireGuard",
    path: "etc/wireguard/wg0.conf",
    text: (r) => `[Interface]\nAddress = 10.9.0.2/24\nPrivateKey = ${r.letters(BASE64, 42)}E=\n`,
    expected: ["private-key-wireguard"],
  },
  {
    name: "Redis",
    path: "etc/redis/redis.conf",
    text: (r) => `bind 0.0.0.0\nport 6379\nrequirepass ${r.letters(ALNUM, 20)}\n`,
    expected: ["redis-config-password"],
  },
  { name: "Rails key", path: "app/config/master.key", text: (r) => r.letters(HEX, 32), expected: ["rails-master-key"] },
  { name: "git history", path: "app/.git/HEAD", text: () => "ref: refs/heads/main\n", expected: ["code-leak-git"] },
  // Harder ones: other spellings, and what only a reader can tell.
  {
    name: "Kubernetes variable",
    path: "deploy/web.yaml",
    text: (r) =>
      `spec:\n  containers:\n  - env:\n    - name: BILLING_API_TOKEN\n      value: ${r.letters(ALNUM, 32)}\n    - name: TZ\n      value: UTC\n`,
    expected: GENERIC,
  },
  {
    name: "XML setting",
    path: "app/web.config",
    text: (r) => `<appSettings><add key="ApiKey" value="${r.letters(ALNUM, 32)}" /></appSettings>\n`,
    expected: GENERIC,
  },
  {
    name: "JSON in JSON",
    path: "app/task.json",
    text: (r) => JSON.stringify({ body: JSON.stringify({ client_secret: r.letters(ALNUM, 40) }) }),
    expected: GENERIC,
  },
  {
    name: "constructor",
    path: "app/Main.java",
    text: (r) => `class Main {\n  private static final String API_KEY = "${r.letters(ALNUM, 36)}";\n}\n`,
    expected: GENERIC,
  },
  {
    name: "TOML",
    path: "app/config.toml",
    text: (r) => `[mail]\nuser = "bot"\npassword = "${r.letters(ALNUM, 12)}"\n`,
    expected: PASSWORD,
  },
  {
    name: "address with a token",
    path: "srv/poll.sh",
    text: (r) => `#!/bin/sh\nwget -q "https://api.corp.internal/v1/jobs?token=${r.letters(HEX, 40)}&limit=10"\n`,
    expected: ["generic-url-token"],
  },
  {
    name: "password of letters",
    path: "app/prod.env",
    text: (r) => `DB_PASSWORD=${r.letters(LOWER, 11)}\n`,
    expected: PASSWORD,
  },
  {
    name: "password in a comment",
    path: "app/deploy.sh",
    text: (r) => `#!/bin/sh\n# root password on db-1 is ${r.letters(ALNUM, 10)}\nssh db-1 uptime\n`,
    expected: PASSWORD,
  },
  {
    name: "key in two parts",
    path: "app/src/key.js",
    text: (r) => `const apiKey = "${r.letters(ALNUM, 12)}" +\n  "${r.letters(ALNUM, 12)}";\n`,
    expected: GENERIC,
  },
  {
    name: "encoded settings",
    path: "deploy/config.yaml",
    text: (r) => `data:\n  env: ${Buffer.from(`API_KEY=${r.letters(ALNUM, 32)}\n`).toString("base64")}\n`,
    expected: GENERIC,
  },
  {
    name: "URL-safe password",
    path: "app/urls.yaml",
    text: (r) => `database: postgresql://app:${r.letters(ALNUM, 6)}%40${r.letters(ALNUM, 6)}@pg.corp.internal/app\n`,
    expected: ["postgres-url"],
  },
];
