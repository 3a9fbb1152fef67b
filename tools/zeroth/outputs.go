package main

import (
	"os"
	"path/filepath"
)

// checkOut refuses an --out that is missing or that no file can be written to.
func checkOut(out, what string) error {
	if out == "" {
		return usagef("--out is missing: the %s to write", what)
	}
	return checkTarget("--out", out)
}

// checkTarget refuses what no file can be written to, before the work whose
// results would be lost.
func checkTarget(flag, path string) error {
	switch {
	case isFolder(path):
		return usagef("%s %s: is a folder, want the name of a file", flag, path)
	case !isFolder(filepath.Dir(path)):
		return usagef("%s %s: there is no folder %s", flag, path, filepath.Dir(path))
	}
	return nil
}

// refuseOverwriting returns an error where out is one of the files that a
// command reads or that a run cannot do without.
func refuseOverwriting(out string, precious ...string) error {
	target, err := os.Stat(out)
	if err != nil {
		return nil // nothing there to overwrite
	}
	for _, path := range precious {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, target) {
			return usagef("--out %s would overwrite %s", out, path)
		}
	}
	return nil
}

// runFiles are the files of a run that a report must not replace.
func runFiles(folder string) []string {
	var files []string
	for _, name := range []string{journalName, configName, profileName, traceName, prefixName} {
		files = append(files, filepath.Join(folder, name))
	}
	for _, adapter := range []string{lastName, bestName} {
		for _, name := range []string{"adapter_config.json", "adapter_model.safetensors"} {
			files = append(files, filepath.Join(folder, adapter, name))
		}
	}
	return files
}
