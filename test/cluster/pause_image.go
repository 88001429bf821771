package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

type member struct {
	name string
	mode int64
	body []byte
}

// writePauseArchive makes an image of one program (OCI Image Format, image layout in a tar archive).
func writePauseArchive(file, program string) error {
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	layer, err := tarOf([]member{{"pause", 0o755, text}})
	if err != nil {
		return err
	}
	config, _ := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/pause"}, "User": "65535:65535"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(layer)}},
	})
	described := func(kind string, content []byte) map[string]any {
		return map[string]any{"mediaType": "application/vnd.oci.image." + kind, "digest": digest(content), "size": len(content)}
	}
	manifest, _ := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": described("config.v1+json", config), "layers": []any{described("layer.v1.tar", layer)},
	})
	entry := described("manifest.v1+json", manifest)
	entry["annotations"] = map[string]string{"io.containerd.image.name": pauseImage, "org.opencontainers.image.ref.name": "1"}
	index, _ := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{entry}})
	members := []member{{"oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)}, {"index.json", 0o644, index}}
	for _, blob := range [][]byte{layer, config, manifest} {
		members = append(members, member{"blobs/sha256/" + digest(blob)[len("sha256:"):], 0o644, blob})
	}
	archive, err := tarOf(members)
	if err != nil {
		return err
	}
	return os.WriteFile(file, archive, 0o600)
}

func digest(content []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content))
}

func tarOf(members []member) ([]byte, error) {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, each := range members {
		header := &tar.Header{Name: each.name, Mode: each.mode, Size: int64(len(each.body)), Typeflag: tar.TypeReg}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(each.body); err != nil {
			return nil, err
		}
	}
	return buffer.Bytes(), writer.Close()
}
