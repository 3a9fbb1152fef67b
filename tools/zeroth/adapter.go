package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"zeroth/mpzo/adapter"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

func adapterCommand() *cli.Command {
	return group("adapter", "take adapters to llama.cpp and into checkpoints; show what one holds",
		"A run's folders adapter and best are PEFT adapters as they are: transformers, vLLM and\n"+
			"others load them beside the base model.",
		adapterInspectCommand(), adapterExportCommand(), adapterMergeCommand())
}

// adapterSource says which adapter a command takes.
type adapterSource struct{ Adapter, Run string }

func adapterSourceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "adapter", Usage: "take the PEFT adapter in `FOLDER`"},
		&cli.StringFlag{Name: "run", Usage: "take the adapter of the run in `FOLDER`: the best one, or the last where none was held out for"},
	}
}

func readAdapterSource(c *cli.Context) adapterSource {
	return adapterSource{Adapter: c.String("adapter"), Run: c.String("run")}
}

func (s adapterSource) check() error {
	switch {
	case s.Adapter == "" && s.Run == "":
		return usagef("which adapter? Give --adapter FOLDER or --run FOLDER")
	case s.Adapter != "" && s.Run != "":
		return usagef("--adapter and --run exclude each other")
	}
	return nil
}

// read returns the adapter and the folder it was in.
func (s adapterSource) read() (*adapter.Adapter, string, error) {
	folder := s.Adapter
	if s.Run != "" {
		folder = filepath.Join(s.Run, bestName)
		if !isFolder(folder) {
			folder = filepath.Join(s.Run, lastName)
		}
	}
	a, err := readAdapter(folder)
	if s.Run != "" && errors.Is(err, fs.ErrNotExist) {
		hint := s.Run + " does not look like the folder of a run"
		var config runConfig
		switch {
		case !isFile(filepath.Join(s.Run, journalName)):
		case readJSON(filepath.Join(s.Run, configName), &config) == nil && config.full():
			hint = fmt.Sprintf("the run trained the weights themselves and has no adapter: zeroth replay PROGRAM --journal %s --out TUNED.zpt writes the program", s.Run)
		default:
			hint = fmt.Sprintf("a run that is not done: zeroth replay PROGRAM --journal %s --out FOLDER makes its adapter", s.Run)
		}
		err = withHint(err, hint)
	}
	return a, folder, err
}

// program opens the program that an adapter is for: the one that was named, or
// the run's. It returns its path too.
func (s adapterSource) program(named string) (*program.File, string, error) {
	if named != "" {
		file, err := openProgram(named)
		return file, named, err
	}
	if s.Run == "" {
		return nil, "", usagef("--program is missing: the program of the adapter's model")
	}
	var config runConfig
	path := filepath.Join(s.Run, configName)
	if err := readJSON(path, &config); err != nil {
		return nil, "", withHint(err, s.Run+" does not look like the folder of a run; --program FILE names its program")
	}
	file, err := program.Open(config.Program)
	if err != nil {
		err = withHint(fmt.Errorf("%s: program: %w", path, err), "has it moved? --program FILE names it")
	}
	return file, config.Program, err
}

// checkFits holds an adapter against the linear layers of a program.
func checkFits(a *adapter.Adapter, folder string, p *program.Program) error {
	sites := make([]adapter.Site, len(p.Sites))
	for i, s := range p.Sites {
		sites[i] = adapter.Site{Module: s.Name, Out: s.Out, In: s.In}
	}
	if _, err := a.Locate(sites); err != nil {
		return withHint(fmt.Errorf("%s: %w", folder, err), "give the program of the model that the adapter was trained on; zeroth inspect PROGRAM lists its linear layers")
	}
	return nil
}
