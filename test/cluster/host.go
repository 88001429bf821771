package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const cgroups = "/sys/fs/cgroup"

// privatePlaces are folders that programs insist on: in the node's mount namespace they lie below the cluster's directory.
var privatePlaces = []string{"/var/lib/kubelet", "/var/lib/cni", "/run/containerd", "/var/log/containers", "/var/log/pods"}

// kernelSettings are what the kubelet sets on a machine it takes for its own. It is shown files that hold the values already, so
// that the machine's own stay as they are.
var kernelSettings = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

func bridgeName(number int) string { return fmt.Sprintf("bulwark-t%d", number) }

func cgroupName(number int) string { return fmt.Sprintf("bulwark-cluster-%d", number) }

// freeNumber finds a cluster number whose bridge nobody has: several clusters may run beside each other.
func freeNumber() (int, error) {
	for range 100 {
		number := 1 + rand.IntN(250)
		if _, err := net.InterfaceByName(bridgeName(number)); err != nil {
			return number, nil
		}
	}
	return 0, errors.New("no number is free for a further cluster: see `ip link` for bridges named bulwark-t*")
}

// prepareNode makes the bridge, the cgroups and the mounts; what it gives takes away what outlives the mount namespace.
func prepareNode(plan nodePlan) (undo func(), err error) {
	undo = func() {
		_ = exec.Command("ip", "link", "delete", plan.Bridge).Run()
		removeGroup(plan.Cgroup)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return undo, fmt.Errorf("mount namespace: %w", err)
	}
	if err := mountPrivatePlaces(plan.Directory); err != nil {
		return undo, err
	}
	if err := showKernelSettings(plan.Directory); err != nil {
		return undo, err
	}
	if err := makeGroup(plan.Cgroup); err != nil {
		return undo, err
	}
	if err := writeNodeFiles(plan); err != nil {
		return undo, err
	}
	return undo, makeBridge(plan)
}

func makeBridge(plan nodePlan) error {
	for _, words := range [][]string{
		{"link", "add", plan.Bridge, "type", "bridge"},
		{"address", "add", plan.Gateway + "/24", "dev", plan.Bridge},
		{"address", "add", plan.API + "/32", "dev", plan.Bridge},
		{"link", "set", plan.Bridge, "up"},
	} {
		if text, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", strings.Join(words, " "), err, text)
		}
	}
	return nil
}

func writeNodeFiles(plan nodePlan) error {
	text, err := json.Marshal(cniConfiguration(plan))
	if err != nil {
		return err
	}
	for _, folder := range []string{"cni", "static-pods", "pod-logs", "volume-plugins", "kubelet"} {
		if err := os.MkdirAll(filepath.Join(plan.Directory, folder), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(plan.Directory, "cni/10-tests.conflist"), text, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(plan.Directory, "resolv.conf"), []byte("nameserver 127.0.0.1\n"), 0o644)
}

// mountPrivatePlaces leaves empty folders behind where there were none: another cluster may have mounted on them meanwhile.
func mountPrivatePlaces(directory string) error {
	for _, place := range privatePlaces {
		source := filepath.Join(directory, "host", place)
		for _, folder := range []string{source, place} {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount(source, place, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount on %s: %w", place, err)
		}
	}
	return nil
}

func showKernelSettings(directory string) error {
	for name, value := range kernelSettings {
		file := filepath.Join(directory, "host/sys", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(file, filepath.Join("/proc/sys", name), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount on /proc/sys/%s: %w", name, err)
		}
	}
	return nil
}

// groupFolders gives the folder of a control group in each hierarchy.
func groupFolders(name string) []string {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return []string{filepath.Join(cgroups, name)}
	}
	entries, _ := os.ReadDir(cgroups)
	var found []string
	for _, entry := range entries {
		// Links such as `cpuacct` lead to a hierarchy of several controllers.
		if entry.IsDir() {
			found = append(found, filepath.Join(cgroups, entry.Name(), name))
		}
	}
	return found
}

func makeGroup(name string) error {
	for _, folder := range groupFolders(name) {
		// A process may only enter a group that has been given processors and memory nodes (cgroup v1, cpuset).
		parent := filepath.Dir(folder)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("control group %s: %w", folder, err)
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if text, err := os.ReadFile(filepath.Join(parent, file)); err == nil && filepath.Base(parent) == "cpuset" {
				_ = os.WriteFile(filepath.Join(folder, file), text, 0o644)
			}
		}
		for _, place := range []string{parent, folder} {
			for _, controller := range []string{"cpu", "cpuset", "memory", "pids", "io", "hugetlb"} {
				// Only the second version has this file; a controller that is not there cannot be handed on.
				if control := filepath.Join(place, "cgroup.subtree_control"); filepath.Dir(parent) == "/sys/fs" {
					_ = os.WriteFile(control, []byte("+"+controller), 0o644)
				}
			}
		}
	}
	return nil
}

// killGroup ends every process of the group's containers.
func killGroup(name string) {
	until := time.Now().Add(endLimit / 2)
	for time.Now().Before(until) {
		alive := 0
		for _, folder := range groupFolders(name) {
			_ = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
				if err == nil && entry.Name() == "cgroup.procs" {
					alive += killAll(path)
				}
				return nil
			})
		}
		if alive == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func killAll(file string) int {
	text, _ := os.ReadFile(file)
	found := strings.Fields(string(text))
	for _, word := range found {
		var pid int
		if _, err := fmt.Sscan(word, &pid); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return len(found)
}

func removeGroup(name string) {
	for _, folder := range groupFolders(name) {
		var below []string
		_ = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				below = append(below, path)
			}
			return nil
		})
		for at := len(below) - 1; at >= 0; at-- {
			_ = os.Remove(below[at])
		}
	}
}
