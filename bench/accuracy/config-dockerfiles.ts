const DIGEST = `sha256:${"5f".repeat(32)}`;

/** Clean Dockerfiles of five kinds; %LINES% is where a sample's lines go, in the last stage and before its USER. */
export const BASES: readonly string[] = [
  `# syntax=docker/dockerfile:1
FROM registry.corp.example/go:1.24.2@${DIGEST} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -o /out/server ./cmd/server

FROM registry.corp.example/minimal:2025.1@${DIGEST}
LABEL org.opencontainers.image.source="https://git.corp.example/shop/server"
COPY --from=build /out/server /usr/local/bin/server
%LINES%
USER 65532:65532
EXPOSE 8443
HEALTHCHECK --interval=30s CMD ["/usr/local/bin/server", "health"]
ENTRYPOINT ["/usr/local/bin/server"]
`,
  `FROM registry.corp.example/python:3.13.3-slim@${DIGEST}
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/app
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY shop/ ./shop/
%LINES%
USER 10001
HEALTHCHECK CMD ["python", "-m", "shop.health"]
CMD ["python", "-m", "shop"]
`,
  `FROM registry.corp.example/node:24.1-alpine@${DIGEST} AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev
FROM registry.corp.example/node:24.1-alpine@${DIGEST}
WORKDIR /app
COPY --from=deps /app/node_modules ./node_modules
COPY src/ ./src/
%LINES%
USER 1000:1000
HEALTHCHECK NONE
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["src/main.js"]
`,
  `ARG BASE=registry.corp.example/temurin:21.0.7@${DIGEST}
FROM \${BASE}
WORKDIR /opt/shop
COPY target/shop.jar /opt/shop/shop.jar
%LINES%
EXPOSE 8080 9090
USER 2000
HEALTHCHECK --start-period=20s CMD ["java", "-version"]
ENTRYPOINT ["java", "-jar", "/opt/shop/shop.jar"]
`,
  `FROM registry.corp.example/debian:12.11@${DIGEST}
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY --chown=33:33 public/ /var/www/shop/
%LINES%
USER 33:33
HEALTHCHECK CMD ["/usr/local/bin/probe"]
CMD ["/usr/local/bin/serve", "--root", "/var/www/shop"]
`,
];

