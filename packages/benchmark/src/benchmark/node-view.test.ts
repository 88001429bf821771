import fc from "fast-check";
import { expect, test } from "vitest";
import { type GatheredFile, type GatheredProcess, NO_FACTS } from "./facts.ts";
import { NodeView } from "./node-view.ts";
import { tomlValue } from "./parse-settings.ts";
import { sshdValues } from "./sshd.ts";
import { UnreadFact } from "./unread.ts";

const process = (program: string, more: Partial<GatheredProcess> = {}): GatheredProcess => ({
  ...{
    program,
    exe: `/usr/bin/${program}`,
    uid: 0,
    arguments: [program],
    argumentsCut: 0,
    containerId: "",
    namespace: "",
    environment: [],
    environmentRead: true,
  },
  ...more,
});
const file = (path: string, more: Partial<GatheredFile> = {}): GatheredFile => ({
  ...{ path, pattern: "", state: "present", why: "", kind: "file", mode: 0o644, uid: 0, gid: 0, size: 1, content: "" },
  ...{ cutBytes: 0, contentWhy: "", program: "", flag: "", actual: "" },
  ...more,
});
const view = (processes: readonly GatheredProcess[], files: readonly GatheredFile[] = []) =>
  new NodeView({ ...NO_FACTS, processes, files });

test("what a container calls itself is no component of the node", () => {
  const inContainer = { containerId: "c1", namespace: "shop", arguments: ["kubelet", "--anonymous-auth=false"] };
  expect(view([process("kubelet", inContainer)]).runs("kubelet")).toBe(false);
  expect(view([process("kubelet", { uid: 1000 })]).runs("kubelet")).toBe(false);
  expect(view([process("kube-apiserver", { containerId: "c1", namespace: "shop" })]).runs("kube-apiserver")).toBe(
    false,
  );
  expect(
    view([process("kube-apiserver", { containerId: "c1", namespace: "kube-system" })]).runs("kube-apiserver"),
  ).toBe(true);
  const both = view([
    process("kubelet", inContainer),
    process("kubelet", { arguments: ["kubelet", "--anonymous-auth", "true"] }),
  ]);
  expect(both.flag("kubelet", "--anonymous-auth", "")).toBe("true");
});

test("a container that nobody can place, and a program that is several, leave it open", () => {
  expect(() => view([process("kube-apiserver", { containerId: "c1" })]).runs("kube-apiserver")).toThrow(UnreadFact);
  expect(() => view([process("k3s")]).runs("kubelet")).toThrow(/within k3s/);
  expect(view([process("k3s")]).runs("dockerd")).toBe(false);
});

test("a flag that may have been cut off is unread, one that is there counts with its last value", () => {
  const given = ["etcd", "--client-cert-auth", "--name", "a", "--name=b"];
  const cut = view([process("etcd", { arguments: given, argumentsCut: 5 })]);
  expect([cut.flag("etcd", "--client-cert-auth", "false"), cut.flag("etcd", "--name", "")]).toEqual(["true", "b"]);
  expect(() => cut.flag("etcd", "--auto-tls", "false")).toThrow(/too long/);
  expect(view([process("etcd", { arguments: given })]).flag("etcd", "--auto-tls", "false")).toBe("false");
});

test("a file that is cut, refused or of another kind is unread, and one that is absent is empty", () => {
  const path = "/etc/login.defs";
  expect(view([], [file(path, { state: "absent" })]).text(path)).toBe("");
  for (const more of [{ cutBytes: 1 }, { contentWhy: "it is a fifo" }, { state: "unread" as const, why: "loop" }]) {
    expect(() => view([], [file(path, more)]).text(path)).toThrow(UnreadFact);
  }
  expect(() => view([], []).text(path)).toThrow(UnreadFact);
});

const KUBELET = "/var/lib/kubelet/config.yaml";
const kubelet = (...more: readonly string[]) => process("kubelet", { arguments: ["kubelet", ...more] });
const named = (path: string, content: string, flag = "--config", more: Partial<GatheredFile> = {}) =>
  file(path, { content, program: "kubelet", flag, ...more });
const port = (node: NodeView) => node.kubelet("readOnlyPort", "--read-only-port", "0");

