package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"zeroth/graph/pass"
	"zeroth/mpzo/adapter"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

type replayOptions struct {
	Program, Journal, Adapter, Out string
	Steps                          *uint64 // nil: all
	Engine                         engine
}

func replayCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "journal", Usage: "the journal `FILE`, or the run's folder"},
		&cli.StringFlag{Name: "out", Usage: "`FOLDER` to write the adapter to; after --params full the program file"},
		&cli.StringFlag{Name: "adapter", Usage: "the PEFT adapter in `FOLDER` that the run started from, if it did"},
		&cli.Uint64Flag{Name: "steps", Usage: "replay the first `STEPS` only", DefaultText: "all"},
	}
	return &cli.Command{
		Name: "replay", Usage: "rebuild what a run has learned from its program and journal, bit for bit, without data",
		UsageText: "zeroth replay PROGRAM --journal RUN --out FOLDER [flags]\nzeroth replay PROGRAM --journal RUN --out TUNED.zpt [flags]", Flags: append(flags, engineFlags()...),
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "PROGRAM")
			if err != nil {
				return err
			}
			o := replayOptions{
				Program: path, Journal: c.String("journal"), Adapter: c.String("adapter"), Out: c.String("out"),
			}
			if c.IsSet("steps") {
				steps := c.Uint64("steps")
				o.Steps = &steps
			}
			if o.Engine, err = readEngine(c); err != nil {
				return err
			}
			return runReplay(c.Context, o, c.App.Writer, c.App.ErrWriter)
		},
	}
}

func runReplay(ctx context.Context, o replayOptions, stdout, stderr io.Writer) error {
	switch {
	case o.Journal == "":
		return usagef("--journal is missing: the journal to replay")
	case o.Out == "":
		return usagef("--out is missing: what to write")
	}
	folder := ""
	if isFolder(o.Journal) {
		folder = o.Journal
		o.Journal = filepath.Join(folder, journalName)
	}
	log, err := journal.Read(o.Journal)
	if err != nil {
		return err
	}
	if log.Header.Settings[initASetting] != "" && folder != "" && o.Adapter == "" {
		o.Adapter = filepath.Join(folder, startName)
	}
	if log.Damage != nil {
		fmt.Fprintf(stderr, "zeroth: notice: %s: %s\n", o.Journal, log.Damage)
	}
	steps := uint64(len(log.Steps))
	if o.Steps != nil {
		if *o.Steps > steps {
			return usagef("--steps %d: the journal holds %d", *o.Steps, steps)
		}
		steps = *o.Steps
	}
	if log.Header.Settings[paramsSetting] == paramsFull {
		return replayProgram(ctx, o, log, steps, stdout, stderr)
	}
	return replayAdapter(ctx, o, log, steps, stdout)
}

// replayAdapter writes the adapter as it was after so many steps.
func replayAdapter(ctx context.Context, o replayOptions, log *journal.Log, steps uint64, stdout io.Writer) error {
	if _, err := os.Stat(o.Out); filepath.Ext(o.Out) == ".zpt" && errors.Is(err, fs.ErrNotExist) {
		return withHint(usagef("--out %s: the run trained an adapter, which is a folder and no program", o.Out),
			"name a folder: run, eval and train take it by --adapter")
	}
	if _, err := os.Stat(filepath.Join(o.Out, "adapter_config.json")); err == nil {
		return withHint(usagef("--out %s holds an adapter already", o.Out), "name a new folder")
	}
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	m, err := replayModel(file.Program, &log.Header, o)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Replay(ctx, log, steps, nil); err != nil {
		return err
	}
	a, err := m.Adapter()
	if err != nil {
		return err
	}
	if err := adapter.Write(o.Out, a); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: adapter after %d steps\n", o.Out, steps)
	return err
}

// replayModel links the program as the journal's header says and brings it to
// where the run began.
func replayModel(p *program.Program, h *journal.Header, o replayOptions) (*train.Model, error) {
	if err := isProgramOf(p, h); err != nil {
		return nil, err
	}
	lora := pass.LoRA{Rank: h.Rank, Alpha: shortAlpha(float64(h.Alpha)), Sampler: noise.Sampler(h.Sampler)}
	for _, site := range h.Sites {
		lora.Sites = append(lora.Sites, site.Name)
	}
	linked, err := relinkFor(h.Settings[paramsSetting], p, lora)
	if err != nil {
		return nil, err
	}
	s, err := o.Engine.session(linked, op.Extents{Width: 1, Q: h.Q}, false, train.MethodLosses, train.MethodUpdate)
	if err != nil {
		return nil, err
	}
	m, err := train.NewModel(s)
	if err == nil {
		err = sameSites(m, h)
	}
	if err == nil {
		err = startReplay(m, h, o.Adapter)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return m, nil
}

// isProgramOf refuses a program that a run was not of.
func isProgramOf(p *program.Program, h *journal.Header) error {
	if h.Program != p.Fingerprint {
		return withHint(fmt.Errorf("the journal is of another program: %x, this one is %x", h.Program[:6], p.Fingerprint[:6]),
			"export the same checkpoint with the same flags as for the run")
	}
	return nil
}

// sameSites holds the journal's sites against the model's: relinking goes by their
// names, and noise by their numbers, which another version of the tool may give in
// another order.
func sameSites(m *train.Model, h *journal.Header) error {
	if have := journalSites(m); !slices.Equal(have, h.Sites) {
		return fmt.Errorf("the journal's %d sites are not the %d of this program: names, numbers or order differ: %w", len(h.Sites), len(have), journal.ErrMismatch)
	}
	return nil
}

// journalSites are the sites of a model as its run's journal names them; where all
// weights are trained, these.
func journalSites(m *train.Model) []journal.Site {
	var sites []journal.Site
	if m.Full() {
		for i, slot := range m.Session().Program().Slots {
			sites = append(sites, journal.Site{ID: uint64(i), Name: slot.Name})
		}
		return sites
	}
	for _, site := range m.Sites() {
		sites = append(sites, journal.Site{ID: uint64(site.ID), Name: site.Name})
	}
	return sites
}

func startReplay(m *train.Model, h *journal.Header, adapterFolder string) error {
	if err := m.Init(h.Seed); err != nil {
		return err
	}
	if h.Start == ([32]byte{}) {
		if adapterFolder != "" {
			return usagef("--adapter: the run did not start from an adapter")
		}
		return nil
	}
	if adapterFolder == "" {
		err := usagef("--adapter is missing: the run started from an adapter, %x", h.Start[:6])
		if h.Settings[initASetting] != "" {
			return withHint(err, "it is the folder "+startName+" of the run: give --journal the run's folder, or --adapter that one")
		}
		return err
	}
	have, err := adapterFingerprint(adapterFolder)
	if err != nil {
		return err
	}
	if have != h.Start {
		return fmt.Errorf("%s is not the adapter that the run started from: %x, not %x", adapterFolder, have[:6], h.Start[:6])
	}
	return loadAdapter(m, adapterFolder)
}
