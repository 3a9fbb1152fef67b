package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zeroth/tools/phone"
)

// pushJob is what is to run on the phone, as far as this computer knows.
type pushJob struct {
	binary *phone.File
	files  []*phone.File // to send, the binary among them
	// send sends what is no plain file, once the others have their places.
	send func(ctx context.Context, remote map[string]string) error
	// words are those of the command, for the places of files and the run's folder.
	words func(remote map[string]string, folder string) []string
}

// add has a file sent.
func (j *pushJob) add(local string) (*phone.File, error) {
	if at := slices.IndexFunc(j.files, func(f *phone.File) bool { return f.Local == local }); at >= 0 {
		return j.files[at], nil
	}
	f, err := phone.Describe(local)
	if err != nil {
		return nil, err
	}
	j.files = append(j.files, &f)
	return &f, nil
}

// plan reads the command and the files.
func (p *pusher) plan() (pushJob, error) {
	var job pushJob
	words, err := phone.Split(p.Run)
	if err != nil {
		return job, usagef("--run: %w", err)
	}
	if len(words) > 0 && words[0] == "zeroth" {
		words = words[1:]
	}
	binary, err := p.findPhoneBinary()
	if err != nil {
		return job, err
	}
	if job.binary, err = job.add(binary); err != nil {
		return job, err
	}
	if p.Resume != "" {
		return job, p.planResume(&job, words)
	}
	return job, p.planRun(&job, words)
}

// madeFolder are the commands that write --out.
var madeFolder = []string{"train", "replay"}

// planRun plans a command and its files.
func (p *pusher) planRun(job *pushJob, words []string) error {
	if len(words) == 0 || strings.HasPrefix(words[0], "-") {
		return withHint(usagef("--run %q: it begins with a command of zeroth", p.Run), "zeroth help lists the commands")
	}
	command, err := readWords(p.app, words)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(p.Out); err == nil {
		return withHint(usagef("--out %s is there already", p.Out), "name a new folder, or go on with a run by --resume")
	}
	var sent []string
	for _, name := range append([]string{p.Program}, p.Data...) {
		if name == "" {
			continue
		}
		if _, err := job.add(name); err != nil {
			return err
		}
		sent = append(sent, name)
	}
	named := command.files()
	for _, f := range named {
		if !slices.Contains(sent, f.name) && isFile(f.name) {
			return withHint(usagef("--run: %s lies here and not on the phone", f.name), "send it with --program or --data")
		}
	}
	if p.Program != "" && !slices.ContainsFunc(named, func(f fileWord) bool { return f.name == p.Program }) {
		command.rest = slices.Insert(command.rest, 0, p.Program)
	}
	if len(p.Data) > 0 && !command.mentions("data") && command.is("train", "eval") {
		command.rest = append(command.rest, "--data", p.Data[0])
	}
	if command.is(madeFolder...) && command.mentions("out") {
		return withHint(usagef("--run: --out on the phone is chosen by push"), "name the folder here with zeroth push --out")
	}
	job.words = func(remote map[string]string, folder string) []string {
		all := command.on(remote)
		if command.is(madeFolder...) {
			all = append(all, "--out", folder)
		}
		return all
	}
	return nil
}

// planResume plans to go on with a run that was begun here.
func (p *pusher) planResume(job *pushJob, words []string) error {
	if len(words) > 0 && words[0] == "train" {
		words = words[1:]
	}
	var config runConfig
	if err := readJSON(filepath.Join(p.Resume, configName), &config); err != nil {
		return withHint(err, p.Resume+" does not look like the folder of a run")
	}
	folders := map[string][]*phone.File{} // adapters, by path
	for _, name := range config.paths() {
		if *name == "" {
			continue
		}
		info, err := os.Stat(*name)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(p.Resume, configName), err)
		}
		if !info.IsDir() {
			if _, err := job.add(*name); err != nil {
				return err
			}
			continue
		}
		if folders[*name], err = job.addFolder(*name); err != nil {
			return err
		}
	}
	job.send = func(ctx context.Context, remote map[string]string) error {
		for folder, files := range folders {
			remote[folder] = path.Dir(files[0].Remote)
			p.origin.Paths[remote[folder]] = wholePath(folder)
		}
		for _, name := range config.paths() {
			if place, ok := remote[*name]; ok {
				*name = place
			}
		}
		return p.sendRun(ctx, config)
	}
	job.words = func(_ map[string]string, folder string) []string {
		return append([]string{"train", "--resume", folder}, words...)
	}
	return nil
}

// addFolder has the files of a folder sent into one on the phone, named by the
// sum of the first.
func (j *pushJob) addFolder(folder string) ([]*phone.File, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []*phone.File
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		f, err := j.add(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s is empty", folder)
	}
	sums := ""
	for _, f := range files {
		sums += f.Sum
	}
	place := path.Join(phone.Root, "files", phone.SumOf(sums), filepath.Base(folder))
	for _, f := range files {
		f.Remote = path.Join(place, path.Base(f.Remote))
	}
	return files, nil
}

// sendRun sends the journal, run.json, which has the phone's paths, and the adapter
// that the run began with, where that is its own.
func (p *pusher) sendRun(ctx context.Context, config runConfig) error {
	folder, err := os.MkdirTemp("", "zeroth-push-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	config.PrefixDir = "" // the phone has no such folder
	if err := writeJSON(filepath.Join(folder, configName), config); err != nil {
		return err
	}
	if isBegun(p.Resume) {
		raw, err := os.ReadFile(filepath.Join(p.Resume, journalName))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, journalName), raw, 0o666); err != nil {
			return err
		}
		if config.InitA != "" {
			if err := os.CopyFS(filepath.Join(folder, startName), os.DirFS(filepath.Join(p.Resume, startName))); err != nil {
				return err
			}
		}
	}
	return p.run.SendFolder(ctx, folder)
}

func wholePath(name string) string {
	if whole, err := filepath.Abs(name); err == nil {
		return whole
	}
	return name
}
