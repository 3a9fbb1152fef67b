package main

import (
	"context"
	"os"
	"path/filepath"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/mpzo/adapter"
	"zeroth/mpzo/train"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// How a run's A is chosen: --init-a.
const (
	initARandom      = "random"
	initAActivations = "activations"
)

// chooseInitA reads --init-a.
func (c *runConfig) chooseInitA(flags *cli.Context) error {
	switch name := flags.String("init-a"); {
	case name == initARandom:
		return nil
	case name != initAActivations:
		return usagef("--init-a %q: choose random or activations", name)
	case c.Adapter != "":
		return usagef("--init-a and --adapter exclude each other: the adapter's own A holds")
	}
	c.InitA = initAActivations
	return nil
}

// startFolder is the folder of the adapter that the run starts from, or nothing.
func (r *trainRun) startFolder() string {
	if r.config.InitA != "" {
		return filepath.Join(r.folder, startName)
	}
	return r.config.Adapter
}

// chooseA writes the adapter that a run with --init-a begins with. The model
// holds Init's A and B = 0.
//
// Replaying needs it as it was, to the last bit, and has no data to find it
// again from: so it is kept, and the journal has its fingerprint.
func (r *trainRun) chooseA(ctx context.Context) error {
	if r.config.InitA == "" {
		return nil
	}
	a, err := r.model.Adapter()
	if err != nil {
		return err
	}
	of := make(map[string]int) // index of a site in the adapter
	for i, s := range a.Sites {
		of[s.Module] = i
	}
	layers := byLayer(r.model.Sites())
	progress := countBar(r.stderr, "looking at layers", len(layers))
	for i, layer := range layers {
		chosen, err := r.activationA(ctx, layer, a.Rank)
		if err != nil {
			return err
		}
		for name, loraA := range chosen {
			a.A[of[name]] = loraA
		}
		if progress != nil {
			progress(i + 1)
		}
	}
	if err := os.MkdirAll(r.folder, 0o777); err != nil {
		return err
	}
	return adapter.Write(filepath.Join(r.folder, startName), a)
}

// byLayer groups sites, so that the inputs of one layer are in memory at a time.
func byLayer(sites []program.Site) [][]program.Site {
	var groups [][]program.Site
	for i, s := range sites {
		if i == 0 || s.Layer != sites[i-1].Layer {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], s)
	}
	return groups
}

// activationA finds A for some sites from what they read when the program runs
// as it was exported.
func (r *trainRun) activationA(ctx context.Context, sites []program.Site, rank int) (map[string][]float32, error) {
	names, ids := make([]string, len(sites)), make(map[string]uint32)
	for i, s := range sites {
		names[i], ids[s.Name] = s.Name, s.ID
	}
	m := graph.Lift(r.file.Program)
	outputs, err := pass.Observe(m, names)
	if err != nil {
		return nil, err
	}
	observing, err := lowered(m, r.file.Program)
	if err != nil {
		return nil, err
	}
	t := r.trainer
	bounds, err := train.StepBounds(t.Train, t.Settings.Loss, t.Settings.Batch)
	if err != nil {
		return nil, err
	}
	s, err := r.engine.session(observing, train.ObservationBounds(bounds), false, pass.MethodInputs)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	starts := make(map[string]uint32)
	for _, name := range names {
		starts[outputs[name]] = ids[outputs[name]]
	}
	of, err := train.ActivationA(ctx, s, t.Train, t.Settings, rank, starts)
	if err != nil {
		return nil, err
	}
	chosen := make(map[string][]float32)
	for _, name := range names {
		chosen[name] = of[outputs[name]]
	}
	return chosen, nil
}
