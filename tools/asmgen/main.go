package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// errStale is returned by -check where files are not what would be written.
var errStale = errors.New("not what the sources give: run make generate")

func main() {
	check := flag.Bool("check", false, "write nothing; fail unless the files are up to date")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: asmgen [-check] FOLDER")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	update := writeFiles
	if *check {
		update = func(dir string, files map[string][]byte) error { return compareFiles(os.Stderr, dir, files) }
	}
	files, err := generate(flag.Arg(0))
	if err == nil {
		err = update(".", files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "asmgen: error:", err)
		os.Exit(1)
	}
}

// generate makes the text of each generated file from the sources in folder.
func generate(folder string) (map[string][]byte, error) {
	sources, err := filepath.Glob(filepath.Join(folder, "*.S"))
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("no *.S in %s", folder)
	}
	files := make(map[string][]byte)
	for _, source := range sources {
		text, err := translate(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		files["z"+strings.TrimSuffix(filepath.Base(source), ".S")+suffix] = text
	}
	return files, nil
}

const suffix = "_arm64.s"

// generated lists the files in dir that asmgen wrote.
func generated(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, "z*"+suffix))
}

// writeFiles makes files all that asmgen has written to dir.
func writeFiles(dir string, files map[string][]byte) error {
	old, err := generated(dir)
	if err != nil {
		return err
	}
	for _, path := range old {
		if files[filepath.Base(path)] == nil {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compareFiles names to w the files in dir that differ from files.
func compareFiles(w io.Writer, dir string, files map[string][]byte) error {
	paths, err := generated(dir)
	if err != nil {
		return err
	}
	for name := range files {
		if path := filepath.Join(dir, name); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	stale := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		want := files[filepath.Base(path)]
		if err == nil && want != nil && bytes.Equal(text, want) {
			continue
		}
		stale++
		fmt.Fprintln(w, path)
	}
	if stale > 0 {
		return fmt.Errorf("%d files are %w", stale, errStale)
	}
	return nil
}
