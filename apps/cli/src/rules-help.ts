/** Printed by `bulwark rules --help`. */
export const RULES_HELP = `Check runtime rules, and try them on recorded events. Rules are written in Falco's rule language.

Usage: bulwark rules ACTION [options]

Actions
  check FILE …        say what each rule of the files needs and whether it works here; later files change earlier ones
  replay              run rules over recorded events and print the alerts
  fields [WORD]       list the fields that rules may name, or those that have WORD in them

Options
  --rules FILE        replay: rules to run, may be repeated; a directory is every rule below it
                      (default: the rules that Bulwark ships)
  --events FILE       replay: events of a sensor or audit events of Kubernetes, one JSON object a line; - is
                      standard input
  --all               replay: also rules that their files switch off
  --format FORMAT     lines (default) or json
  --story FILE        replay: write the attack story of what was found, as HTML

Examples
  bulwark rules check falco_rules.yaml falco_rules.local.yaml
  bulwark rules check content/rules
  bulwark rules replay --rules my.yaml --events recorded.ndjson --format json
  bulwark rules replay --events recorded.ndjson --story story.html
  bulwark rules replay --events /var/log/kubernetes/audit.log
  bulwark rules fields proc.

Exit status of check: 0 every rule can be read, 2 one cannot. Of replay: 0 no alert, 1 alerts, 2 it could not be done.
`;
