// One program that holds a whole Kubernetes cluster for tests: `up` starts it, and starts itself once more for each
// component, because their global flags and feature gates collide inside one process.
package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

const usage = `usage: bulwark-cluster up --directory DIR [--no-kubelet] [--pause PROGRAM] [--audit-policy FILE --audit-webhook FILE]
                          [--api-server-flag FLAG]...
       bulwark-cluster kubectl|kube-apiserver|kube-controller-manager|kube-scheduler|kubelet [FLAG]...
       bulwark-cluster helm-template CHART NAME NAMESPACE [VALUES.json]
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	component := os.Args[1]
	os.Args = append([]string{component}, os.Args[2:]...)
	switch component {
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "kubelet":
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kubectl":
		os.Exit(cli.Run(kubectl.NewDefaultKubectlCommand()))
	case "etcd":
		end(runEtcd(os.Args[1:]))
	case "node":
		end(runNode(os.Args[1:]))
	case "helm-template":
		end(helmTemplate(os.Args[1:]))
	case "up":
		end(up(os.Args[1:]))
	default:
		fmt.Fprintf(os.Stderr, "%q is no part of this cluster\n%s", component, usage)
		os.Exit(2)
	}
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
