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

const VARIANTS = 22;

type Harmless = readonly [name: string, path: string, text: (random: Random) => string];

const WORDS = "order cart user billing report invoice search catalog event stream metric worker queue batch".split(" ");
const NAMES = [
  "API_KEY",
  "DB_PASSWORD",
  "AWS_SECRET_ACCESS_KEY",
  "GITHUB_TOKEN",
  "JWT_SECRET",
  "STRIPE_SECRET_KEY",
  "CLIENT_SECRET",
  "ACCESS_TOKEN",
];
const PLACEHOLDERS = [
  "changeme",
  "your-api-key-here",
  "<secret>",
  "xxxxxxxxxxxxxxxxxxxxxxxx",
  "****************",
  "REPLACE_ME",
  `\${SECRET}`,
  "{{ secret }}",
  "TODO",
  "example-token-value",
  "password",
  "YOUR_ACCESS_TOKEN",
  "%SECRET%",
  "insert_token_here",
  "my-secret-token",
  "__API_KEY__",
  "null",
  "",
];

const KINDS: readonly Harmless[] = [
  [
    "placeholder in .env.example",
    "app/.env.example",
    (r) => `${NAMES.map((name) => `${name}=${r.pick(PLACEHOLDERS)}`).join("\n")}\n`,
  ],
  [
    "placeholder in YAML",
    "app/config.sample.yaml",
    (r) => `${NAMES.map((name) => `${name.toLowerCase()}: "${r.pick(PLACEHOLDERS)}"`).join("\n")}\n`,
  ],
  [
    "placeholder in JSON",
    "app/config.json",
    (r) => JSON.stringify(Object.fromEntries(NAMES.map((name) => [name.toLowerCase(), r.pick(PLACEHOLDERS)])), null, 2),
  ],
  [
    "read from the environment, Python",
    "app/settings.py",
    (r) =>
      `import os\n${NAMES.map((name) => `${name} = os.environ["${name}"]`).join("\n")}\npassword = os.getenv("${r.pick(NAMES)}", "")\nsecret_key = get_secret("prod/${r.pick(WORDS)}/key2")\n`,
  ],
  [
    "read from the environment, JavaScript",
    "app/src/config.js",
    (r) =>
      `export const apiKey = process.env.API_KEY;\nexport const password = process.env.${r.pick(NAMES)} ?? "";\nconst token = await getToken({ scope: "${r.pick(WORDS)}:read" });\nconst clientSecret = config.get('${r.pick(WORDS)}.clientSecret');\n`,
  ],
  [
    "read from the environment, Go",
    "app/main.go",
    (r) =>
      `package main\n\nvar apiKey = os.Getenv("${r.pick(NAMES)}")\n\nfunc token() string { return viper.GetString("${r.pick(WORDS)}.token") }\n\nconst passwordField = "user_password"\n`,
  ],
  [
    "read from the environment, Java",
    "app/src/App.java",
    (r) =>
      `@Value("\${${r.pick(WORDS)}.password}")\nprivate String password;\nprivate static final String TOKEN_HEADER = "X-Auth-Token";\nString secretKey = System.getenv("${r.pick(NAMES)}");\n`,
  ],
  [
    "read from the environment, PHP",
    "app/config.php",
    (r) =>
      `<?php\nreturn ['password' => env('DB_PASSWORD', ''), 'api_key' => getenv('${r.pick(NAMES)}'), 'token' => $_SERVER['HTTP_X_TOKEN']];\n`,
  ],
  ["UUIDs", "app/ids.txt", (r) => Array.from({ length: 20 }, () => uuid(r)).join("\n")],
  ["UUIDs by name", "app/tenants.yaml", (r) => WORDS.map((word) => `${word}_id: ${uuid(r)}`).join("\n")],
  ["checksums", "app/SHA256SUMS", (r) => WORDS.map((word) => `${r.letters(HEX, 64)}  ${word}.tar.gz`).join("\n")],
  [
    "checksums in a script",
    "app/install.sh",
    (r) =>
      `VERSION=1.${r.below(20)}.0\nSHA256=${r.letters(HEX, 64)}\ncurl -fsSLO https://files.example.org/app-$VERSION.tgz\necho "$SHA256  app-$VERSION.tgz" | sha256sum -c -\n`,
  ],
  [
    "package-lock.json",
    "app/package-lock.json",
    (r) =>
      JSON.stringify(
        {
          packages: Object.fromEntries(
            WORDS.map((word) => [
              `node_modules/${word}-token`,
              { version: "1.0.0", integrity: `sha512-${r.letters(BASE64, 86)}==` },
            ]),
          ),
        },
        null,
        2,
      ),
  ],
  [
    "yarn.lock",
    "app/yarn.lock",
    (r) =>
      WORDS.map(
        (word) =>
          `"${word}-secret@^1.0.0":\n  version "1.0.${r.below(9)}"\n  resolved "https://registry.yarnpkg.com/${word}/-/${word}-1.0.0.tgz#${r.letters(HEX, 40)}"\n  integrity sha512-${r.letters(BASE64, 86)}==\n`,
      ).join("\n"),
  ],
  [
    "go.sum",
    "app/go.sum",
    (r) => WORDS.map((word) => `github.com/acme/${word} v1.2.${r.below(9)} h1:${r.letters(BASE64, 43)}=`).join("\n"),
  ],
  [
    "Cargo.lock",
    "app/Cargo.lock",
    (r) =>
      WORDS.map(
        (word) =>
          `[[package]]\nname = "${word}-key"\nversion = "0.1.${r.below(9)}"\nchecksum = "${r.letters(HEX, 64)}"\n`,
      ).join("\n"),
  ],
  [
    "requirements with hashes",
    "app/requirements.txt",
    (r) => WORDS.map((word) => `${word}==1.${r.below(9)} --hash=sha256:${r.letters(HEX, 64)}`).join("\n"),
  ],
  [
    "public key",
    "root/.ssh/id_ed25519.pub",
    (r) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${r.letters(BASE64, 43)} dev@laptop\n`,
  ],
  [
    "public key, PEM",
    "app/keys/public.pem",
    (r) => `-----BEGIN PUBLIC KEY-----\n${pemBody(r, 6)}\n${r.letters(BASE64, 54)}==\n-----END PUBLIC KEY-----\n`,
  ],
  [
    "certificate",
    "app/certs/ca.crt",
    (r) => `-----BEGIN CERTIFICATE-----\n${pemBody(r, 20)}\n-----END CERTIFICATE-----\n`,
  ],
  [
    "PGP signature",
    "app/release.sig",
    (r) => `-----BEGIN PGP SIGNATURE-----\n\n${pemBody(r, 8)}\n=${r.letters(BASE64, 4)}\n-----END PGP SIGNATURE-----\n`,
  ],
  [
    "known hosts",
    "root/.ssh/known_hosts",
    (r) => `git.corp.internal ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ${r.letters(BASE64, 340)}\n`,
  ],
  [
    "picture in HTML",
    "app/index.html",
    (r) =>
      `<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA${r.letters(BASE64, 1_200)}==">\n<input type="password" name="password" placeholder="Password">\n`,
  ],
  [
    "picture in a notebook",
    "work/plot.ipynb",
    (r) =>
      JSON.stringify({
        cells: [
          {
            outputs: [{ data: { "image/png": `iVBORw0KGgo${r.letters(BASE64, 3_000)}` } }],
            execution_count: r.below(9),
          },
        ],
      }),
  ],
  [
    "font in CSS",
    "app/style.css",
    (r) =>
      `@font-face{src:url(data:font/woff2;base64,d09GMgABAAAAA${r.letters(BASE64, 900)})}\n.token{color:#${r.letters(HEX, 6)}}.password-field{width:20em}\n`,
  ],
  [
    "translations",
    "app/locales/en.json",
    (r) =>
      JSON.stringify(
        {
          password: "Password",
          passwordHint: "At least 8 characters",
          "login.password": "Enter your password",
          token: "Access token",
          tokenExpired: "Your token has expired",
          secret: "Keep this secret!",
          count: r.below(100),
        },
        null,
        2,
      ),
  ],
  [
    "translations, Chinese",
    "app/locales/zh.json",
    (r) =>
      JSON.stringify(
        { password: "密码", confirm: "请再次输入密码: 至少8位", secret: "密钥", hint: `密码错误次数: ${r.below(10)}` },
        null,
        2,
      ),
  ],
  [
    "Kubernetes, by reference",
    "deploy/app.yaml",
    (r) =>
      `apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - name: ${r.pick(WORDS)}\n        env:\n        - name: DB_PASSWORD\n          valueFrom:\n            secretKeyRef:\n              name: ${r.pick(WORDS)}-db-credentials-v2\n              key: password\n        - name: API_TOKEN\n          valueFrom:\n            secretKeyRef: {name: api-token-store, key: token}\n`,
  ],
  [
    "Helm",
    "deploy/templates/secret.yaml",
    (r) =>
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}-${r.pick(WORDS)}\ndata:\n  password: {{ .Values.password | b64enc | quote }}\n  token: {{ randAlphaNum 32 | b64enc }}\n`,
  ],
  [
    "GitHub workflow",
    "app/.github/workflows/ci.yml",
    (r) =>
      `on: push\njobs:\n  build:\n    steps:\n    - uses: actions/checkout@${r.letters(HEX, 40)}\n    - run: npm publish\n      env:\n        NODE_AUTH_TOKEN: \${{ secrets.NPM_TOKEN }}\n        GITHUB_TOKEN: \${{ github.token }}\n`,
  ],
  [
    "Terraform",
    "infra/main.tf",
    (r) =>
      `resource "aws_db_instance" "${r.pick(WORDS)}" {\n  username = "app"\n  password = var.db_password\n  kms_key_id = "arn:aws:kms:eu-west-1:${r.letters(DIGITS, 12)}:key/${uuid(r)}"\n}\ndata "aws_secretsmanager_secret" "x" { name = "prod/${r.pick(WORDS)}/db-password-1" }\n`,
  ],
  [
    "Dockerfile",
    "build/Dockerfile",
    (r) =>
      `FROM node:22@sha256:${r.letters(HEX, 64)}\nARG NPM_TOKEN\nENV PASSWORD_FILE=/run/secrets/password\nRUN --mount=type=secret,id=npmrc npm ci\nENV TOKEN_TTL=3600 SECRET_NAME=${r.pick(WORDS)}-secret\n`,
  ],
  [
    "compose",
    "deploy/compose.yml",
    (r) =>
      `services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n      POSTGRES_PASSWORD: \${POSTGRES_PASSWORD:?set it}\n      POSTGRES_USER: ${r.pick(WORDS)}\nsecrets:\n  db_password:\n    external: true\n`,
  ],
  [
    "addresses without a password",
    "app/urls.env.sample",
    (r) =>
      `A=postgres://localhost:5432/${r.pick(WORDS)}\nB=postgres://app:\${DB_PASSWORD}@db:5432/app\nC=redis://cache:6379/0\nD=amqp://guest:guest@localhost:5672/\nE=https://user:password@example.com/${r.pick(WORDS)}\nF=mongodb://mongo-${r.below(9)}:27017/app\n`,
  ],
  [
    "documentation",
    "app/README.md",
    (r) =>
      `# ${r.pick(WORDS)}\n\nSet \`API_KEY\` to your key:\n\n    export API_KEY=your-api-key\n    curl -H "Authorization: Bearer $TOKEN" https://api.example.com/v${r.below(9)}\n    curl -u user:password https://example.com\n\nThe password: choose a strong one. Token: see the console.\n`,
  ],
  [
    "AWS's own examples",
    "app/docs/aws.md",
    (r) =>
      `aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nregion = eu-west-${r.below(3)}\n`,
  ],
  [
    "git log",
    "app/history.txt",
    (r) =>
      WORDS.map((word) => `commit ${r.letters(HEX, 40)}\n    Fix the ${word} token refresh, key rotation\n`).join("\n"),
  ],
  [
    "server log",
    "var/log/app.log",
    (r) =>
      WORDS.map(
        (word) =>
          `2026-01-0${1 + r.below(9)}T10:00:00Z INFO ${word} request_id=${uuid(r)} trace=${r.letters(HEX, 32)} user=42 token=[REDACTED] took ${r.below(900)}ms`,
      ).join("\n"),
  ],
  [
    "minified script",
    "app/static/main.min.js",
    (r) =>
      Array.from(
        { length: 60 },
        () =>
          `function ${r.letters(LOWER, 2)}(e,t){return e.password=t.token,e.${r.letters(LOWER, 2)}("${r.letters(ALNUM, 20)}")}`,
      ).join(""),
  ],
  [
    "bundle with hashes",
    "app/static/manifest.json",
    (r) =>
      JSON.stringify(
        Object.fromEntries(
          WORDS.map((word) => [`${word}-token.js`, `/static/${word}-token.${r.letters(ALNUM, 8)}.js`]),
        ),
      ),
  ],
  [
    "source map",
    "app/static/vendor.js.map",
    (r) => JSON.stringify({ version: 3, names: ["token", "password"], mappings: r.letters(`${ALNUM},;`, 2_000) }),
  ],
  [
    "HTML form",
    "app/login.html",
    (r) =>
      `<form action="/login"><label for="password">Password:</label><input id="password" type="password" autocomplete="current-password"><input type="hidden" name="csrf_field" id="${r.pick(WORDS)}"></form>\n`,
  ],
  [
    "SQL schema",
    "app/schema.sql",
    (r) =>
      `CREATE TABLE ${r.pick(WORDS)}_users (\n  id uuid PRIMARY KEY,\n  password varchar(255) NOT NULL DEFAULT '',\n  api_token char(64),\n  secret_key bytea\n);\n`,
  ],
  [
    "OpenAPI",
    "app/openapi.yaml",
    (r) =>
      `openapi: 3.1.0\ninfo: {title: ${r.pick(WORDS)}, version: 1.0.${r.below(9)}}\ncomponents:\n  securitySchemes:\n    ApiKeyAuth: {type: apiKey, in: header, name: X-API-Key}\n  schemas:\n    Login:\n      properties:\n        password: {type: string, format: password, minLength: 8}\n        access_token: {type: string, description: Bearer token}\n`,
  ],
  [
    "unit test",
    "app/test/login.test.js",
    (r) =>
      `it("logs in", async () => {\n  await login({ user: "alice", password: "password" });\n  expect(res.token).toBe("test-token-${r.pick(WORDS)}");\n  const secret = "not-a-real-secret";\n  const apiKey = "dummy-api-key-${r.below(99)}";\n});\n`,
  ],
  [
    "nginx",
    "etc/nginx/nginx.conf",
    (r) =>
      `ssl_certificate_key /etc/nginx/certs/${r.pick(WORDS)}.key;\nauth_basic_user_file /etc/nginx/.users;\nproxy_set_header Authorization $http_authorization;\nproxy_set_header X-Token $cookie_token;\nserver_tokens off;\n`,
  ],
  [
    "Jenkinsfile stage",
    "app/ci/pipeline.groovy",
    (r) =>
      `withCredentials([string(credentialsId: '${r.pick(WORDS)}-deploy-token', variable: 'TOKEN')]) {\n  sh 'curl -H "Authorization: Bearer $TOKEN" https://ci.corp.internal/'\n}\n`,
  ],
  [
    "type declarations",
    "app/src/types.ts",
    (r) =>
      `export interface Login { password: string; token?: string; apiKey: ApiKeyV${r.below(9)}; secret: Uint8Array }\nexport type TokenKind = "access_token" | "refresh_token" | "id_token";\nexport const TOKEN_COOKIE = "${r.pick(WORDS)}_session_token";\n`,
  ],
  [
    "identifiers",
    "app/src/Handler.cs",
    (r) =>
      `var passwordHasher = new PasswordHasher<User>();\nvar secretName = "kv-${r.pick(WORDS)}-prod-secret-01";\nvar tokenProvider = TokenProviders.Default;\nconst string ApiKeyHeaderName = "X-Api-Key";\n`,
  ],
  [
    "hash constants",
    "app/src/sha.py",
    (r) =>
      `K = [${Array.from({ length: 16 }, () => `0x${r.letters(HEX, 8)}`).join(", ")}]\nEMPTY_SHA256 = "${r.letters(HEX, 64)}"\nETAG = '"${r.letters(HEX, 32)}"'\ncommit = "${r.letters(HEX, 40)}"\n`,
  ],
  [
    "image digests",
    "deploy/images.yaml",
    (r) =>
      WORDS.map((word) => `${word}:\n  image: registry.corp.internal/${word}-token@sha256:${r.letters(HEX, 64)}`).join(
        "\n",
      ),
  ],
  [
    "feature identifiers",
    "app/analytics.js",
    (r) =>
      `gtag("config", "G-${r.letters(UPPER + DIGITS, 10)}");\nconst clientId = "${r.letters(DIGITS, 12)}-${r.letters(LOWER + DIGITS, 32)}.apps.googleusercontent.com";\nconst publishableKey = "pk_live_${r.letters(ALNUM, 24)}";\nconst siteKey = "6L${r.letters(BASE64URL, 38)}";\n`,
  ],
  ["binary-looking text", "app/data.bin.txt", (r) => r.letters(BASE64, 4_000)],
  ["hexadecimal dump", "app/dump.hex", (r) => Array.from({ length: 60 }, () => r.letters(HEX, 64)).join("\n")],
  [
    "PAM and sudo",
    "etc/pam.d/common-password",
    (r) =>
      `password [success=1 default=ignore] pam_unix.so obscure yescrypt\npassword requisite pam_deny.so\n# token bucket ${r.below(9)}\n`,
  ],
  [
    "empty shadow",
    "etc/shadow",
    (r) => `root:*:${19_000 + r.below(900)}:0:99999:7:::\napp:!:${19_000 + r.below(900)}:0:99999:7:::\n`,
  ],
  [
    "git repository settings",
    "app/.gitconfig",
    (r) =>
      `[user]\n\tname = ${r.pick(WORDS)}\n[url "git@git.corp.internal:"]\n\tinsteadOf = https://git.corp.internal/\n[credential]\n\thelper = cache --timeout=${r.below(9_000)}\n`,
  ],
  [
    "npmrc by reference",
    "app/.npmrc",
    (r) =>
      `registry=https://npm.corp.internal/${r.pick(WORDS)}/\n//npm.corp.internal/:_authToken=\${NPM_TOKEN}\nsave-exact=true\n`,
  ],
];

/** Files that hold no secret: what applications and images are full of, and what looks like a secret and is none. */
export function harmlessFiles(): readonly LabelledSample[] {
  return KINDS.flatMap(([name, path, text], kind) =>
    Array.from({ length: VARIANTS }, (_, variant) => ({
      name,
      path,
      content: Buffer.from(text(createRandom(500_000 + kind * 100 + variant))),
      expected: [],
    })),
  );
}
