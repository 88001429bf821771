package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	containerdLimit = 30 * time.Second
	pauseImage      = "bulwark.test/pause:1"
	cniPrograms     = "/usr/lib/cni"
)

// nodePlan goes from `up` to `node`.
type nodePlan struct {
	Directory, Pause                 string
	Bridge, Gateway, Pods, Node, API string
	APIPort, KubeletPort             int
	Cgroup                           string
}

// startNode starts containerd and the kubelet in a mount namespace of their own, which takes all mounts of theirs with it.
func startNode(ctx context.Context, wanted options, n network, children *children) error {
	plan, err := json.Marshal(nodePlan{
		Directory: wanted.directory, Pause: wanted.pause, Bridge: n.bridge, Gateway: n.gateway, Pods: n.pods, Node: n.node,
		API: n.api, APIPort: n.apiPort, KubeletPort: n.kubelet, Cgroup: cgroupName(n.number),
	})
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, "node", string(plan))
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if err := children.startCommand("node", command); err != nil {
		return err
	}
	return children.until(ctx, "the bridge has its address", func() bool { return isOwnAddress(n.api) })
}

func isOwnAddress(address string) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return false
	}
	_ = listener.Close()
	return true
}

// runNode is the node: it prepares its network, mounts and cgroups, starts containerd and kubelet, and takes all of it away again
// once standard input is closed, whatever ended the process at the other side.
func runNode(words []string) error {
	var plan nodePlan
	if len(words) != 1 {
		return errors.New("node takes its plan")
	}
	if err := json.Unmarshal([]byte(words[0]), &plan); err != nil {
		return err
	}
	runtime.LockOSThread()
	// Shims leave their parent: they become children of this process, which can end them.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("subreaper: %w", err)
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	children := newChildren(filepath.Join(plan.Directory, "logs"))
	undo, err := prepareNode(plan)
	if err == nil {
		err = runComponents(ctx, plan, children)
	}
	killGroup(plan.Cgroup)
	children.end(patience, "")
	killGroup(plan.Cgroup)
	endOrphans()
	undo()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func runComponents(ctx context.Context, plan nodePlan, children *children) error {
	socket := socketOf(plan.Directory)
	configuration := filepath.Join(plan.Directory, "containerd.toml")
	if err := os.WriteFile(configuration, []byte(containerdConfiguration(plan)), 0o600); err != nil {
		return err
	}
	containerd := exec.Command("containerd", "--config", configuration)
	containerd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := children.startCommand("containerd", containerd); err != nil {
		return err
	}
	started, cancel := context.WithTimeout(ctx, containerdLimit)
	defer cancel()
	answers := func() bool { return exec.Command("ctr", "--address", socket, "version").Run() == nil }
	if err := children.until(started, "containerd answers", answers); err != nil {
		return err
	}
	archive := filepath.Join(plan.Directory, "pause.tar")
	if err := writePauseArchive(archive, plan.Pause); err != nil {
		return err
	}
	importing := exec.Command("ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", archive)
	if text, err := importing.CombinedOutput(); err != nil {
		return fmt.Errorf("the image of pods' sandboxes cannot be imported: %w: %s", err, text)
	}
	listens := func() bool { return accepts(plan.API, plan.APIPort) }
	if err := children.until(ctx, "the API server listens", listens); err != nil {
		return err
	}
	file := filepath.Join(plan.Directory, "kubelet.yaml")
	text, err := json.MarshalIndent(kubeletConfiguration(plan), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	err = children.start("kubelet", flags(map[string]string{
		"config":            file,
		"kubeconfig":        filepath.Join(plan.Directory, "kubelet.conf"),
		"root-dir":          filepath.Join(plan.Directory, "kubelet"),
		"cert-dir":          filepath.Join(plan.Directory, "pki"),
		"hostname-override": plan.Node,
		"node-ip":           plan.Gateway,
	})...)
	if err != nil {
		return err
	}
	return children.wait(ctx)
}

func socketOf(directory string) string {
	return filepath.Join(directory, "containerd.sock")
}

func containerdConfiguration(plan nodePlan) string {
	at := func(name string) string { return strconv.Quote(filepath.Join(plan.Directory, name)) }
	return `version = 2
root = ` + at("containerd/root") + `
state = ` + at("containerd/state") + `
[grpc]
  address = ` + at("containerd.sock") + `
[plugins."io.containerd.internal.v1.opt"]
  path = ` + at("containerd/opt") + `
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + pauseImage + `"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "` + cniPrograms + `"
    conf_dir = ` + at("cni") + `
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`
}

// cniConfiguration gives pods addresses on the private bridge. They reach each other, the node and the API server, and nothing else.
func cniConfiguration(plan nodePlan) map[string]any {
	return map[string]any{
		"cniVersion": "0.4.0",
		"name":       "tests",
		"plugins": []any{map[string]any{
			"type":   "bridge",
			"bridge": plan.Bridge,
			"ipam": map[string]any{
				"type":    "host-local",
				"dataDir": filepath.Join(plan.Directory, "cni-addresses"),
				"ranges":  []any{[]any{map[string]any{"subnet": plan.Pods, "gateway": plan.Gateway}}},
				"routes":  []any{map[string]any{"dst": "0.0.0.0/0"}},
			},
		}},
	}
}

// kubeletConfiguration is a KubeletConfiguration (kubelet.config.k8s.io/v1beta1).
func kubeletConfiguration(plan nodePlan) map[string]any {
	at := func(name string) string { return filepath.Join(plan.Directory, name) }
	return map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		"address":    plan.Gateway,
		"port":       plan.KubeletPort,
		// No ports but the one.
		"readOnlyPort": 0, "healthzPort": 0,
		"tlsCertFile": at("pki/kubelet.crt"), "tlsPrivateKeyFile": at("pki/kubelet.key"),
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true},
			"x509":      map[string]any{"clientCAFile": at("pki/ca.crt")},
		},
		"authorization":            map[string]any{"mode": "Webhook"},
		"containerRuntimeEndpoint": "unix://" + socketOf(plan.Directory),
		"staticPodPath":            at("static-pods"),
		"podLogsDir":               at("pod-logs"),
		"volumePluginDir":          at("volume-plugins"),
		"resolvConf":               at("resolv.conf"),
		"cgroupDriver":             "cgroupfs",
		"cgroupRoot":               "/" + plan.Cgroup,
		"enforceNodeAllocatable":   []string{"none"},
		// Machines that tests run on may still have the first version of cgroups, and swap.
		"failCgroupV1": false, "failSwapOn": false,
		// Without CAP_SYS_RESOURCE nobody may shield itself from the OOM killer, nor have more files than its parent.
		"oomScoreAdj": 0, "maxOpenFiles": openFilesLimit(),
		// A full disk of the test machine evicts nobody, and images stay.
		"evictionHard":                map[string]any{"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%", "imagefs.inodesFree": "0%"},
		"imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
		"fileCheckFrequency": "1s", "nodeStatusUpdateFrequency": "5s", "syncFrequency": "10s",
	}
}

func openFilesLimit() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return limit.Max
}

// endOrphans kills the shims and whatever else has become a child of this process.
func endOrphans() {
	for {
		found := childrenOf(os.Getpid())
		if len(found) == 0 {
			return
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_, _ = syscall.Wait4(pid, nil, 0, nil)
		}
	}
}

func childrenOf(parent int) []int {
	entries, _ := os.ReadDir("/proc")
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue
		}
		// The name in parentheses may hold spaces (proc_pid_stat(5)).
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			found = append(found, pid)
		}
	}
	return found
}
