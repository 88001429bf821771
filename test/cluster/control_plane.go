package main

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
)

// prepareFiles writes certificates, keys and the components' kubeconfigs.
func prepareFiles(wanted options, n network) error {
	ca, err := newAuthority(filepath.Join(wanted.directory, "pki"))
	if err != nil {
		return err
	}
	local := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	apiAddresses := append(local, net.ParseIP(n.api), firstService(n))
	apiNames := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	subjects := map[string]subject{
		"api-server":         {user: "kube-apiserver", names: apiNames, addresses: apiAddresses},
		"etcd":               {user: "etcd", names: []string{"localhost"}, addresses: local},
		"etcd-client":        {user: "kube-apiserver-etcd-client"},
		"kubelet-client":     {user: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}},
		"front-proxy":        {user: "front-proxy-client"},
		"admin":              {user: "admin", groups: []string{"system:masters"}},
		"controller-manager": {user: "system:kube-controller-manager"},
		"scheduler":          {user: "system:kube-scheduler"},
	}
	if !wanted.noKubelet {
		subjects["kubelet"] = subject{
			user: "system:node:" + n.node, groups: []string{"system:nodes"},
			names: []string{n.node}, addresses: append(local, net.ParseIP(n.gateway)),
		}
	}
	for name, of := range subjects {
		if err := ca.issue(name, of); err != nil {
			return err
		}
	}
	if err := ca.serviceAccountKey(); err != nil {
		return err
	}
	files := map[string]string{"admin": "kubeconfig", "controller-manager": "controller-manager.conf", "scheduler": "scheduler.conf"}
	if !wanted.noKubelet {
		files["kubelet"] = "kubelet.conf"
	}
	for name, file := range files {
		if err := ca.kubeconfig(filepath.Join(wanted.directory, file), n.server(), name); err != nil {
			return err
		}
	}
	return nil
}

func firstService(n network) net.IP {
	address, _, _ := net.ParseCIDR(n.services)
	first := address.To4()
	first[3]++
	return first
}

func startControlPlane(ctx context.Context, wanted options, n network, children *children) error {
	if err := children.start("etcd", wanted.directory, strconv.Itoa(n.etcd), strconv.Itoa(n.etcdPeer)); err != nil {
		return err
	}
	etcd := func() bool { return accepts("127.0.0.1", n.etcd) }
	if err := children.until(ctx, "etcd listens", etcd); err != nil {
		return err
	}
	if err := children.start("kube-apiserver", apiServerFlags(wanted, n)...); err != nil {
		return err
	}
	// The others end where they lack the roles that the API server makes first of all.
	client, err := newClient(filepath.Join(wanted.directory, "kubeconfig"))
	if err != nil {
		return err
	}
	if err := children.until(ctx, "the API server is ready", func() bool { return answers(ctx, client) }); err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(wanted.directory, name) }
	err = children.start("kube-controller-manager", flags(map[string]string{
		"kubeconfig":                       at("controller-manager.conf"),
		"authentication-kubeconfig":        at("controller-manager.conf"),
		"authorization-kubeconfig":         at("controller-manager.conf"),
		"client-ca-file":                   at("pki/ca.crt"),
		"root-ca-file":                     at("pki/ca.crt"),
		"service-account-private-key-file": at("pki/service-account.key"),
		"cluster-signing-cert-file":        at("pki/ca.crt"),
		"cluster-signing-key-file":         at("pki/ca.key"),
		"use-service-account-credentials":  "true",
		"leader-elect":                     "false",
		"bind-address":                     "127.0.0.1",
		"secure-port":                      strconv.Itoa(n.controllers),
		"profiling":                        "false",
	})...)
	if err != nil {
		return err
	}
	return children.start("kube-scheduler", flags(map[string]string{
		"kubeconfig":                at("scheduler.conf"),
		"authentication-kubeconfig": at("scheduler.conf"),
		"authorization-kubeconfig":  at("scheduler.conf"),
		"client-ca-file":            at("pki/ca.crt"),
		"leader-elect":              "false",
		"bind-address":              "127.0.0.1",
		"secure-port":               strconv.Itoa(n.scheduler),
		"profiling":                 "false",
	})...)
}

func apiServerFlags(wanted options, n network) []string {
	at := func(name string) string { return filepath.Join(wanted.directory, name) }
	chosen := map[string]string{
		"etcd-servers":                     "https://127.0.0.1:" + strconv.Itoa(n.etcd),
		"etcd-cafile":                      at("pki/ca.crt"),
		"etcd-certfile":                    at("pki/etcd-client.crt"),
		"etcd-keyfile":                     at("pki/etcd-client.key"),
		"bind-address":                     n.api,
		"advertise-address":                n.api,
		"secure-port":                      strconv.Itoa(n.apiPort),
		"service-cluster-ip-range":         n.services,
		"tls-cert-file":                    at("pki/api-server.crt"),
		"tls-private-key-file":             at("pki/api-server.key"),
		"client-ca-file":                   at("pki/ca.crt"),
		"kubelet-certificate-authority":    at("pki/ca.crt"),
		"kubelet-client-certificate":       at("pki/kubelet-client.crt"),
		"kubelet-client-key":               at("pki/kubelet-client.key"),
		"kubelet-preferred-address-types":  "InternalIP",
		"requestheader-client-ca-file":     at("pki/ca.crt"),
		"requestheader-allowed-names":      "front-proxy-client",
		"proxy-client-cert-file":           at("pki/front-proxy.crt"),
		"proxy-client-key-file":            at("pki/front-proxy.key"),
		"requestheader-username-headers":   "X-Remote-User",
		"requestheader-group-headers":      "X-Remote-Group",
		"service-account-issuer":           "https://kubernetes.default.svc.cluster.local",
		"service-account-key-file":         at("pki/service-account.pub"),
		"service-account-signing-key-file": at("pki/service-account.key"),
		"authorization-mode":               "Node,RBAC",
		"enable-admission-plugins":         "NodeRestriction",
		"allow-privileged":                 "true",
		"profiling":                        "false",
	}
	if wanted.auditPolicy != "" {
		chosen["audit-policy-file"] = wanted.auditPolicy
	}
	if wanted.auditWebhook != "" {
		chosen["audit-webhook-config-file"] = wanted.auditWebhook
		// What a test waits for; 30 seconds by default.
		chosen["audit-webhook-batch-max-wait"] = "200ms"
		chosen["audit-webhook-initial-backoff"] = "500ms"
	}
	return append(flags(chosen), wanted.apiServerFlags...)
}

func flags(values map[string]string) []string {
	words := make([]string, 0, len(values))
	for name, value := range values {
		words = append(words, "--"+name+"="+value)
	}
	return words
}

func accepts(address string, port int) bool {
	connection, err := net.Dial("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}
