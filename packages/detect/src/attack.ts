/** A technique of MITRE ATT&CK, by its id: T1611, T1059.004. */
export interface Technique {
  readonly id: string;
  /** Empty for one that is not in our table. */
  readonly name: string;
}

/** Tactics of ATT&CK for Enterprise in the order of an attack. */
export const TACTICS = [
  "reconnaissance",
  "resource-development",
  "initial-access",
  "execution",
  "persistence",
  "privilege-escalation",
  "defense-evasion",
  "credential-access",
  "discovery",
  "lateral-movement",
  "collection",
  "command-and-control",
  "exfiltration",
  "impact",
] as const;

export type Tactic = (typeof TACTICS)[number];

/** Techniques that concern containers and Linux servers, with the tactic that they mostly serve. */
const TECHNIQUES: Readonly<Record<string, readonly [name: string, tactic: Tactic]>> = {
  T1003: ["OS Credential Dumping", "credential-access"],
  "T1003.008": ["/etc/passwd and /etc/shadow", "credential-access"],
  T1014: ["Rootkit", "defense-evasion"],
  T1018: ["Remote System Discovery", "discovery"],
  T1020: ["Automated Exfiltration", "exfiltration"],
  T1021: ["Remote Services", "lateral-movement"],
  "T1021.004": ["SSH", "lateral-movement"],
  T1027: ["Obfuscated Files or Information", "defense-evasion"],
  T1036: ["Masquerading", "defense-evasion"],
  T1037: ["Boot or Logon Initialization Scripts", "persistence"],
  T1041: ["Exfiltration Over C2 Channel", "exfiltration"],
  T1046: ["Network Service Discovery", "discovery"],
  T1048: ["Exfiltration Over Alternative Protocol", "exfiltration"],
  T1053: ["Scheduled Task/Job", "persistence"],
  "T1053.003": ["Cron", "persistence"],
  "T1053.007": ["Container Orchestration Job", "persistence"],
  T1055: ["Process Injection", "defense-evasion"],
  "T1055.008": ["Ptrace System Calls", "defense-evasion"],
  "T1055.009": ["Proc Memory", "defense-evasion"],
  T1059: ["Command and Scripting Interpreter", "execution"],
  "T1059.004": ["Unix Shell", "execution"],
  T1068: ["Exploitation for Privilege Escalation", "privilege-escalation"],
  T1070: ["Indicator Removal", "defense-evasion"],
  "T1070.002": ["Clear Linux or Mac System Logs", "defense-evasion"],
  "T1070.003": ["Clear Command History", "defense-evasion"],
  "T1070.004": ["File Deletion", "defense-evasion"],
  T1071: ["Application Layer Protocol", "command-and-control"],
  "T1071.004": ["DNS", "command-and-control"],
  T1078: ["Valid Accounts", "initial-access"],
  "T1078.001": ["Default Accounts", "initial-access"],
  T1082: ["System Information Discovery", "discovery"],
  T1083: ["File and Directory Discovery", "discovery"],
  T1090: ["Proxy", "command-and-control"],
  T1098: ["Account Manipulation", "persistence"],
  "T1098.004": ["SSH Authorized Keys", "persistence"],
  "T1098.006": ["Additional Container Cluster Roles", "persistence"],
  T1105: ["Ingress Tool Transfer", "command-and-control"],
  T1110: ["Brute Force", "credential-access"],
  T1136: ["Create Account", "persistence"],
  "T1136.001": ["Local Account", "persistence"],
  T1190: ["Exploit Public-Facing Application", "initial-access"],
  T1195: ["Supply Chain Compromise", "initial-access"],
  T1203: ["Exploitation for Client Execution", "execution"],
  T1219: ["Remote Access Software", "command-and-control"],
  T1222: ["File and Directory Permissions Modification", "defense-evasion"],
  "T1222.002": ["Linux and Mac Permissions Modification", "defense-evasion"],
  T1485: ["Data Destruction", "impact"],
  T1486: ["Data Encrypted for Impact", "impact"],
  T1489: ["Service Stop", "impact"],
  T1490: ["Inhibit System Recovery", "impact"],
  T1496: ["Resource Hijacking", "impact"],
  "T1496.001": ["Compute Hijacking", "impact"],
  T1499: ["Endpoint Denial of Service", "impact"],
  T1505: ["Server Software Component", "persistence"],
  "T1505.003": ["Web Shell", "persistence"],
  T1525: ["Implant Internal Image", "persistence"],
  T1528: ["Steal Application Access Token", "credential-access"],
  T1529: ["System Shutdown/Reboot", "impact"],
  T1543: ["Create or Modify System Process", "persistence"],
  "T1543.002": ["Systemd Service", "persistence"],
  "T1543.005": ["Container Service", "persistence"],
  T1546: ["Event Triggered Execution", "persistence"],
  "T1546.004": ["Unix Shell Configuration Modification", "persistence"],
  T1547: ["Boot or Logon Autostart Execution", "persistence"],
  "T1547.006": ["Kernel Modules and Extensions", "persistence"],
  T1548: ["Abuse Elevation Control Mechanism", "privilege-escalation"],
  "T1548.001": ["Setuid and Setgid", "privilege-escalation"],
  "T1548.003": ["Sudo and Sudo Caching", "privilege-escalation"],
  T1550: ["Use Alternate Authentication Material", "lateral-movement"],
  "T1550.001": ["Application Access Token", "lateral-movement"],
  T1552: ["Unsecured Credentials", "credential-access"],
  "T1552.001": ["Credentials In Files", "credential-access"],
  "T1552.004": ["Private Keys", "credential-access"],
  "T1552.005": ["Cloud Instance Metadata API", "credential-access"],
  "T1552.007": ["Container API", "credential-access"],
  T1554: ["Compromise Host Software Binary", "persistence"],
  T1556: ["Modify Authentication Process", "credential-access"],
  T1557: ["Adversary-in-the-Middle", "credential-access"],
  T1560: ["Archive Collected Data", "collection"],
  T1561: ["Disk Wipe", "impact"],
  T1562: ["Impair Defenses", "defense-evasion"],
  "T1562.001": ["Disable or Modify Tools", "defense-evasion"],
  "T1562.008": ["Disable or Modify Cloud Logs", "defense-evasion"],
  T1564: ["Hide Artifacts", "defense-evasion"],
  "T1564.001": ["Hidden Files and Directories", "defense-evasion"],
  T1567: ["Exfiltration Over Web Service", "exfiltration"],
  T1571: ["Non-Standard Port", "command-and-control"],
  T1572: ["Protocol Tunneling", "command-and-control"],
  T1573: ["Encrypted Channel", "command-and-control"],
  T1574: ["Hijack Execution Flow", "persistence"],
  "T1574.006": ["Dynamic Linker Hijacking", "persistence"],
  T1595: ["Active Scanning", "reconnaissance"],
  T1609: ["Container Administration Command", "execution"],
  T1610: ["Deploy Container", "execution"],
  T1611: ["Escape to Host", "privilege-escalation"],
  T1612: ["Build Image on Host", "defense-evasion"],
  T1613: ["Container and Resource Discovery", "discovery"],
  T1620: ["Reflective Code Loading", "defense-evasion"],
};

const TECHNIQUE = /^T\d{4}(?:\.\d{3})?$/i;
const TACTIC_TAG = /^mitre_([a-z_]+)$/;

/** The techniques that a rule's tags name. */
export function techniquesOf(tags: readonly string[]): readonly Technique[] {
  return tags
    .filter((tag) => TECHNIQUE.test(tag))
    .map((tag) => ({ id: tag.toUpperCase(), name: TECHNIQUES[tag.toUpperCase()]?.[0] ?? "" }));
}

/** The tactics that a rule's tags name, in the order of an attack; without any, those of its techniques. */
export function tacticsOf(tags: readonly string[]): readonly Tactic[] {
  const named = tags.map((tag) => TACTIC_TAG.exec(tag)?.[1]?.replaceAll("_", "-"));
  const said = TACTICS.filter((tactic) => named.includes(tactic));
  if (said.length > 0) return said;
  const implied = techniquesOf(tags).map(({ id }) => (TECHNIQUES[id] ?? TECHNIQUES[id.slice(0, 5)])?.[1]);
  return TACTICS.filter((tactic) => implied.includes(tactic));
}
