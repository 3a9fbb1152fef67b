package main

import (
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
		err = withHint(err, "the adapter in "+adapterFolder+" is of another model")
	}
	return linked, err
}

// loadModel binds a program for evaluation, with an adapter or without.
func loadModel(p *program.Program, adapterFolder string, e engine, bounds op.Extents) (*train.Model, error) {
	linked, err := adapt(p, adapterFolder)
	if err != nil {
		return nil, err
	}
	s, err := e.session(linked, bounds, false, "losses", "update")
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