/** Lines that make a clean Dockerfile faulty, and the checks that must say so. */
export const FAULTY_LINES: readonly (readonly [string, ...string[]])[] = [
  ["ADD config.json /etc/shop/config.json", "dockerfile-add-for-copy"],
  ["ADD templates/ /srv/templates/", "dockerfile-add-for-copy"],
  ["ADD https://downloads.vendor.example/agent-4.2.bin /usr/local/bin/agent", "dockerfile-add-remote"],
  [
    "ADD http://downloads.vendor.example/agent.bin /usr/local/bin/agent",
    "dockerfile-add-remote",
    "dockerfile-add-insecure-address",
  ],
  ["COPY id_ed25519 /root/.ssh/id_ed25519", "dockerfile-copy-secret-file"],
  ["COPY deploy/.env.production /srv/", "dockerfile-copy-secret-file"],
  ["COPY tls/tls.key /etc/ssl/private/tls.key", "dockerfile-copy-secret-file"],
  ["COPY .aws /root/.aws", "dockerfile-copy-secret-file"],
  ["COPY . /opt/all", "dockerfile-copy-everything"],
  ["COPY one.txt two.txt /opt/target", "dockerfile-copy-many-no-slash"],
  ["COPY --chmod=0777 run.sh /usr/local/bin/run.sh", "dockerfile-copy-world-writable"],
  ["COPY --from=bulid /out/tool /usr/local/bin/tool", "dockerfile-copy-from-unknown"],
  ["COPY --from=7 /out/tool /usr/local/bin/tool", "dockerfile-copy-from-later-stage"],
  ["EXPOSE 70000", "dockerfile-port-invalid"],
  ["EXPOSE 8080/udpp", "dockerfile-port-invalid"],
  ["EXPOSE 22/tcp", "dockerfile-port-ssh"],
  ["EXPOSE 23", "dockerfile-port-plain-protocol"],
  ["EXPOSE 443", "dockerfile-port-privileged"],
  ['VOLUME ["/usr"]', "dockerfile-volume-system"],
  ["VOLUME /proc /data", "dockerfile-volume-system"],
  ["ENV MYSQL_ROOT_PASSWORD=Sommer2024x", "dockerfile-secret-in-env"],
  ['ENV STRIPE_SECRET_KEY="rk_test_9f8a7s6d5f4g"', "dockerfile-secret-in-env"],
  ["ENV DATABASE_URL=postgres://shop:Sommer2024x@db.internal/shop", "dockerfile-secret-in-env"],
  ["ENV GITLAB=glpat-aBcDeFgHiJkLmNoPqRsT", "dockerfile-secret-in-env"],
  ["ARG SONAR_TOKEN", "dockerfile-secret-in-arg"],
  ["ARG DEPLOY_PASSWORD=letmein99", "dockerfile-secret-in-arg"],
  ['ENV NODE_TLS_REJECT_UNAUTHORIZED="0"', "dockerfile-env-tls-off"],
  ["ENV GIT_SSL_NO_VERIFY=1", "dockerfile-env-tls-off"],
  ["ENV DEBIAN_FRONTEND=noninteractive", "dockerfile-env-debian-frontend"],
  ["ENV PATH=/tmp/tools:$PATH", "dockerfile-env-path-relative"],
  ["ENV SHOP_MODE production", "dockerfile-legacy-key-value"],
  ["MAINTAINER shop-team@corp.example", "dockerfile-maintainer"],
  ["ONBUILD ENV STAGE=child", "dockerfile-onbuild"],
  ["WORKDIR data/files", "dockerfile-workdir-relative"],
  ["EXPOSEE 8081", "dockerfile-unknown-instruction"],
  ["RUN --security=insecure ./selftest", "dockerfile-shell-insecure-run"],
  ["RUN curl -sSf https://install.vendor.example/cli | bash", "dockerfile-pipe-to-shell", "dockerfile-pipefail"],
  ["RUN set -o pipefail; wget -qO- https://install.vendor.example/cli | python3 -", "dockerfile-pipe-to-shell"],
  ['RUN eval "$(curl -fsS https://install.vendor.example/env)"', "dockerfile-pipe-to-shell"],
  ["RUN curl --insecure -fo /opt/a.zip https://files.vendor.example/a.zip", "dockerfile-download-insecure"],
  ["RUN wget -q --no-check-certificate https://files.vendor.example/a.zip", "dockerfile-download-insecure"],
  [
    "RUN git -c http.sslVerify=false clone --branch v3 https://git.vendor.example/x.git",
    "dockerfile-download-insecure",
  ],
  ["RUN curl -fO http://files.vendor.example/b.zip", "dockerfile-download-plain"],
  ["RUN sudo chown -R 33 /srv", "dockerfile-sudo"],
  ["RUN echo 'www-data ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers", "dockerfile-sudo-no-password"],
  ["RUN mkdir -p /srv/up && chmod -R 0777 /srv/up", "dockerfile-chmod-world-writable"],
  ["RUN chmod o+w /etc/shop.conf", "dockerfile-chmod-world-writable"],
  ["RUN chmod 4711 /usr/local/bin/helper", "dockerfile-chmod-set-uid"],
  ["RUN chmod g+s /usr/local/bin/helper", "dockerfile-chmod-set-uid"],
  ["RUN printf 'admin:Winter99' | chpasswd", "dockerfile-password-on-command-line"],
  ["RUN useradd --password '$6$abc' admin", "dockerfile-password-on-command-line"],
  ["RUN git clone --branch v3 https://ci:Geheim77@git.corp.example/lib.git", "dockerfile-credentials-on-command-line"],
  [
    "RUN curl -fsS -H 'Authorization: Bearer abcdef0123456789' -o /x https://api.corp.example/x",
    "dockerfile-credentials-on-command-line",
  ],
  ["RUN cd /srv", "dockerfile-cd"],
  ["RUN service nginx restart", "dockerfile-useless-command"],
  ["RUN vim /etc/hosts", "dockerfile-useless-command"],
  ["RUN git clone https://git.vendor.example/tool.git /opt/tool", "dockerfile-git-clone-unpinned"],
  ["RUN useradd -u 1234567890 shop", "dockerfile-user-low-uid"],
  ["RUN apt-get update && apt-get install -y --no-install-recommends nginx=1.22.1-9", "dockerfile-apt-lists-left"],
  [
    "RUN apt-get update && apt-get install --no-install-recommends nginx=1.22.1-9 && rm -rf /var/lib/apt/lists/*",
    "dockerfile-apt-assume-yes",
  ],
  [
    "RUN apt-get update && apt-get install -y nginx=1.22.1-9 && rm -rf /var/lib/apt/lists/*",
    "dockerfile-apt-recommends",
  ],
  [
    "RUN apt-get update && apt-get install -y --no-install-recommends nginx && rm -rf /var/lib/apt/lists/*",
    "dockerfile-apt-unpinned",
  ],
  [
    "RUN apt update && apt install -y --no-install-recommends nginx=1.22.1-9 && rm -rf /var/lib/apt/lists/*",
    "dockerfile-apt-cli",
  ],
  ["RUN apt-get update && rm -rf /var/lib/apt/lists/*", "dockerfile-apt-update-alone"],
  ["RUN apt-get update && apt-get -y full-upgrade && rm -rf /var/lib/apt/lists/*", "dockerfile-apt-upgrade"],
  [
    "RUN apt-get update && apt-get install -y --no-install-recommends --allow-unauthenticated x=1 && rm -rf /var/lib/apt/lists/*",
    "dockerfile-apt-unauthenticated",
  ],
  [
    "RUN echo 'deb [arch=amd64 trusted=yes] https://apt.vendor.example stable main' >> /etc/apt/sources.list",
    "dockerfile-apt-trusted-source",
  ],
  ["RUN apt-key adv --keyserver keys.example --recv-keys ABCD", "dockerfile-apt-key"],
  [
    "RUN apt-get update && apt-get install -y --no-install-recommends openssh-server=1:9.2 && rm -rf /var/lib/apt/lists/*",
    "dockerfile-ssh-server",
  ],
  [
    "RUN apt-get update && apt-get install -y --no-install-recommends netcat-openbsd=1.2 && rm -rf /var/lib/apt/lists/*",
    "dockerfile-network-tools",
  ],
  ["RUN apk add nginx=1.26.3-r0", "dockerfile-apk-cache"],
  ["RUN apk add --no-cache nginx", "dockerfile-apk-unpinned"],
  ["RUN apk add --no-cache --allow-untrusted ./local.apk", "dockerfile-apk-untrusted"],
  ["RUN dnf -y install nginx-1.26 ", "dockerfile-yum-cache"],
  ["RUN yum install nginx-1.26 && yum clean all", "dockerfile-yum-assume-yes"],
  ["RUN dnf install -y --nogpgcheck nginx-1.26 && dnf clean all", "dockerfile-yum-no-gpg"],
  ["RUN microdnf install -y nginx && microdnf clean all", "dockerfile-yum-unpinned"],
  ["RUN zypper install nginx-1.26", "dockerfile-zypper-non-interactive"],
  ["RUN pip3 install --no-cache-dir requests", "dockerfile-pip-unpinned"],
  ["RUN pip install --no-cache-dir --trusted-host pypi.corp.example requests==2.32.3", "dockerfile-pip-trusted-host"],
  [
    "RUN pip install --no-cache-dir --extra-index-url https://pypi.corp.example/simple corp-lib==4",
    "dockerfile-pip-extra-index",
  ],
  ["RUN npm install --omit=dev", "dockerfile-npm-install"],
  ["RUN npm install --global typescript", "dockerfile-npm-unpinned"],
  ["RUN yarn config set strict-ssl false", "dockerfile-npm-strict-ssl"],
  ["RUN gem install rails", "dockerfile-gem-unpinned"],
  ["RUN go install github.com/vendor/tool@latest", "dockerfile-go-latest"],
  ["RUN cargo install ripgrep --locked", "dockerfile-cargo-unpinned"],
];

