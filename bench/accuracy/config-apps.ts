const TOMCAT_SERVER = (inside: string) => `<?xml version="1.0" encoding="UTF-8"?>
<!-- the shop's server -->
<Server port="-1" shutdown="SHUTDOWN">
  <Service name="Catalina">
    ${inside}
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false"/>
    </Engine>
  </Service>
</Server>
`;
const NGINX = (inside: string) => `user www-data;
worker_processes auto;
events { worker_connections 768; }
http {
  server_tokens off;
  server {
    listen 8443 ssl;
    root /srv/shop/public;
    ${inside}
  }
}
`;
const KAFKA = "opt/kafka/config/server.properties";
const ETCD = "etc/etcd/etcd.conf.yml";

/** Path, content, and the checks that must speak. */
export const FAULTY_APPS: readonly (readonly [string, string, ...string[]])[] = [
  ["etc/nginx/nginx.conf", NGINX("location /dl/ { autoindex on; autoindex_exact_size off; }"), "nginx-autoindex"],
  ["etc/nginx/nginx.conf", NGINX("location /img { alias /srv/img/; }"), "nginx-alias-traversal"],
  ["etc/nginx/nginx.conf", NGINX("location ^~ /media { alias /srv/media/; expires 1d; }"), "nginx-alias-traversal"],
  ["etc/nginx/nginx.conf", NGINX("location = /nginx_status { stub_status on; access_log off; }"), "nginx-status-open"],
  ["etc/nginx/nginx.conf", NGINX("ssl_protocols TLSv1.1 TLSv1.2;"), "nginx-tls-old-protocol"],
  [
    "etc/nginx/conf.d/tls.conf",
    "server {\n  ssl_ciphers 'ECDHE-RSA-AES128-GCM-SHA256:RC4-SHA';\n}\n",
    "nginx-tls-weak-ciphers",
  ],
  ["etc/nginx/nginx.conf", "user root;\nevents {}\nhttp { server_tokens off; }\n", "nginx-user-root"],
  ["etc/nginx/conf.d/default.conf", "server {\n  listen 8080;\n  root /;\n}\n", "nginx-root-directory"],
  [
    "etc/nginx/sites-available/shop",
    "server {\n  location /fetch {\n    proxy_pass $arg_target;\n  }\n}\n",
    "nginx-proxy-to-request",
  ],
  [
    "etc/nginx/sites-available/shop",
    "server {\n  return 302 https://shop.example$document_uri;\n}\n",
    "nginx-header-injection",
  ],
  [
    "etc/nginx/conf.d/cors.conf",
    "add_header 'Access-Control-Allow-Origin' '$http_origin';\nadd_header Access-Control-Allow-Credentials true;\n",
    "nginx-cors-reflect",
  ],
  [
    "etc/nginx/conf.d/dav.conf",
    "server { location /dav/ { dav_methods PUT DELETE MKCOL; create_full_put_path on; } }",
    "nginx-dav-open",
  ],
  [
    "etc/nginx/conf.d/up.conf",
    "server { location / { proxy_pass https://up; proxy_ssl_verify off; } }",
    "nginx-proxy-no-verify",
  ],
  [
    "etc/apache2/sites-available/shop.conf",
    "<VirtualHost *:8080>\n  <Directory /srv/shop>\n    Options +Indexes\n  </Directory>\n</VirtualHost>\n",
    "apache-options-indexes",
  ],
  ["usr/local/apache2/conf/httpd.conf", "Listen 8080\nTraceEnable on\n", "apache-trace"],
  [
    "usr/local/apache2/conf/extra/info.conf",
    '<Location "/server-info">\n    SetHandler server-info\n</Location>\n',
    "apache-status-open",
  ],
  ["etc/httpd/conf.d/ssl.conf", "SSLEngine on\nSSLProtocol all -SSLv2 -SSLv3\n", "apache-tls-old-protocol"],
  [
    "etc/httpd/conf.d/proxy.conf",
    "ProxyRequests On\n<Proxy *>\n  Require ip 10.0.0.0/8\n</Proxy>\n",
    "apache-open-proxy",
  ],
  [
    "etc/httpd/conf/httpd.conf",
    "<Directory />\n  AllowOverride none\n  Require all granted\n</Directory>\n",
    "apache-root-granted",
  ],
  [
    "etc/httpd/conf/httpd.conf",
    '<Directory "/">\n  AllowOverride All\n  Require all denied\n</Directory>\n',
    "apache-override-root",
  ],
  ["etc/httpd/conf/httpd.conf", "User root\nGroup apache\n", "apache-user-root"],
  ["etc/httpd/conf.d/up.conf", "SSLProxyEngine on\nSSLProxyVerify none\n", "apache-proxy-no-verify"],
  ["usr/local/apache2/conf/httpd.conf", "ServerTokens OS\n", "apache-server-tokens"],
  [
    "opt/tomcat/conf/server.xml",
    TOMCAT_SERVER('<Connector protocol="org.apache.coyote.ajp.AjpNioProtocol" port="8009" address="0.0.0.0"/>'),
    "tomcat-ajp-open",
  ],
  [
    "opt/tomcat/conf/server.xml",
    TOMCAT_SERVER('<Connector port="8080" protocol="HTTP/1.1"\n      allowTrace="true"/>'),
    "tomcat-trace",
  ],
  ["opt/tomcat/conf/server.xml", '<Server port="8005" shutdown="SHUTDOWN"/>', "tomcat-shutdown-port"],
  [
    "opt/tomcat/conf/server.xml",
    '<Server port="-1"><Service><Engine><Host name="a" appBase="w"/></Engine></Service></Server>',
    "tomcat-auto-deploy",
  ],
  [
    "opt/tomcat/conf/server.xml",
    TOMCAT_SERVER('<Connector port="8443" SSLEnabled="true" sslEnabledProtocols="TLSv1,TLSv1.1,TLSv1.2"/>'),
    "tomcat-tls-old-protocol",
  ],
  [
    "opt/tomcat/conf/tomcat-users.xml",
    '<tomcat-users xmlns="http://tomcat.apache.org/xml">\n  <role rolename="manager-gui"/>\n  <user username="admin" password="admin" roles="manager-gui,admin-gui"/>\n</tomcat-users>',
    "tomcat-default-password",
    "tomcat-manager-user",
  ],
  [
    "opt/tomcat/conf/tomcat-users.xml",
    '<tomcat-users><user name="robot" password="robot" roles="reader"/></tomcat-users>',
    "tomcat-default-password",
  ],
  [
    "opt/tomcat/conf/web.xml",
    "<web-app><servlet><servlet-name>default</servlet-name><init-param><param-name>readonly</param-name><param-value>false</param-value></init-param></servlet></web-app>",
    "tomcat-default-servlet-writable",
  ],
  [
    "opt/tomcat/conf/web.xml",
    "<web-app><servlet>\n<init-param>\n<param-name> listings </param-name>\n<param-value> true </param-value>\n</init-param></servlet></web-app>",
    "tomcat-listings",
  ],
  ["opt/tomcat/conf/context.xml", '<Context allowLinking="false" crossContext="true"/>', "tomcat-context-privileged"],
  [
    "opt/tomcat/webapps/manager/META-INF/context.xml",
    '<Context privileged="true"><Manager/></Context>',
    "tomcat-manager-open",
  ],
  ["etc/redis/redis.conf", "port 6379\nprotected-mode no\ndaemonize no\n", "redis-open"],
  [
    "usr/local/etc/redis/redis.conf",
    "bind * -::*\nprotected-mode no\n",
    "redis-open",
    "redis-all-addresses",
    "redis-commands-not-renamed",
  ],
  ["etc/redis/redis.conf", 'bind 127.0.0.1\nrequirepass "foobared"\n', "redis-weak-password"],
  ["etc/redis/redis.conf", "bind 10.1.2.3\nuser default on nopass +@all ~*\n", "redis-default-user-no-password"],
  ["etc/redis/redis.conf", "bind 127.0.0.1\nenable-debug-command yes\n", "redis-debug-commands"],
  ["etc/mysql/conf.d/dev.cnf", "[mysqld]\nskip-grant-tables\nskip-networking\n", "mysql-skip-grant-tables"],
  ["etc/my.cnf", "[mysqld]\nlocal-infile = ON\n", "mysql-local-infile"],
  ["root/my.cnf", '[client]\nuser = root\npassword = "Sommer#2024"\n', "mysql-password-in-file"],
  ["etc/my.cnf.d/server.cnf", "[mysqld]\nuser = root\n", "mysql-user-root"],
  ["etc/my.cnf.d/server.cnf", "[mysqld]\nsecure_file_priv=\n", "mysql-secure-file-priv"],
  ["etc/mysql/my.cnf", "[mysqld]\nbind-address=*\n", "mysql-all-addresses"],
  ["etc/mysql/my.cnf", "[mysqld]\nssl=0\n", "mysql-tls-off"],
  ["etc/mysql/my.cnf", "[mysqld]\ndefault_authentication_plugin = mysql_native_password\n", "mysql-old-authentication"],
  ["var/lib/postgresql/data/postgresql.conf", "listen_addresses = '*'\nport = 5432\n", "postgresql-all-addresses"],
  [
    "var/lib/postgresql/data/postgresql.conf",
    "password_encryption = 'md5'\nssl = off   # later\n",
    "postgresql-password-md5",
    "postgresql-tls-off",
  ],
  [
    "var/lib/postgresql/data/pg_hba.conf",
    "# TYPE DATABASE USER ADDRESS METHOD\nlocal all all peer\nhost all all all trust\n",
    "postgresql-trust-network",
  ],
  ["var/lib/postgresql/data/pg_hba.conf", "host shop shop 192.168.0.0/16 password\n", "postgresql-password-clear"],
  [
    "var/lib/postgresql/data/pg_hba.conf",
    "hostssl replication repl 0.0.0.0/0 scram-sha-256\n",
    "postgresql-replication-anywhere",
  ],
  ["var/lib/postgresql/data/pg_hba.conf", "local all postgres trust\n", "postgresql-trust-local"],
  [
    "etc/mongod.conf",
    "storage:\n  dbPath: /data/db\nnet:\n  port: 27017\n  bindIp: 127.0.0.1,0.0.0.0\n",
    "mongodb-open",
  ],
  [
    "etc/mongod.conf",
    'security:\n  authorization: "disabled"\nnet:\n  bindIp: 127.0.0.1\n',
    "mongodb-authorization-off",
  ],
  ["etc/mongod.conf", "net:\n  tls:\n    mode: allowTLS\n", "mongodb-tls-weak"],
  [
    "usr/share/elasticsearch/config/elasticsearch.yml",
    "cluster.name: shop\nnetwork.host: 0.0.0.0\nxpack.security.enabled: false\n",
    "elasticsearch-security-off",
  ],
  [
    "usr/share/opensearch/config/opensearch.yml",
    "plugins:\n  security:\n    disabled: true\n",
    "elasticsearch-security-off",
  ],
  [
    "usr/share/elasticsearch/config/elasticsearch.yml",
    "xpack.security.authc.anonymous.roles: [ viewer ]\n",
    "elasticsearch-anonymous",
  ],
  [
    "usr/share/elasticsearch/config/elasticsearch.yml",
    "http.cors.enabled: true\nhttp.cors.allow-origin: '*'\n",
    "elasticsearch-cors-any",
  ],
  [KAFKA, "broker.id=0\nlisteners=PLAINTEXT://:9092\nlog.dirs=/tmp/kafka\n", "kafka-plaintext-listener"],
  [KAFKA, "listeners=SASL_PLAINTEXT://0.0.0.0:9094\nsasl.enabled.mechanisms=PLAIN\n", "kafka-sasl-plaintext"],
  [KAFKA, "super.users=User:ANONYMOUS\n", "kafka-anonymous-super-user"],
  [KAFKA, "listeners=SSL://:9093\nssl.endpoint.identification.algorithm=\n", "kafka-hostname-not-verified"],
  ["opt/zookeeper/conf/zoo.cfg", "clientPort=2181\nskipACL=yes\n", "zookeeper-skip-acl"],
  [
    "etc/ssh/sshd_config",
    "Port 2222\nPermitRootLogin yes # for now\nPasswordAuthentication yes\n",
    "sshd-root-login",
    "sshd-password-login",
  ],
  ["etc/ssh/sshd_config.d/x.conf", "UsePAM no\nPermitEmptyPasswords yes\n", "sshd-empty-passwords"],
  ["etc/ssh/sshd_config", "MACs hmac-md5,hmac-sha2-256\n", "sshd-weak-crypto"],
  [
    "usr/local/etc/php/php.ini",
    "[PHP]\nallow_url_include=1\ndisplay_errors=On\n",
    "php-url-include",
    "php-display-errors",
  ],
  ["usr/local/etc/php/conf.d/xdebug.ini", "xdebug.mode=develop,debug\nxdebug.start_with_request=yes\n", "php-xdebug"],
  ["usr/local/etc/php-fpm.d/zz-shop.conf", "[www]\nuser = root\nlisten = [::]:9000\n", "php-fpm-root", "php-fpm-open"],
  [
    "etc/docker/daemon.json",
    '{\n  "hosts": ["fd://", "tcp://0.0.0.0:2375"],\n  "log-driver": "json-file"\n}',
    "docker-daemon-open",
  ],
  ["etc/docker/daemon.json", '{"insecure-registries": ["hub.corp.example"]}', "docker-insecure-registries"],
  [
    "etc/distribution/config.yml",
    "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /data\nhttp:\n  addr: 0.0.0.0:5000\n",
    "registry-no-auth",
  ],
  [
    "etc/rabbitmq/rabbitmq.conf",
    "listeners.tcp.default = 5672\nloopback_users = none\ndefault_pass = rabbit\n",
    "rabbitmq-guest-remote",
    "rabbitmq-default-password",
  ],
  [ETCD, "name: a\nlisten-client-urls: http://0.0.0.0:2379,http://127.0.0.1:4001\n", "etcd-plain-client"],
  [ETCD, "peer-transport-security:\n  auto-tls: true\n", "etcd-no-client-certificate"],
  ["etc/memcached.conf", "-d\n-m 128\n-l 0.0.0.0\n-U 11211\n", "memcached-open", "memcached-udp"],
  [
    "etc/vsftpd.conf",
    "listen=YES\nanonymous_enable=YES\nanon_upload_enable=YES\nssl_enable=YES\n",
    "vsftpd-anonymous",
    "vsftpd-anonymous-write",
  ],
  [
    "etc/grafana/grafana.ini",
    "[security]\nadmin_user = admin\nadmin_password = admin\n\n[auth.anonymous]\nenabled = true\norg_role = Viewer\n",
    "grafana-default-password",
    "grafana-anonymous",
  ],
];