test("a configuration that is no YAML, or a nest of aliases, is unread and not empty", () => {
  const nest = `a: &a [x]\n${Array.from({ length: 40 }, (_, n) => `b${n}: [*a, *a, *a]`).join("\n")}\n`;
  for (const content of ["a: [", nest, "\t- x: y: z"]) {
    const node = view([kubelet(`--config=${KUBELET}`)], [named(KUBELET, content)]);
    expect(() => port(node), content.slice(0, 20)).toThrow(UnreadFact);
  }
});

test("the kubelet's flag goes before its configuration, which only --config names", () => {
  const own = named(KUBELET, "readOnlyPort: 1\n");
  expect(port(view([kubelet("--config", KUBELET)], [own]))).toBe("1");
  expect(port(view([kubelet("--config", KUBELET, "--read_only_port=2")], [own]))).toBe("2");
  // A file that no flag names is no kubelet's, and without one it does as it did of old.
  expect(port(view([kubelet()], [file(KUBELET, { content: "readOnlyPort: 0\n" })]))).toBe("10255");
  expect(() => port(view([kubelet("--config=/opt/k.yaml")], [own].slice(1)))).toThrow(/was not read/);
  expect(() => port(view([kubelet("--config=/x")], [named("/x", "", "--config", { state: "absent" })]))).toThrow(
    /not there/,
  );
});

test("drop-ins of --config-dir are put over the configuration in the order of their names, and flags go before them", () => {
  const part = (name: string, content: string) =>
    named(`/etc/k.d/${name}.conf`, content, "--config-dir", { pattern: "*.conf" });
  const files = [
    named(KUBELET, "readOnlyPort: 1\nauthentication: {anonymous: {enabled: false}, webhook: {enabled: true}}\n"),
    part("10-a", "readOnlyPort: 2\n"),
    part("20-b", "authentication: {anonymous: {enabled: true}}\nreadOnlyPort: 3\n"),
  ];
  const flags = ["--config", KUBELET, "--config-dir=/etc/k.d"];
  const node = view([kubelet(...flags)], files);
  expect(port(node)).toBe("3");
  expect(node.kubelet("authentication.anonymous.enabled", "--anonymous-auth", "true")).toBe("true");
  expect(node.kubelet("authentication.webhook.enabled", "", "")).toBe("true");
  expect(port(view([kubelet(...flags, "--read-only-port=0")], files))).toBe("0");
  expect(port(view([kubelet(...flags)], [...files, part("30-c", "readOnlyPort: null\n")]))).toBe("0");
  // What an older sensor tells is the folder alone.
  const folder = named("/etc/k.d", "", "--config-dir", { kind: "directory" });
  expect(() => port(view([kubelet(...flags)], [files[0]!, folder]))).toThrow(/were not read/);
  expect(() => port(view([kubelet(...flags)], [files[0]!]))).toThrow(/was not read/);
  expect(() => port(view([kubelet(...flags)], [...files, part("x", "a: [")]))).toThrow(UnreadFact);
});

test("each of Docker's repeated flags counts, in each of their forms, and --config-file names another file", () => {
  const docker = (words: readonly string[], files: readonly GatheredFile[] = []) =>
    view(
      [process("dockerd", { arguments: ["dockerd", ...words] })],
      [file("/etc/docker/daemon.json", { state: "absent" }), ...files],
    );
  const hosts = (node: NodeView) => node.docker("hosts", "--host", "");
  expect(hosts(docker(["-H", "tcp://a", "-Hfd://", "--host=unix:///x", "-DH=tcp://b"]))).toBe(
    "tcp://a,fd://,unix:///x,tcp://b",
  );
  expect(docker(["-l", "debug"]).docker("log-level", "--log-level", "info")).toBe("debug");
  const other = file("/opt/d.json", { content: '{"hosts":["tcp://c"]}', program: "dockerd", flag: "--config-file" });
  expect(hosts(docker(["--config-file", "/opt/d.json"], [other]))).toBe("tcp://c");
  expect(() => hosts(docker(["--config-file", "/opt/d.json"]))).toThrow(/was not read/);
  expect(() => hosts(docker(["--config-file=/opt/d.json"], [{ ...other, contentWhy: "it is a fifo" }]))).toThrow(
    /fifo/,
  );
});

