package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	startLimit = 3 * time.Minute
	endLimit   = 20 * time.Second
	patience   = time.Second
	pollEvery  = 50 * time.Millisecond
)

// options is what `up` is asked for.
type options struct {
	directory      string
	noKubelet      bool
	pause          string
	auditPolicy    string
	auditWebhook   string
	apiServerFlags repeated
}

type repeated []string

func (r *repeated) String() string { return fmt.Sprint([]string(*r)) }

func (r *repeated) Set(value string) error {
	*r = append(*r, value)
	return nil
}

// up starts the cluster, tells on standard output as one JSON line each when the API server and when the node is ready, and ends
// with everything it started once standard input is closed or it is told to by a signal.
func up(words []string) error {
	wanted, err := readOptions(words)
	if err != nil {
		return err
	}
	// Children end with the thread that started them (prctl(2), PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	children := newChildren(filepath.Join(wanted.directory, "logs"))
	err = run(ctx, wanted, children)
	children.end(patience, "node")
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func readOptions(words []string) (options, error) {
	var wanted options
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&wanted.directory, "directory", "", "where everything of the cluster is kept")
	flags.BoolVar(&wanted.noKubelet, "no-kubelet", false, "start no node: pods are scheduled nowhere")
	flags.StringVar(&wanted.pause, "pause", "", "the program of pods' sandboxes")
	flags.StringVar(&wanted.auditPolicy, "audit-policy", "", "audit policy")
	flags.StringVar(&wanted.auditWebhook, "audit-webhook", "", "kubeconfig of the receiver of audit events")
	flags.Var(&wanted.apiServerFlags, "api-server-flag", "a further flag of kube-apiserver; may be given several times")
	if err := flags.Parse(words); err != nil {
		return wanted, err
	}
	if wanted.directory == "" {
		return wanted, errors.New("up needs --directory")
	}
	if !wanted.noKubelet && wanted.pause == "" {
		return wanted, errors.New("up needs --pause PROGRAM, or --no-kubelet")
	}
	var err error
	wanted.directory, err = filepath.Abs(wanted.directory)
	return wanted, err
}

func run(ctx context.Context, wanted options, children *children) error {
	if err := os.MkdirAll(wanted.directory, 0o700); err != nil {
		return err
	}
	network, err := planNetwork(wanted)
	if err != nil {
		return err
	}
	if err := prepareFiles(wanted, network); err != nil {
		return err
	}
	if !wanted.noKubelet {
		// It makes the bridge whose address the API server listens on.
		if err := startNode(ctx, wanted, network, children); err != nil {
			return err
		}
	}
	if err := startControlPlane(ctx, wanted, network, children); err != nil {
		return err
	}
	kubeconfig := filepath.Join(wanted.directory, "kubeconfig")
	client, err := newClient(kubeconfig)
	if err != nil {
		return err
	}
	if err := children.until(ctx, "pods are taken", func() bool { return takesPods(ctx, client) }); err != nil {
		return err
	}
	say(map[string]any{"ready": "api", "kubeconfig": kubeconfig, "server": network.server()})
	if wanted.noKubelet {
		return children.wait(ctx)
	}
	ready := func() bool { return nodeIsReady(ctx, client, network.node) }
	if err := children.until(ctx, "the node is ready", ready); err != nil {
		return err
	}
	say(map[string]any{"ready": "node", "node": network.node, "address": network.gateway, "containerd": socketOf(wanted.directory)})
	return children.wait(ctx)
}

// network says who listens where.
type network struct {
	number int
	// api is where the API server listens: with a node the first address of the services' range, so that pods reach it by the
	// address Kubernetes tells them without anything that forwards.
	api      string
	apiPort  int
	services string
	bridge   string
	gateway  string
	pods     string
	node     string
	etcd     int
	etcdPeer int
	// further ports of components, on loopback
	controllers, scheduler, kubelet int
}

func (n network) server() string {
	return "https://" + net.JoinHostPort(n.api, strconv.Itoa(n.apiPort))
}

func planNetwork(wanted options) (network, error) {
	ports, err := freePorts(6)
	if err != nil {
		return network{}, err
	}
	planned := network{
		api: "127.0.0.1", apiPort: ports[0], services: "10.96.0.0/24", etcd: ports[1], etcdPeer: ports[2],
		controllers: ports[3], scheduler: ports[4], kubelet: ports[5],
	}
	if wanted.noKubelet {
		return planned, nil
	}
	number, err := freeNumber()
	if err != nil {
		return network{}, err
	}
	planned.number, planned.bridge, planned.node = number, bridgeName(number), fmt.Sprintf("node-%d", number)
	planned.pods, planned.gateway = fmt.Sprintf("10.214.%d.0/24", number), fmt.Sprintf("10.214.%d.1", number)
	planned.services = fmt.Sprintf("10.215.%d.0/24", number)
	planned.api, planned.apiPort = fmt.Sprintf("10.215.%d.1", number), 443
	return planned, nil
}

// Ports that the kernel gives out by itself begin here where nobody set it otherwise (Linux, ip-sysctl.rst, ip_local_port_range).
const firstEphemeral = 32768

// freePorts finds ports that nobody listens on, below those that the kernel gives out: between this look and a component's own
// nobody gets them by chance.
func freePorts(count int) ([]int, error) {
	const lowest, tries = 15000, 1000
	taken := map[int]bool{}
	ports := make([]int, 0, count)
	for range tries {
		port := lowest + rand.IntN(firstEphemeral-lowest)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		_ = listener.Close()
		if taken[port] {
			continue
		}
		taken[port] = true
		if ports = append(ports, port); len(ports) == count {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no %d ports are free between %d and %d", count, lowest, firstEphemeral)
}

func newClient(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.Timeout = 5 * time.Second
	config.QPS, config.Burst = -1, 0
	return kubernetes.NewForConfig(config)
}

func answers(ctx context.Context, client *kubernetes.Clientset) bool {
	_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err == nil
}

// takesPods waits for the service account without which a namespace's pods are refused.
func takesPods(ctx context.Context, client *kubernetes.Clientset) bool {
	_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", meta.GetOptions{})
	return err == nil
}

func nodeIsReady(ctx context.Context, client *kubernetes.Clientset, name string) bool {
	node, err := client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return false
	}
	for _, taint := range node.Spec.Taints {
		if taint.Key == core.TaintNodeNotReady {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == core.NodeReady {
			return condition.Status == core.ConditionTrue
		}
	}
	return false
}

func say(line map[string]any) {
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}
