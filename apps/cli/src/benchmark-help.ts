/** Text of `bulwark benchmark --help`. */
export const BENCHMARK_HELP = `Judges nodes and clusters by benchmarks, and brings them into line. See bulwark login.

Usage: bulwark benchmark run [--node ID] [--cluster ID] [--profile NAME]
       bulwark benchmark show [--node ID | --cluster ID] [--check ID] [--outcomes LIST] [--severities LIST]
                               [--format table|json|csv]
       bulwark benchmark checks|components [--format json]
       bulwark benchmark fix CHECK --node ID [--reason TEXT] [--apply]
       bulwark benchmark fix undo|show FIX
       bulwark benchmark except CHECK --until DAY --reason TEXT [--node ID | --cluster ID | --namespace NAME]
       bulwark benchmark except approve|remove EXCEPTION
       bulwark benchmark tune CHECK --reason TEXT [--off] [--set NAME=VALUE…] [--node ID | --cluster ID | --namespace NAME]
       bulwark benchmark schedule NAME --cron "0 3 * * *" [--profile NAME]

  --profile    essential, recommended, strict or mlps-3; recommended if left out
  --outcomes   pass, fail, manual, not-applicable, undetermined; fail and undetermined if left out
  --severities critical, high, medium, low; all if left out
  --apply      applies the fix once the node has said what would change; without it nothing is changed
  --set        a parameter of the check; a list is separated by commas
  --no-wait    does not wait for the outcome

Without --node and --cluster everything that takes part is meant.
Exit status: 0 done, 1 a check fails or a fix was not applied, 2 the server could not be asked.

Examples:
  bulwark benchmark run --node 3
  bulwark benchmark fix host-accept-redirects --node 3 --apply
  bulwark benchmark except host-module-sctp --until 2027-01-31 --reason "telecom workload" --node 3
`;
