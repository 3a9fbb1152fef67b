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

// systems are those whose files the rules are held to.
var systems = []string{"linux/amd64", "linux/arm64", "android/arm64", "darwin/arm64", "windows/amd64"}

// packages lists the module's packages for one system, without cgo.
func packages(t *testing.T, system string) []listed {
	t.Helper()
	goos, goarch, _ := strings.Cut(system, "/")
	command := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "zeroth/...")
	command.Dir = testdata.Repo("")
	command.Env = append(command.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
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
	for _, system := range systems {
		for _, p := range packages(t, system) {
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
					t.Errorf("%s: %s depends on %s: %s/ may import %q only", system, p.ImportPath, path, from, allowed)
				}
			}
		}
	}
	for from := range mayImport {
		if !seen[from] {
			t.Errorf("no package in %s/", from)
		}
	}
}

const (
	// loader is the one package that may load shared libraries.
	loader = "zeroth/kernels/dl"
	// nodes is what devices that compute over buffers have in common.
	nodes = "zeroth/kernels/gpu"
)

// Kernels are used through runtime/kernel: none builds on the plain ones, and
// only the suite may know them all. Any may load a library, and run nodes.
func TestKernelsStandAlone(t *testing.T) {
	for _, system := range systems {
		for _, p := range packages(t, system) {
			if wing(p.ImportPath) != "kernels" || strings.HasPrefix(p.ImportPath, "zeroth/kernels/conformance") {
				continue
			}
			set := strings.Join(strings.Split(p.ImportPath, "/")[:3], "/")
			for _, path := range p.Deps {
				if wing(path) == "kernels" && path != loader && path != nodes && path != set && !strings.HasPrefix(path, set+"/") {
					t.Errorf("%s: %s depends on %s", system, p.ImportPath, path)
				}
			}
		}
	}
}

func isPurego(path string) bool { return strings.HasPrefix(path, "github.com/ebitengine/purego") }

// Nothing needs cgo, only one package loads shared libraries, and only the
// tools know about command lines.
func TestForeignImports(t *testing.T) {
	for _, system := range systems {
		for _, p := range packages(t, system) {
			for _, path := range p.Imports {
				switch {
				case path == "C", isPurego(path) && p.ImportPath != loader:
					t.Errorf("%s: %s imports %s", system, p.ImportPath, path)
				case strings.Contains(path, "urfave/cli") && wing(p.ImportPath) != "tools":
					t.Errorf("%s: %s imports %s", system, p.ImportPath, path)
				case path == "testing" && p.ImportPath != "zeroth/internal/testdata":
					t.Errorf("%s: %s imports testing outside its tests", system, p.ImportPath)
				}
			}
		}
	}
}

// The command for Android is built without cgo, and purego needs cgo there: it
// must not be linked, not even through another package. Elsewhere the loader is
// the real one.
func TestAndroidLinksNoLoader(t *testing.T) {
	for _, system := range systems {
		for _, p := range packages(t, system) {
			links := slices.ContainsFunc(p.Deps, isPurego)
			if system == "android/arm64" && links {
				t.Errorf("%s: %s depends on purego", system, p.ImportPath)
			}
			if system != "android/arm64" && p.ImportPath == loader && !links {
				t.Errorf("%s: %s has no loader", system, p.ImportPath)
			}
		}
	}
}
