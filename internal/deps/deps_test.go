package deps

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// listed is what go list says of a package; test files do not count.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// packages lists the module's packages for one system.
func packages(t *testing.T, arguments ...string) []listed {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, append(arguments, "zeroth/...")...)...)
	command.Dir = testdata.Repo("")
	command.Env = append(command.Environ(), "CGO_ENABLED=0")
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	var list []listed
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// wing is the first part of a path in the module: runtime, graph, kernels, ….
func wing(path string) string {
	rest, ours := strings.CutPrefix(path, "zeroth/")
	if !ours {
		return ""
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}

// mayImport is the plan of the house: see docs/ARCHITECTURE.md. Within
// internal, leaves import nothing of ours but each other.
var mayImport = map[string][]string{
	"internal": {"internal"},
	"runtime":  {"runtime", "internal"},
	"graph":    {"graph", "runtime", "internal"},
	"kernels":  {"kernels", "runtime", "internal"},
	"mpzo":     {"mpzo", "runtime", "internal"},
}

func TestImportsRunOneWay(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range append(packages(t), packages(t, "-tags=purego")...) {
		from := wing(p.ImportPath)
		seen[from] = true
		allowed, ruled := mayImport[from]
		if !ruled {
			if from != "tools" && from != "examples" {
				t.Errorf("%s: no rule says what %s/ may import", p.ImportPath, from)
			}
			continue
		}
		for _, path := range p.Deps {
			if to := wing(path); to != "" && !slices.Contains(allowed, to) {
				t.Errorf("%s depends on %s: %s/ may import %q only", p.ImportPath, path, from, allowed)
			}
		}
	}
	for from := range mayImport {
		if !seen[from] {
			t.Errorf("no package in %s/", from)
		}
	}
}

// Kernels are used through runtime/kernel: none builds on the plain ones, and
// only the suite may know them all.
func TestKernelsStandAlone(t *testing.T) {
	for _, p := range packages(t) {
		if wing(p.ImportPath) != "kernels" || strings.HasPrefix(p.ImportPath, "zeroth/kernels/conformance") {
			continue
		}
		set := strings.Join(strings.Split(p.ImportPath, "/")[:3], "/")
		for _, path := range p.Deps {
			if wing(path) == "kernels" && path != set && !strings.HasPrefix(path, set+"/") {
				t.Errorf("%s depends on %s", p.ImportPath, path)
			}
		}
	}
}

// Nothing that runs a program needs cgo or a loader of shared libraries, and
// only the tool knows about command lines.
func TestForeignImports(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			switch {
			case path == "C", strings.Contains(path, "ebitengine/purego") && p.ImportPath != "zeroth/kernels/dl":
				t.Errorf("%s imports %s", p.ImportPath, path)
			case strings.Contains(path, "urfave/cli") && wing(p.ImportPath) != "tools":
				t.Errorf("%s imports %s", p.ImportPath, path)
			case path == "testing" && p.ImportPath != "zeroth/internal/testdata":
				t.Errorf("%s imports testing outside its tests", p.ImportPath)
			}
		}
	}
}
