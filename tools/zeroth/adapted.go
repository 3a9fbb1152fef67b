package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zeroth/mpzo/adapter"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// adapt links a program for an adapter's sites, or takes LoRA out of it where
// there is no adapter: the model as it was exported.
func adapt(p *program.Program, adapterFolder string) (*program.Program, error) {
	lora, err := loraOf(p)
	if err != nil {
		return nil, err
	}
	if adapterFolder != "" {
		if lora, err = adapterLoRA(adapterFolder, lora); err != nil {
			return nil, err
		}
	}
	linked, err := relink(p, lora)
	if err != nil && adapterFolder != "" {
		err = otherModel(adapterFolder, err)
	}
	return linked, err
}

// otherModel explains why an adapter could not be linked to a program.
func otherModel(adapterFolder string, err error) error {
	return fmt.Errorf("the adapter in %s is of another model: %w", adapterFolder, err)
}

// readAdapter reads an adapter for any command.
func readAdapter(folder string) (*adapter.Adapter, error) {
	a, err := adapter.Read(folder)
	switch {
	case err != nil && isFile(filepath.Join(folder, journalName)):
		err = withHint(err, fmt.Sprintf("%s is the folder of a run: its adapters are %s and %s",
			folder, filepath.Join(folder, bestName), filepath.Join(folder, lastName)))
	case errors.Is(err, fs.ErrNotExist):
		err = withHint(err, "an adapter is a folder in PEFT's form, such as RUN/"+lastName+" of zeroth train")
	}
	return a, err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// loadModel binds a program for evaluation, with an adapter or without.
func loadModel(p *program.Program, adapterFolder string, e engine, bounds op.Extents) (*train.Model, error) {
	linked, err := adapt(p, adapterFolder)
	if err != nil {
		return nil, err
	}
	s, err := e.session(linked, bounds, false, train.MethodLosses, train.MethodUpdate)
	if err != nil {
		return nil, err
	}
	m, err := train.NewModel(s)
	if err == nil && adapterFolder != "" {
		err = loadAdapter(m, adapterFolder)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return m, nil
}

// generateWith gives the model what writes answers, where a set asks for that:
// a session of its own beside the model's, which ends with it.
func generateWith(m *train.Model, e engine, batch int, sets ...*data.Set) (err error) {
	bounds := train.GeneratorBounds(batch, sets...)
	if bounds == (op.Extents{}) {
		return nil
	}
	s, err := e.session(m.Session().Program(), bounds, false, "forward")
	if err != nil {
		return err
	}
	g, err := train.NewGenerator(s)
	if err != nil {
		s.Close()
		return err
	}
	m.Generate(g)
	return nil
}
