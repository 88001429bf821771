/** Printed by `bulwark --help`. */
export const HELP = `Bulwark finds what makes a container image dangerous, and who has to fix it.

Usage: bulwark COMMAND [options]

Commands:
  scan SOURCE   say what is wrong with an image, in which layer, and what to do
  fix SOURCE    upgrade vulnerable packages: a change of the Dockerfile, or a patched image
  sign REF      sign an image in its registry, so that deployments can tell it from others
  up            start the platform on this machine: database, API, console, workers
  server        run some of its roles, as many processes as needed
  login URL     keep a server's address and token, for what asks it
  image         ask it about the estate: search, list, tree, plan, unused
  golden        golden images: propose, approve, publish, check, advise, export
  policy        what may start in Kubernetes: list, mode, put, check, try, export
  admission     what was let in; brake, exceptions, break-glass
  sensor        watch a node: install, uninstall, status, token, upgrade
  cluster       Kubernetes clusters: join, token, list, remove
  asset         what runs on nodes: nodes, containers, programs, ports
  alert         runtime alerts: list, show, story, close, allow
  respond       isolate, pause, kill, destroy, capture evidence; undo
  benchmark     judge nodes and clusters; fix what is safe to fix, and undo it
  export        send alerts and events elsewhere: list, add, remove, test
  password NAME give an account a new password, when it was lost
  keys rotate   seal all stored secrets again with a new master key
  backup FILE   write everything the platform keeps; restore FILE brings it back
  audit verify  whether the audit logs are as they were written
  rules         check runtime rules and try them on recorded events
  db            keep the advisory database: update, import, status, push, pull

Examples:
  bulwark scan docker.io/library/debian:12
  bulwark scan image.tar --format sarif --output report.sarif
  bulwark db update
  bulwark up
  bulwark image search log4j-core --range "<2.17.1"

Exit status: 0 done and within policy, 1 a policy is violated, 2 the work could not be done.
bulwark COMMAND --help tells more.
`;
