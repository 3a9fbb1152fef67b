// Command androiddl makes what builds purego for Android without cgo and without
// an NDK:
//
//	go run ./tools/androiddl -out bin/androiddl
//	GOOS=android GOARCH=arm64 CGO_ENABLED=0 go build \
//	  -modfile bin/androiddl/go.mod -tags androiddl ./tools/zeroth
//
// It copies purego from the module cache, of the one version that its edits were
// written for, into the folder, edits the copy, and writes a go.mod that puts it in
// purego's place (go build -overlay may not replace files of the cache):
//
//   - dlopen and its kin are imported from the C library, as on Linux, and not
//     called by cgo;
//   - the libraries have Android's names, and errno's function too.
//
// An edit that does not fit exactly as often as it must is an error.
package main

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	module  = "github.com/ebitengine/purego"
	version = "v0.11.3"
)

// ErrSource is wrapped where the module is not what the edits were written for.
var ErrSource = errors.New("purego is not as these edits expect")

// edit replaces a text in a file of the module, which has it so many times.
type edit struct {
	file, old, new string
	times          int
}

var edits = []edit{
	{"dlfcn.go", " && !android", "", 1},
	{"dlfcn_nocgo_linux.go", `"libdl.so.2"`, `"libdl.so"`, 5},
	{"internal/fakecgo/zsymbols_linux.go", `"libc.so.6"`, `"libc.so"`, 17},
	{"internal/fakecgo/zsymbols_linux.go", `"libpthread.so.0"`, `"libc.so"`, 10},
	{"internal/fakecgo/zsymbols_linux.go", "purego___errno_location __errno_location ", "purego___errno_location __errno ", 1},
}

// stripped is the file of which the constants alone are kept: its functions call
// cgo.
const stripped = "dlfcn_android.go"

func main() {
	out := flag.String("out", "", "the `FOLDER` to write")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "androiddl: error:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	source, err := moduleFolder()
	if err != nil {
		return err
	}
	files, err := edited(source)
	if err != nil {
		return err
	}
	out, err = filepath.Abs(out)
	if err != nil {
		return err
	}
	place := filepath.Join(out, "purego")
	if err := os.RemoveAll(place); err != nil {
		return err
	}
	if err := os.CopyFS(place, os.DirFS(source)); err != nil {
		return err
	}
	for name, text := range files {
		if err := replaceFile(filepath.Join(place, name), text); err != nil {
			return err
		}
	}
	return writeModule(out, place)
}

// replaceFile writes a file anew: the cache's, and so the copy's, are read-only.
func replaceFile(name, text string) error {
	if err := os.Remove(name); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o666)
}

// writeModule writes go.mod and go.sum as this folder has them, with purego
// replaced by the copy.
func writeModule(out, place string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if name == "go.mod" {
			raw = fmt.Appendf(raw, "\nreplace %s => %q\n", module, place)
		}
		if err := os.WriteFile(filepath.Join(out, name), raw, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// moduleFolder finds the module in the cache.
func moduleFolder() (string, error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", module)
	list.Stderr = os.Stderr
	raw, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w", module, err)
	}
	have, folder, _ := strings.Cut(strings.TrimSpace(string(raw)), " ")
	if have != version {
		return "", fmt.Errorf("%w: go.mod has %s of it, and they are for %s: look at each of them, then change version", ErrSource, have, version)
	}
	if folder == "" {
		return "", fmt.Errorf("%w: it is not in the module cache: go mod download", ErrSource)
	}
	return folder, nil
}

// edited gives the new text of each file that changes.
func edited(source string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range edits {
		text, seen := files[e.file]
		if !seen {
			raw, err := os.ReadFile(filepath.Join(source, e.file))
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrSource, err)
			}
			text = string(raw)
		}
		if n := strings.Count(text, e.old); n != e.times {
			return nil, fmt.Errorf("%w: %s has %s %d times, not %d", ErrSource, e.file, e.old, n, e.times)
		}
		files[e.file] = strings.ReplaceAll(text, e.old, e.new)
	}
	raw, err := os.ReadFile(filepath.Join(source, stripped))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	files[stripped], err = constantsOf(string(raw))
	return files, err
}

// cgoFunctions are those that the stripped file has, and dlfcn.go too.
var cgoFunctions = []string{"Dlopen", "Dlsym", "Dlclose", "loadSymbol"}

// constantsOf takes the import and the functions out of a file.
func constantsOf(text string) (string, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, stripped, text, parser.SkipObjectResolution)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSource, err)
	}
	var names []string
	for _, decl := range slices.Backward(file.Decls) {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name.Name)
		case *ast.GenDecl:
			if d.Tok != token.IMPORT {
				continue
			}
		}
		text = text[:set.Position(decl.Pos()).Offset] + text[set.Position(decl.End()).Offset:]
	}
	slices.Reverse(names)
	if !slices.Equal(names, cgoFunctions) || len(file.Imports) != 1 {
		return "", fmt.Errorf("%w: %s has the functions %q, not %q, and %d imports, not 1", ErrSource, stripped, names, cgoFunctions, len(file.Imports))
	}
	return text, nil
}
