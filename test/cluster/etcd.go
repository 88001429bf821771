package main

import (
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd serves one member: etcd DIRECTORY CLIENT_PORT PEER_PORT. Only who has a certificate of the cluster's CA is let in.
func runEtcd(words []string) error {
	if len(words) != 3 {
		return fmt.Errorf("etcd takes its directory and two ports")
	}
	directory, client, peer := words[0], loopback(words[1]), loopback(words[2])
	certificates := transport.TLSInfo{
		CertFile:       filepath.Join(directory, "pki/etcd.crt"),
		KeyFile:        filepath.Join(directory, "pki/etcd.key"),
		TrustedCAFile:  filepath.Join(directory, "pki/ca.crt"),
		ClientCertAuth: true,
	}
	config := embed.NewConfig()
	config.Dir = filepath.Join(directory, "etcd")
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.InitialCluster = config.Name + "=" + peer.String()
	config.ClientTLSInfo, config.PeerTLSInfo = certificates, certificates
	config.LogLevel = "warn"
	// What a test wrote need not survive the machine.
	config.UnsafeNoFsync = true
	server, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-signals:
		server.Close()
		return nil
	case err := <-server.Err():
		return fmt.Errorf("etcd: %w", err)
	}
}

func loopback(port string) url.URL {
	return url.URL{Scheme: "https", Host: "127.0.0.1:" + port}
}