/** Whole Dockerfiles whose fault is not one line. */
export const FAULTY_DOCKERFILES: readonly (readonly [string, ...string[]])[] = [
  [`FROM registry.corp.example/app:1@${DIGEST}\nENTRYPOINT ["/a"]\nHEALTHCHECK NONE\n`, "dockerfile-no-user"],
  [`FROM registry.corp.example/app:1@${DIGEST}\nUSER 0\nENTRYPOINT ["/a"]\nHEALTHCHECK NONE\n`, "dockerfile-root-user"],
  [
    `FROM registry.corp.example/app:1@${DIGEST}\nUSER shop\nENTRYPOINT ["/a"]\nHEALTHCHECK NONE\n`,
    "dockerfile-user-by-name",
  ],
  [`FROM registry.corp.example/app:1@${DIGEST}\nUSER 7\nENTRYPOINT ["/a"]\n`, "dockerfile-no-healthcheck"],
  [
    `FROM registry.corp.example/app:1@${DIGEST}\nUSER 7\nHEALTHCHECK NONE\nENTRYPOINT /a --serve\n`,
    "dockerfile-entrypoint-shell-form",
  ],
  [
    `FROM registry.corp.example/app:1@${DIGEST}\nUSER 7\nHEALTHCHECK NONE\nCMD python -m shop\n`,
    "dockerfile-cmd-shell-form",
  ],
  [
    `FROM registry.corp.example/app:1@${DIGEST}\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\nCMD ["b"]\n`,
    "dockerfile-instruction-overridden",
  ],
  [
    `FROM registry.corp.example/app:1@${DIGEST}\nUSER 7\nHEALTHCHECK NONE\nENTRYPOINT ['/a', '-v']\n`,
    "dockerfile-json-broken",
    "dockerfile-entrypoint-shell-form",
  ],
  ['FROM registry.corp.example/app\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n', "dockerfile-base-latest"],
  ['FROM registry.corp.example:5000/app:latest AS x\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n', "dockerfile-base-latest"],
  ['FROM registry.corp.example/app:4\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n', "dockerfile-base-no-digest"],
  ['ARG IMAGE\nFROM $IMAGE\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n', "dockerfile-base-unresolved"],
  [
    `FROM --platform=linux/arm64 registry.corp.example/app:1@${DIGEST}\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-platform-fixed",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST} AS s\nFROM registry.corp.example/b:1@${DIGEST} AS S\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-stage-name-taken",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST} AS s\nCOPY --from=t /a /b\nFROM registry.corp.example/b:1@${DIGEST} AS t\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-copy-from-later-stage",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST}\nCOPY app.js ./\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-workdir-missing",
  ],
  [
    `LABEL a=b\nFROM registry.corp.example/a:1@${DIGEST}\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-before-from",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST}\nRUN curl -fo a https://x.example/a\nRUN wget -q https://x.example/b\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-curl-and-wget",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST}\nCOPY .npmrc /root/.npmrc\nRUN npm ci && rm -f /root/.npmrc\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-copy-secret-file",
    "dockerfile-rm-secret-too-late",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST}\nRUN pip install -r req.txt\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-pip-cache",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST}\nRUN curl -fsS https://x.example/a.tgz | tar -xz -C /opt\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-pipefail",
  ],
  [
    `FROM registry.corp.example/a:1@${DIGEST}\nRUN <<EOT\napt-get update\napt-get install -y --no-install-recommends nginx=1\nEOT\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-apt-lists-left",
  ],
  [
    `# escape=\`\nFROM registry.corp.example/a:1@${DIGEST}\nRUN apt-get update && \`\n  apt-get install -y --no-install-recommends nginx=1\nUSER 7\nHEALTHCHECK NONE\nCMD ["a"]\n`,
    "dockerfile-apt-lists-left",
  ],
];

