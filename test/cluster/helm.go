package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

// helmTemplate writes what Helm's own loader, schema check and engine make of a chart: CHART NAME NAMESPACE [VALUES.json].
// Helm's command line would bring half again as much to compile (registries, plug-ins in WebAssembly), for nothing more to see.
func helmTemplate(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("helm-template takes a chart, a release name and a namespace")
	}
	chart, err := loader.Load(words[0])
	if err != nil {
		return err
	}
	if err := chart.Validate(); err != nil {
		return err
	}
	values := map[string]any{}
	if len(words) > 3 {
		text, err := os.ReadFile(words[3])
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &values); err != nil {
			return err
		}
	}
	release := common.ReleaseOptions{Name: words[1], Namespace: words[2], Revision: 1, IsInstall: true}
	given, err := util.ToRenderValues(chart, values, release, common.DefaultCapabilities)
	if err != nil {
		return err
	}
	files, err := engine.Engine{Strict: false}.Render(chart, given)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		if strings.HasSuffix(name, ".yaml") && !strings.HasPrefix(filepath.Base(name), "_") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if text := strings.TrimSpace(files[name]); text != "" {
			fmt.Printf("---\n# Source: %s\n%s\n", name, text)
		}
	}
	for _, definition := range chart.CRDObjects() {
		fmt.Printf("---\n# Source: %s\n%s\n", definition.Name, definition.File.Data)
	}
	return nil
}
