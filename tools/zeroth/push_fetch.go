package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"

	"zeroth/internal/atomicfile"
	"zeroth/mpzo/journal"
)

// fetch brings the run's folder here as a whole, and frees its name on the phone.
func (p *pusher) fetch(ctx context.Context) error {
	target := filepath.Clean(p.Out)
	if p.origin.Resumes {
		target = filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".phone")
		if err := os.RemoveAll(target); err != nil {
			return err
		}
	} else if _, err := os.Lstat(target); err == nil {
		return withHint(fmt.Errorf("%s is there already", p.Out), "zeroth push --attach --name "+p.Name+" --out NEW fetches the run to another folder")
	}
	// It may be larger than all else, and is made again where it is wanted.
	if err := p.run.Discard(ctx, prefixName); err != nil {
		return err
	}
	empty := false
	err := p.run.Fetch(ctx, target, func(folder string) error {
		entries, err := os.ReadDir(folder)
		if empty = len(entries) == 0; empty || err != nil {
			return errors.Join(err, errNothing)
		}
		return p.localise(folder)
	})
	if empty && errors.Is(err, errNothing) { // a command that only prints
		return p.run.MarkFetched(ctx)
	}
	if err == nil && p.origin.Resumes {
		err = errors.Join(takeOver(target, p.Out), os.RemoveAll(target))
	}
	if err != nil {
		return err
	}
	if err := p.run.MarkFetched(ctx); err != nil {
		return err
	}
	p.event("fetched", p.Out, "fetched %s", p.Out)
	return nil
}

var errNothing = errors.New("the run has written nothing")

// localise gives run.json the paths of this computer.
func (p *pusher) localise(folder string) error {
	name := filepath.Join(folder, configName)
	var config runConfig
	err := readJSON(name, &config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no run of train
	}
	if err != nil {
		return err
	}
	for _, file := range config.paths() {
		for remote, local := range p.origin.Paths {
			// The sum and the name tell, wherever the phone has its files.
			if *file != "" && strings.HasSuffix(*file, path.Join("/", path.Base(path.Dir(remote)), path.Base(remote))) {
				*file = local
				break
			}
		}
	}
	if p.origin.Resumes {
		var begun runConfig
		if err := readJSON(filepath.Join(p.Out, configName), &begun); err == nil { // else it was moved away
			config.PrefixDir = begun.PrefixDir
		}
	}
	return writeJSON(name, config)
}

// takeOver moves what came back over the run that was begun here. The journal
// must go on where this one ends.
func takeOver(from, to string) error {
	theirs, err := journal.Read(filepath.Join(from, journalName))
	if err != nil {
		return err
	}
	if isBegun(to) {
		mine, err := journal.Read(filepath.Join(to, journalName))
		if err != nil {
			return err
		}
		if n := len(mine.Steps); len(theirs.Steps) < n || !reflect.DeepEqual(mine.Steps, theirs.Steps[:n]) {
			return withHint(fmt.Errorf("%s went on here meanwhile: step %d of it is not in what the phone did", to, n),
				"what the phone did stays there: zeroth push --attach fetches it once the folder is moved away")
		}
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o777); err != nil { // it may have been moved away
		return err
	}
	for _, entry := range entries {
		old := filepath.Join(to, entry.Name())
		if entry.IsDir() {
			if err := os.RemoveAll(old); err != nil {
				return err
			}
		}
		if err := os.Rename(filepath.Join(from, entry.Name()), old); err != nil {
			return err
		}
	}
	return atomicfile.SyncFolder(to)
}
