/** Printed by `bulwark admission --help`. */
export const ADMISSION_HELP = `What was let into Kubernetes clusters, and how to stop it or let it pass. See bulwark login, bulwark policy.

Usage: bulwark admission decisions [--verdict LIST] [--policy NAME] [--namespace NAME] [--would-deny] [--limit N] [--format json]
       bulwark admission brake CVE|PACKAGE-URL|DIGEST --reason TEXT [--allow-unknown]
       bulwark admission brakes | release ID
       bulwark admission except POLICY --namespace NAME --until TIME --reason TEXT [--rule ID] [--object GLOB] [--image GLOB] [--cluster NAME|ID]
       bulwark admission exceptions | approve ID | withdraw ID
       bulwark admission break-glass --namespace NAME --minutes N --reason TEXT [--user NAME] [--passes-brake] [--cluster NAME|ID]
       bulwark admission grants | end ID
       bulwark admission settings [--pin-digests on|off] [--default-seccomp on|off] [--withhold-tokens on|off]

  brake        denies a flaw, a package (pkg:maven/org.example/lib@1.*) or an image everywhere within seconds, whatever modes and exceptions say
  except       asks for an exception in one namespace, until a time or to the end of a day; a second person approves it
  break-glass  lets a user, or who writes the code into the annotation bulwark.dev/break-glass, pass every policy for some minutes

Exit status: 0 done, 2 the server could not be asked or refused.

Examples:
  bulwark admission brake CVE-2021-44228 --reason "exploited now"
  bulwark admission break-glass --namespace shop --minutes 30 --reason "restore after the outage"
`;
