/** Printed by `bulwark golden --help`. */
export const GOLDEN_HELP = `Golden images: which images others may be built on. Asks a Bulwark server; see bulwark login.

Usage: bulwark golden list [--state LIST] [--search TEXT] [--owner ID]
       bulwark golden propose REPOSITORY --purpose TEXT [--digest DIGEST] [--owner ID]
       bulwark golden approve NAME          somebody else than who proposed it
       bulwark golden publish NAME --tag TAG [--description TEXT]
       bulwark golden deprecate NAME --reason TEXT [--successor NAME] [--version ID]
       bulwark golden revoke NAME --reason TEXT [--version ID]
       bulwark golden show NAME             versions, what could be published, who stands on it
       bulwark golden diff NAME [--version ID] [--from ID]
       bulwark golden advise IMAGE [--packages none]
       bulwark golden check SOURCE [--list FILE]
       bulwark golden export [--days N] [--output FILE]

NAME is REGISTRY/REPOSITORY or the id that list shows. IMAGE is REGISTRY/REPOSITORY:TAG or a digest; SOURCE is what
bulwark scan takes.

  --description TEXT   what changed; left out: the image's label org.opencontainers.image.description
  --packages none      advise: the image does not need the packages that its base brings now
  --list FILE          check: judge by an exported list, without a server
  --golden-key FILE    check: public key (PEM) that must have signed the list
  --platform OS/ARCH   check: which image of a multi-platform one
  --plain-http         check: talk plain HTTP to the registry
  --days N             export: how long the list holds (default 7)
  --format json        the server's answer instead of text

Exit status of check: 0 it stands on a golden image, 1 a rule is broken, 2 it could not be judged.

Examples:
  bulwark golden propose hub/platform/node --purpose "Node 20 for web services"
  bulwark golden approve hub/platform/node
  bulwark golden publish hub/platform/node --tag 20.11 --description "OpenSSL 3.0.13"
  bulwark golden diff hub/platform/node
  bulwark golden deprecate hub/platform/node --reason "Node 20 ends" --successor hub/platform/node22
  bulwark golden advise hub/team/shop:1.4
  bulwark golden check image.tar
  bulwark golden export --output golden.json && bulwark scan --golden golden.json image.tar
`;