/** Path and content of files in which nothing is wrong, though some of it looks so. */
export const CLEAN_APPS: readonly (readonly [string, string])[] = [
  ["etc/nginx/nginx.conf", NGINX("")],
  ["etc/nginx/nginx.conf", NGINX("# autoindex on; root /;")],
  ["etc/nginx/nginx.conf", NGINX("location /img/ { alias /srv/img/; }")],
  ["etc/nginx/nginx.conf", NGINX("location ~ ^/u/(.+)$ { alias /srv/u/; }")],
  ["etc/nginx/nginx.conf", NGINX("location /status { stub_status; allow 10.0.0.0/8; deny all; }")],
  ["etc/nginx/nginx.conf", NGINX("ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers HIGH:!aNULL:!MD5:!RC4:!3DES;")],
  ["etc/nginx/nginx.conf", NGINX('return 301 https://$host$request_uri; add_header X-Note "autoindex on";')],
  [
    "etc/nginx/nginx.conf",
    NGINX("location / { proxy_pass http://backend$request_uri; proxy_set_header Host $http_host; }"),
  ],
  ["etc/nginx/nginx.conf", NGINX('if ($http_user_agent ~ "curl{2}") { return 403; }')],
  ["etc/nginx/conf.d/log.conf", "log_format main '$remote_addr \"$request\" $uri {}';\naccess_log /dev/stdout main;\n"],
  [
    "etc/nginx/conf.d/cors.conf",
    "map $http_origin $allowed { default ''; https://shop.example $http_origin; }\nadd_header Access-Control-Allow-Origin $allowed;\n",
  ],
  [
    "etc/nginx/conf.d/dav.conf",
    "server { location /dav/ { dav_methods PUT; auth_basic x; auth_basic_user_file /run/secrets/h; } }",
  ],
  [
    "etc/apache2/sites-available/shop.conf",
    "<VirtualHost *:8080>\n  DocumentRoot /srv/shop\n  <Directory /srv/shop>\n    Options -Indexes +FollowSymLinks\n    Require all granted\n  </Directory>\n</VirtualHost>\n",
  ],
  [
    "etc/httpd/conf/httpd.conf",
    "ServerTokens Prod\nServerSignature Off\nTraceEnable Off\n<Directory />\n  AllowOverride None\n  Require all denied\n</Directory>\n",
  ],
  [
    "etc/httpd/conf.d/status.conf",
    "ExtendedStatus On\n<Location /state>\n  SetHandler server-status\n  Require host monitor.corp.example\n</Location>\n",
  ],
  [
    "etc/httpd/conf.d/status.conf",
    "<Location /server-status>\n  SetHandler server-status\n  <RequireAny>\n    Require ip 10.0.0.0/8\n  </RequireAny>\n</Location>\n",
  ],
  ["etc/httpd/conf.d/ssl.conf", "SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1\nSSLCipherSuite HIGH:!aNULL:!RC4\n"],
  ["etc/httpd/conf.d/proxy.conf", 'ProxyRequests Off\nProxyPass "/" "http://backend/"\n'],
  [
    "opt/tomcat/conf/server.xml",
    TOMCAT_SERVER('<Connector port="8080" protocol="HTTP/1.1" connectionTimeout="20000"/>'),
  ],
  ["opt/tomcat/conf/server.xml", TOMCAT_SERVER('<!-- <Connector protocol="AJP/1.3" port="8009"/> -->')],
  [
    "opt/tomcat/conf/server.xml",
    TOMCAT_SERVER('<Connector protocol="AJP/1.3" port="8009" address="127.0.0.1" secretRequired="false"/>'),
  ],
  [
    "opt/tomcat/conf/server.xml",
    TOMCAT_SERVER('<Connector port="8443" SSLEnabled="true"><SSLHostConfig protocols="TLSv1.2,TLSv1.3"/></Connector>'),
  ],
  [
    "opt/tomcat/conf/tomcat-users.xml",
    '<tomcat-users>\n<!--\n<user username="admin" password="admin" roles="manager-gui"/>\n-->\n</tomcat-users>',
  ],
  [
    "opt/tomcat/conf/web.xml",
    "<web-app><servlet><init-param><param-name>listings</param-name><param-value>false</param-value></init-param><init-param><param-name>debug</param-name><param-value>0</param-value></init-param></servlet></web-app>",
  ],
  [
    "opt/tomcat/webapps/manager/META-INF/context.xml",
    '<Context privileged="true"><Valve className="org.apache.catalina.valves.RemoteAddrValve" allow="127.0.0.1"/></Context>',
  ],
  ["etc/redis/redis.conf", "bind 127.0.0.1 -::1\nprotected-mode yes\nport 6379\n# requirepass foobared\n"],
  ["etc/redis/redis.conf", "protected-mode no\nrequirepass Vb83nQp20xKd\nbind 10.0.0.4\n"],
  ["etc/redis/redis.conf", "bind 127.0.0.1\nprotected-mode no\n"],
  ["etc/redis/redis.conf", "protected-mode no\naclfile /run/secrets/users.acl\nbind 10.0.0.4\n"],
  ["etc/redis/redis.conf", "user default off\nuser shop on #9f86d081 ~shop:* +get +set\nbind 127.0.0.1\n"],
  [
    "etc/mysql/my.cnf",
    "[client]\nport=3306\n[mysqld]\nuser=mysql\nbind-address=127.0.0.1\nlocal-infile=0\nsecure-file-priv=NULL\n",
  ],
  ["etc/mysql/my.cnf", "[mysqld]\n#skip-grant-tables\nskip-name-resolve\n!includedir /etc/mysql/conf.d/\n"],
  ["etc/mysql/conf.d/mysqldump.cnf", "[mysqldump]\nquick\nquote-names\nmax_allowed_packet = 16M\n"],
  ["etc/mysql/conf.d/tls.cnf", "[mysqld]\nrequire_secure_transport=ON\nssl_ca=/etc/ssl/ca.pem\n"],
  [
    "var/lib/postgresql/data/postgresql.conf",
    "#listen_addresses = '*'\nlisten_addresses = 'localhost'\nssl = on\npassword_encryption = scram-sha-256\n",
  ],
  ["var/lib/postgresql/data/postgresql.conf", "shared_buffers = 128MB # md5\nlog_line_prefix = '%m [%p] # '\n"],
  [
    "var/lib/postgresql/data/pg_hba.conf",
    "local all postgres peer\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n",
  ],
  [
    "var/lib/postgresql/data/pg_hba.conf",
    "# host all all all trust\nhostssl shop shop 10.0.0.0/8 cert\nhost all all 0.0.0.0/0 reject\n",
  ],
  ["etc/mongod.conf", "net:\n  bindIp: 127.0.0.1\nsecurity:\n  authorization: enabled\n"],
  ["etc/mongod.conf", "net:\n  bindIp: 0.0.0.0\n  tls:\n    mode: requireTLS\nsecurity:\n  authorization: enabled\n"],
  ["etc/mongod.conf", "net:\n  bindIp: 0.0.0.0\nsecurity:\n  keyFile: /run/secrets/key\n"],
  ["etc/mongodb.conf", "bind_ip = 127.0.0.1\nauth = true\nport = 27017\n"],
  [
    "usr/share/elasticsearch/config/elasticsearch.yml",
    "cluster.name: shop\nnetwork.host: 0.0.0.0\nxpack.security.enabled: true\nxpack.security.http.ssl:\n  enabled: true\n",
  ],
  [
    "usr/share/elasticsearch/config/elasticsearch.yml",
    "# xpack.security.enabled: false\nhttp.cors.enabled: false\nhttp.cors.allow-origin: '*'\n",
  ],
  [
    KAFKA,
    "listeners=SASL_SSL://:9093\nsasl.enabled.mechanisms=SCRAM-SHA-512\nssl.endpoint.identification.algorithm=https\n",
  ],
  [KAFKA, "#listeners=PLAINTEXT://:9092\nlisteners=PLAINTEXT://127.0.0.1:9092\nallow.everyone.if.no.acl.found=false\n"],
  ["opt/zookeeper/conf/zoo.cfg", "tickTime=2000\nclientPort=2181\n4lw.commands.whitelist=ruok\n"],
  [
    "etc/ssh/sshd_config",
    "Include /etc/ssh/sshd_config.d/*.conf\n#PermitRootLogin yes\nPermitRootLogin no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n",
  ],
  ["etc/ssh/sshd_config", "Ciphers aes256-gcm@openssh.com\nMACs hmac-sha2-512-etm@openssh.com\nX11Forwarding no\n"],
  [
    "usr/local/etc/php/php.ini",
    "[PHP]\ndisplay_errors = Off\nallow_url_include = Off\nexpose_php = Off\n;enable_dl = On\n",
  ],
  ["usr/local/etc/php-fpm.d/www.conf", "[www]\nuser = www-data\nlisten = 127.0.0.1:9000\n"],
  ["usr/local/etc/php-fpm.d/www.conf", "[www]\nlisten = /run/php-fpm.sock\npm = dynamic\n"],
  ["etc/docker/daemon.json", '{"log-driver": "journald", "live-restore": true, "insecure-registries": []}'],
  ["etc/docker/daemon.json", '{"hosts": ["tcp://0.0.0.0:2376"], "tlsverify": true, "tlscacert": "/c"}'],
  [
    "etc/distribution/config.yml",
    "version: 0.1\nhttp:\n  addr: :5000\nauth:\n  token:\n    realm: https://auth.corp.example\n",
  ],
  [
    "etc/rabbitmq/rabbitmq.conf",
    "listeners.ssl.default = 5671\nssl_options.verify = verify_peer\nloopback_users.guest = true\n",
  ],
  [
    ETCD,
    "listen-client-urls: https://0.0.0.0:2379,http://127.0.0.1:2381\nclient-transport-security:\n  client-cert-auth: true\n".replace(
      ",http://127.0.0.1:2381",
      "",
    ),
  ],
  [ETCD, "listen-metrics-urls: http://0.0.0.0:2381\nlisten-client-urls: http://127.0.0.1:2379\n"],
  ["etc/memcached.conf", "-d\nlogfile /var/log/memcached.log\n-m 64\n-l 127.0.0.1\n-U 0\n"],
  ["etc/vsftpd.conf", "anonymous_enable=NO\nlocal_enable=YES\nssl_enable=YES\n"],
  [
    "etc/grafana/grafana.ini",
    ";admin_password = admin\n[security]\ncookie_secure = true\n[auth.anonymous]\n;enabled = true\n[auth.ldap]\nenabled = true\n",
  ],
];
