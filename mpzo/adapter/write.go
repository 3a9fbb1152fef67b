package adapter

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zeroth/internal/atomicfile"
	"zeroth/internal/safetensors"
)

// Write writes the adapter to a folder, as float32. The bytes depend on nothing
// but the adapter. A folder that does not exist appears whole or not at all. In
// one that does, each file is replaced whole, and a config that would change is
// taken away first: a crash between leaves an adapter that Read refuses for want
// of a config, never weights beside the config of others. Other files in the
// folder stay.
func Write(dir string, a *Adapter) error {
	if err := write(dir, a); err != nil {
		return fmt.Errorf("adapter: write %s: %w", dir, err)
	}
	return nil
}

func write(dir string, a *Adapter) error {
	if err := a.check(); err != nil {
		return err
	}
	config, err := encodeConfig(a)
	if err != nil {
		return err
	}
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return atomicfile.Folder(dir, func(folder string) error { return writeFiles(folder, config, a) })
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("is there and is not a folder: %w", ErrArgument)
	}
	old, err := os.ReadFile(filepath.Join(dir, configName))
	if err == nil && !bytes.Equal(old, config) {
		if err := os.Remove(filepath.Join(dir, configName)); err != nil {
			return err
		}
		if err := atomicfile.SyncFolder(dir); err != nil {
			return err
		}
	}
	return writeFiles(dir, config, a)
}

func writeFiles(dir string, config []byte, a *Adapter) error {
	entries := make([]safetensors.Entry, 0, 2*len(a.Sites))
	for i, site := range a.Sites {
		entries = append(entries,
			safetensors.Entry{Name: keyPrefix + site.Module + keySuffixA, Shape: []int{a.Rank, site.In}, Data: a.A[i]},
			safetensors.Entry{Name: keyPrefix + site.Module + keySuffixB, Shape: []int{site.Out, a.Rank}, Data: a.B[i]})
	}
	if err := safetensors.Write(filepath.Join(dir, weightsName), entries, map[string]string{"format": "pt"}); err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, configName), config)
}