test("etcd's configuration file is all that counts, then flags, then variables; what was not read is no default", () => {
  const etcd = (words: readonly string[], more: Partial<GatheredProcess> = {}, files: readonly GatheredFile[] = []) =>
    view([process("etcd", { arguments: ["etcd", ...words], ...more })], files).etcd("--auto-tls", "false");
  const environment = ["ETCD_AUTO_TLS=true", "ETCD_NAME=a"];
  expect([etcd([]), etcd(["-auto-tls=true"]), etcd([], { environment })]).toEqual(["false", "true", "true"]);
  expect(etcd(["--auto-tls=false"], { environment })).toBe("false");
  const own = file("/e.yml", {
    ...{ content: "client-transport-security:\n  auto-tls: true\n", program: "etcd", flag: "--config-file" },
  });
  expect(etcd(["--config-file=/e.yml", "--auto-tls=false"], {}, [own])).toBe("true");
  expect(etcd([], { environment: ["ETCD_CONFIG_FILE=/e.yml"] }, [own])).toBe("true");
  expect(() => etcd(["--config-file=/e.yml"])).toThrow(/was not read/);
  expect(() => etcd([], { environmentRead: false })).toThrow(/variables/);
  const inside = { containerId: "c", namespace: "kube-system" };
  expect(() => etcd(["--config-file=/e.yml"], inside)).toThrow(/in a container/);
  expect(etcd([], inside)).toBe("false");
});

test("containerd's --config and its imports are read or told to be unread", () => {
  const toml = (words: readonly string[], ...files: readonly GatheredFile[]) =>
    view([process("containerd", { arguments: ["containerd", ...words] })], files).toml(
      ...(["/etc/containerd/config.toml", "grpc", "tcp_address"] as const),
    );
  const main = (content: string) => file("/etc/containerd/config.toml", { content });
  const other = file("/o.toml", { content: '[grpc]\ntcp_address = "b"\n', program: "containerd", flag: "--config" });
  expect(toml([], main('[grpc]\ntcp_address = "a"\n'))).toBe("a");
  expect(toml(["-c", "/o.toml"], main(""), other)).toBe("b");
  expect(() => toml(["--config=/o.toml"], main(""))).toThrow(/was not read/);
  const imports = main('imports = ["/etc/containerd/conf.d/*.toml"]\n[grpc]\ntcp_address = "a"\n');
  const part = file("/etc/containerd/conf.d/x.toml", {
    ...{ pattern: "/etc/containerd/conf.d/*.toml", content: '[grpc]\ntcp_address = "c"\n' },
  });
  expect(toml([], imports, part)).toBe("c");
  expect(() => toml([], imports)).toThrow(UnreadFact);
  expect(() => toml([], main('imports = ["/opt/x.toml"]\n'))).toThrow(/imports/);
});

test("a file that a flag names and no sensor looked at is not taken for absent", () => {
  const given = process("kube-apiserver", {
    containerId: "c",
    namespace: "kube-system",
    arguments: ["x", "--client-ca-file=/a"],
  });
  expect(() => view([given]).flagFile("kube-apiserver", "--client-ca-file")).toThrow(/was not read/);
  expect(view([given]).flagFile("kube-apiserver", "--other").exists).toBe(false);
});

test("what a program takes from a configuration that nobody read is no flag's value", () => {
  const scheduler = (...words: readonly string[]) => view([process("kube-scheduler", { arguments: ["x", ...words] })]);
  expect(scheduler("--profiling=false").flag("kube-scheduler", "--profiling", "true")).toBe("false");
  expect(() => scheduler("--config=/s", "--profiling=false").flag("kube-scheduler", "--profiling", "true")).toThrow(
    /not read/,
  );
});

const sshd = (files: Readonly<Record<string, readonly string[]>>, main: string) => ({
  main,
  included: (pattern: string) => {
    const found = files[pattern];
    if (found === undefined) throw new UnreadFact(`${pattern} was not read`);
    return found;
  },
});

test("sshd's included files stand where they are included, and files without end of each other are unread", () => {
  const main = "Port 1\nInclude sshd_config.d/*.conf\nPermitRootLogin yes\n";
  const parts = { "/etc/ssh/sshd_config.d/*.conf": ["Port 2\nPermitRootLogin no\n"] };
  const of = (key: string) => sshdValues(sshd(parts, main), key, "");
  expect(["Port", "PermitRootLogin", "Banner"].map(of)).toEqual([["1"], ["no"], [""]]);
  const endless = { "/x": Array.from({ length: 30 }, () => "Include /x\n") };
  expect(() => sshdValues(sshd(endless, "Include /x\n"), "Banner", "")).toThrow(UnreadFact);
  expect(() => sshdValues(sshd({}, "Include /opt/ssh/*.conf\n"), "Port", "22")).toThrow(/was not read/);
});

