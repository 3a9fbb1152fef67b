package main

import (
	"context"
	"encoding/json"
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
	groups := lookedAtTogether(r.model.Sites())
	progress := countBar(r.stderr, "looking at layers", len(groups))
	rows := 0
	for i, sites := range groups {
		chosen, forwarded, err := r.activationA(ctx, sites, a)
		if err != nil {
			return err
		}
		for name, loraA := range chosen {
			a.A[of[name]] = loraA
		}
		rows += forwarded
		if progress != nil {
			progress(i + 1)
		}
	}
	if r.json {
		if err := json.NewEncoder(r.stdout).Encode(map[string]any{"event": "look", "rows": rows}); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(r.folder, 0o777); err != nil {
		return err
	}
	return adapter.Write(filepath.Join(r.folder, startName), a)
}

// mostTogether is how many values a token may have, inputs and outputs, in layers
// that are looked at together: of the rows that are kept they are 64 MiB.
const mostTogether = 32 << 10

// lookedAtTogether groups sites by layers: as many as mostTogether allows, one at
// least. Each group takes passes of its own.
func lookedAtTogether(sites []program.Site) [][]program.Site {
	var groups [][]program.Site
	values := 0
	for first := 0; first < len(sites); {
		end, more := first, 0
		for ; end < len(sites) && sites[end].Layer == sites[first].Layer; end++ {
			more += sites[end].In + sites[end].Out
		}
		if values += more; len(groups) == 0 || values > mostTogether {
			groups, values = append(groups, nil), more
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], sites[first:end]...)
		first = end
	}
	return groups
}

// activationA finds A for some sites of the adapter that the run begins with, from
// what they read and give when the program runs as it was exported, and how many
// rows went forward for it.
func (r *trainRun) activationA(ctx context.Context, sites []program.Site, start *adapter.Adapter) (map[string][]float32, int, error) {
	names := make([]string, len(sites))
	for i, s := range sites {
		names[i] = s.Name
	}
	m := graph.Lift(r.file.Program)
	outputs, err := pass.Observe(m, names)
	if err != nil {
		return nil, 0, err
	}
	observing, err := lowered(m, r.file.Program)
	if err != nil {
		return nil, 0, err
	}
	t := r.trainer
	bounds, err := train.StepBounds(t.Train, t.Settings.Loss, t.Settings.Batch)
	if err != nil {
		return nil, 0, err
	}
	s, err := r.engine.session(observing, train.ObservationBounds(bounds), false, pass.MethodObserve)
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	observations := make(map[string]train.Observation)
	for _, site := range sites {
		shown := outputs[site.Name]
		observations[site.Name] = train.Observation{Input: shown.Input, Output: shown.Output, Site: site.ID}
	}
	return train.ActivationA(ctx, s, t.Train, t.Settings, start.Rank, start.Alpha/float64(start.Rank), observations)
}