/** Lines that look like faults and are none. */
export const HARMLESS_LINES: readonly string[] = [
  "",
  "ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://downloads.vendor.example/agent /usr/local/bin/agent",
  "ADD rootfs.tar.xz /opt/rootfs/",
  "COPY .env.example /srv/.env.example",
  "COPY certs/ca.pem /usr/local/share/ca-certificates/corp.crt",
  "COPY environment.ts keyboard.ts tokens.css /srv/static/",
  "COPY --chmod=0755 run.sh /usr/local/bin/run.sh",
  "COPY --from=ghcr.io/vendor/tool:1.4 /tool /usr/local/bin/tool",
  "EXPOSE 8000-8010/tcp",
  "EXPOSE 5353/udp 2222",
  "VOLUME /var/lib/shop",
  'VOLUME ["/srv/data", "/var/cache/shop"]',
  "ENV SHOP_PASSWORD_FILE=/run/secrets/shop TOKEN_TTL_SECONDS=300",
  'ENV API_KEY=""',
  "ENV COMPASS=north BYPASS_AUTH=false",
  "ENV SECRET_KEY_BASE_PATH=/run/secrets/base",
  "ENV KEYBOARD=us TOKENIZER=fast PASSENGERS=3",
  "ENV DATABASE_URL=postgres://db.internal:5432/shop",
  "ENV HTTP_PROXY=http://proxy.corp.example:3128",
  "ENV NODE_TLS_REJECT_UNAUTHORIZED=1",
  "ENV PATH=/opt/shop/bin:$PATH",
  "ARG VERSION=1.4.2\nARG TARGETARCH",
  "ARG TOKENS_PER_MINUTE=10",
  "ARG DEBIAN_FRONTEND=noninteractive",
  'LABEL description="curl | sh is not used here" password-policy="strong"',
  "LABEL org.opencontainers.image.title=shop org.opencontainers.image.version=1.4",
  "WORKDIR /opt/shop/data",
  "WORKDIR $HOME/x",
  "STOPSIGNAL SIGTERM",
  "RUN curl -fsSLo /opt/tool https://files.vendor.example/tool && echo 'abc  /opt/tool' | sha256sum -c -",
  "RUN set -o pipefail && curl -fsSL https://files.vendor.example/t.tgz | tar -xz -C /opt",
  "RUN curl -fsS http://localhost:8080/ready",
  "RUN echo 'never run curl https://x | sh' > /etc/motd",
  'RUN echo "use sudo on the host" >> /etc/motd',
  "RUN printf '%s\\n' 'chmod 777 is forbidden' > /etc/policy",
  "RUN chmod 0750 /opt && chmod 1777 /tmp && chmod u+x,go-w /usr/local/bin/*",
  "RUN chmod u-s /usr/bin/chsh && find / -perm /6000 -type f -exec chmod a-s {} +",
  "RUN groupadd -g 10001 shop && useradd -r -u 10001 -g shop shop",
  "RUN adduser -D -u 10002 worker",
  "RUN cd /opt && ./configure && make install",
  "RUN systemctl enable shop.service",
  "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates=20230311 && rm -rf /var/lib/apt/lists/*",
  "RUN apt-get update \\\n && apt-get install -qq -y --no-install-recommends \\\n    # certificates\n    ca-certificates=20230311 \\\n && apt-get clean \\\n && rm -rf /var/lib/apt/lists/* /tmp/*",
  "RUN --mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y --no-install-recommends ca-certificates=20230311",
  "RUN echo 'deb [signed-by=/usr/share/keyrings/v.gpg] https://apt.vendor.example stable main' > /etc/apt/sources.list.d/v.list",
  "RUN apk add --no-cache ca-certificates=20250619-r0 tzdata~=2025",
  "RUN apk add --no-cache --virtual .build gcc=14.2.0-r4 && apk del .build",
  "RUN dnf install -y nginx-1.26.2 && dnf clean all && rm -rf /var/cache/dnf",
  "RUN microdnf -y install nginx-1.26.2 --setopt=install_weak_deps=0 && microdnf clean all",
  "RUN zypper --non-interactive install nginx-1.26",
  "RUN pip install --no-cache-dir --index-url https://pypi.corp.example/simple corp-lib==4.0.1",
  "RUN pip install --no-cache-dir --no-deps .",
  "RUN --mount=type=secret,id=npm,target=/root/.npmrc npm ci --ignore-scripts",
  "RUN npm install --global pnpm@9.12.0 && npm cache clean --force",
  "RUN npm config set cafile /etc/ssl/corp.pem",
  "RUN gem install bundler:2.6.2",
  "RUN go install github.com/vendor/tool@v1.4.0",
  "RUN cargo install --locked --version 14.1.1 ripgrep",
  "RUN git clone --depth 1 --branch v2.1.0 https://git.vendor.example/x.git /opt/x",
  "RUN useradd --no-log-init -u 1000660000 shop",
  'RUN ["/usr/local/bin/prepare", "--fast"]',
  "RUN [ -d /srv ] || mkdir -p /srv",
  "RUN <<'EOT' python3\nimport os\nos.system('true')\nEOT",
  "RUN <<EOT\nset -eu\nmkdir -p /srv/a\ntouch /srv/a/b\nEOT",
  'RUN if [ "$(uname -m)" = x86_64 ]; then ln -s a b; else ln -s c d; fi',
  'RUN for f in a b c; do touch "/srv/$f"; done',
  "RUN grep -k pattern file; tar -k -xf a.tar; sort -k 2 b",
  "RUN awk '{print $1 | \"sh\"}' x > y",
  "RUN --network=none make test",
  "COPY <<EOT /etc/shop.conf\npassword_file = /run/secrets/p\nEOT",
  "# USER root is not used\n# ADD x y",
  "RUN touch /srv/sudo /srv/sshd /srv/netcat",
];