test("what a Match block sets counts beside what holds for all others", () => {
  const of = (main: string, files = {}) => sshdValues(sshd(files, main), "PermitRootLogin", "prohibit-password");
  expect(of("PermitRootLogin no\nMatch User a\nPermitRootLogin yes # for now\n")).toEqual(["no", "yes"]);
  expect(
    of("Match Address 10.0.0.0/8\nPermitRootLogin yes\nPermitRootLogin no\nMatch all\nX11Forwarding no\n"),
  ).toEqual(["prohibit-password", "yes"]);
  expect(of("PermitRootLogin yes\nMatch all\nPermitRootLogin no\n")).toEqual(["no"]);
  // A block of an included file ends with it; one around an Include holds for what is included.
  expect(of("Include /a\nPermitRootLogin no\n", { "/a": ["Match User a\nPermitRootLogin yes\n"] })).toEqual([
    "no",
    "yes",
  ]);
  expect(of("PermitRootLogin no\nMatch User a\nInclude /a\n", { "/a": ["PermitRootLogin yes\n"] })).toEqual([
    "no",
    "yes",
  ]);
  expect(() => of("PermitRootLogin ***\n")).toThrow(/secret/);
});

test("sshd's own options go before its file, and another file than the usual one is unread", () => {
  const files = [
    file("/etc/ssh/sshd_config", { content: "Include /opt/*.conf\nPermitRootLogin no\n" }),
    file("/opt/a.conf", { pattern: "/opt/*.conf", program: "sshd", flag: "Include", content: "Port 23\n" }),
  ];
  const of = (...titles: readonly string[]) =>
    view(
      titles.map((title) => process("sshd", { arguments: [title, "", ""] })),
      files,
    ).sshd("PermitRootLogin", "yes");
  expect(of("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups")).toEqual(["no"]);
  expect(of("sshd: /usr/sbin/sshd -D -o PermitRootLogin=yes [listener] 0 of 10-100 startups")).toEqual(["yes"]);
  expect(() => of("sshd: /usr/sbin/sshd -Df /opt/sshd [listener] 0 of 10-100 startups")).toThrow(/reads \/opt\/sshd/);
  // Sessions are named after their users.
  expect(of("sshd: /usr/sbin/sshd -D [listener] 0", "sshd: a -f /x [priv]")).toEqual(["no"]);
  expect(() => view([process("sshd")], files.slice(0, 1)).sshd("Port", "22")).toThrow(/was not read/);
  const nowhere = [file("/etc/ssh/sshd_config", { state: "absent" })];
  expect(() => view([process("sshd")], nowhere).sshd("PermitRootLogin", "no")).toThrow(/is not there/);
});

test("TOML's tables are told apart", () => {
  const text = 'version = 2\n[grpc]\naddress = "/a"\n[plugins."io.containerd.grpc.v1.cri"]\naddress = "/b"\n';
  expect([tomlValue(text, "grpc", "address"), tomlValue(text, "", "version")]).toEqual(["/a", "2"]);
});

test("whatever is in its files, a node is described or unread, and nothing else happens", () => {
  const paths = [
    "/etc/passwd",
    "/etc/shadow",
    "/etc/ssh/sshd_config",
    "/var/lib/kubelet/config.yaml",
    "/etc/docker/daemon.json",
  ];
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 200 }), { minLength: 5, maxLength: 5 }), (texts) => {
      const files = paths.map((path, at) => file(path, { content: texts[at]! }));
      const node = view(
        [process("kubelet"), process("dockerd")],
        [...files, { ...file(""), pattern: "/etc/ssh/sshd_config.d/*.conf", state: "absent" as const }],
      );
      for (const look of [
        () => node.users(),
        () => node.sshd("Port", "22"),
        () => node.kubelet("a.b", "", ""),
        () => node.docker("icc", "--icc", ""),
      ]) {
        try {
          look();
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadFact);
        }
      }
    }),
  );
});
