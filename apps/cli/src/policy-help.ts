/** Printed by `bulwark policy --help`. */
export const POLICY_HELP = `Policies of admission: what may start in a Kubernetes cluster. See docs/admission.md.

Usage: bulwark policy list [--format json]
       bulwark policy show NAME [--format json]
       bulwark policy mode NAME off|audit|enforce|default [--cluster NAME|ID] [--namespace NAMESPACE]
       bulwark policy put FILE | remove NAME
       bulwark policy check FILE...
       bulwark policy try FILE... [--policy FILE]... [--enforce] [--namespace NAMESPACE]
       bulwark policy export [NAME...] [--format vap] [--policy FILE]... [--mode audit|enforce] [--exempt NAMESPACES] [--output FILE]
       bulwark policy learn --cluster NAME|ID [--namespace NAMESPACE] [--label NAME=VALUE] [--days N]
       bulwark policy baselines [--format json] | baseline ID [--format json]
       bulwark policy propose ID [--output FILE] | activate ID [POLICY...] | retire ID

list, show, mode, put, remove, and what is about baselines ask the server; see bulwark login. check, try and export work without one.

  mode       a namespace's in one cluster goes before the namespace's in all, that before the cluster's, that before the estate's
  check      reads policy files and says what is wrong with them
  try        judges the objects in files of YAML by the policies that are shipped, or by --policy alone; of images it knows nothing but their names
  --enforce  of try: what policies only watch counts as well
  export     writes policies as ValidatingAdmissionPolicy objects, by which Kubernetes judges without Bulwark; without names all that it can
  --exempt   namespaces that are left alone, separated by commas; kube-system if left out
  learn      learns what the pods of a namespace or a label are, for 7 days or --days, and then proposes a policy
  propose    ends the observation, and writes the policy that admits what was seen; policies that nothing breaks are named on stderr
  activate   approves it: it watches from then on, and the policies that are named deny in the namespace of that cluster
  retire     puts a baseline aside, and removes its policy

Exit status: 0 done and within policy, 1 a policy is violated, or of check: a file is wrong, 2 the work could not be done.

Examples:
  bulwark policy mode no-privileged enforce --cluster harbour --namespace shop
  bulwark policy try deploy/*.yaml --enforce
  bulwark policy learn --cluster harbour --namespace shop --days 14
  bulwark policy export pod-security-baseline --mode enforce | kubectl apply -f -
`;
