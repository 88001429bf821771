package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const validFor = 24 * time.Hour

// authority is the cluster's own CA; it lives as long as the cluster.
type authority struct {
	directory   string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      int64
}

// subject is whom a certificate is for: the user and groups Kubernetes reads from it, and the names and addresses a server answers by.
type subject struct {
	user      string
	groups    []string
	names     []string
	addresses []net.IP
}

func newAuthority(directory string) (*authority, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "cluster of the tests"},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(validFor),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	ca := &authority{directory: directory, certificate: template, key: key, serial: 1}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if ca.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	return ca, ca.write("ca", der, key)
}

// issue writes NAME.crt and NAME.key.
func (ca *authority) issue(name string, of subject) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(ca.serial),
		Subject:      pkix.Name{CommonName: of.user, Organization: of.groups},
		NotBefore:    ca.certificate.NotBefore,
		NotAfter:     ca.certificate.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		DNSNames:     of.names,
		IPAddresses:  of.addresses,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return err
	}
	return ca.write(name, der, key)
}

// serviceAccountKey writes the pair that service-account tokens are signed and checked with.
func (ca *authority) serviceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := ca.writeKey("service-account", key); err != nil {
		return err
	}
	return ca.writePem("service-account.pub", "PUBLIC KEY", public)
}

func (ca *authority) write(name string, der []byte, key *ecdsa.PrivateKey) error {
	if err := ca.writePem(name+".crt", "CERTIFICATE", der); err != nil {
		return err
	}
	return ca.writeKey(name, key)
}

func (ca *authority) writeKey(name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return ca.writePem(name+".key", "EC PRIVATE KEY", der)
}

func (ca *authority) writePem(name, kind string, der []byte) error {
	return os.WriteFile(ca.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (ca *authority) path(name string) string {
	return filepath.Join(ca.directory, name)
}

// kubeconfig writes a configuration that speaks as NAME, with everything inside.
func (ca *authority) kubeconfig(file, server, name string) error {
	read := func(name string) ([]byte, error) { return os.ReadFile(ca.path(name)) }
	root, err := read("ca.crt")
	if err != nil {
		return err
	}
	certificate, err := read(name + ".crt")
	if err != nil {
		return err
	}
	key, err := read(name + ".key")
	if err != nil {
		return err
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: tests, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: %s, user: {client-certificate-data: %s, client-key-data: %s}}]
contexts: [{name: tests, context: {cluster: tests, user: %s}}]
current-context: tests
`, server, base(root), name, base(certificate), base(key), name)
	return os.WriteFile(file, []byte(text), 0o600)
}

func base(text []byte) string {
	return base64.StdEncoding.EncodeToString(text)
}
