package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/internal/bytesize"
	"zeroth/kernels/cpu"
	"zeroth/kernels/opencl"
	"zeroth/kernels/vulkan"
	"zeroth/mpzo/prefix"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// The flags of the prefix cache, which a resumed run takes, too.
var prefixFlagNames = []string{"prefix-cache", "prefix-cache-dir"}

// prefixSetting is the journal's setting of where a run's frozen prefix ends,
// whose values are rounded there.
const prefixSetting = "prefix_cache"

func prefixFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "prefix-cache", Usage: "with --layers: keep what the layers below those give for each text in a file of at most `BYTES` (with K, M or G), and run them no more for it", DefaultText: "none"},
		&cli.StringFlag{Name: "prefix-cache-dir", Usage: "`FOLDER` for that file, which runs may share, those of one program and the same layers one after the other; the size is for all files in it then, and those that were used least lately go for new ones", DefaultText: "the run's"},
	}
}

// choosePrefix reads the flags of the prefix cache.
func (c *runConfig) choosePrefix(flags *cli.Context) error {
	if !flags.IsSet("prefix-cache") {
		if flags.IsSet("prefix-cache-dir") && c.PrefixCache == 0 {
			return usagef("--prefix-cache-dir needs --prefix-cache: the most bytes to keep")
		}
	} else if bytes, err := readBytes(flags.String("prefix-cache")); err != nil {
		return usagef("--prefix-cache: %w", err)
	} else {
		c.PrefixCache = bytes
	}
	if flags.IsSet("prefix-cache-dir") {
		folder := flags.String("prefix-cache-dir")
		if folder == "" {
			return usagef("--prefix-cache-dir is empty: name a folder")
		}
		var err error
		if c.PrefixDir, err = filepath.Abs(folder); err != nil { // a run is resumed from anywhere
			return err
		}
	}
	if c.PrefixCache > 0 && c.full() {
		return usagef("--prefix-cache and --params full exclude each other: no layer is frozen")
	}
	return nil
}

// resumePrefix reads the flags that a resumed run takes: how much is kept and
// where changes no bit of it, whether its values are rounded does.
func (c *runConfig) resumePrefix(flags *cli.Context) error {
	if c.PrefixCache > 0 {
		return c.choosePrefix(flags)
	}
	for _, name := range prefixFlagNames {
		if flags.IsSet(name) {
			return usagef("--%s: the run began without a prefix cache, and would no longer be the same run", name)
		}
	}
	return nil
}

// cutPrefix cuts a linked program where the run's cache is to be.
func (r *trainRun) cutPrefix(linked *program.Program) (*program.Program, error) {
	if r.config.PrefixCache == 0 {
		return linked, nil
	}
	m := graph.Lift(linked)
	cut, err := pass.CutPrefix(m)
	if errors.Is(err, pass.ErrPrefix) {
		return nil, withHint(usagef("--prefix-cache: %w", err), "--layers says which layers to train: what lies below the first of them is cached")
	}
	if err != nil {
		return nil, err
	}
	r.cut, r.below = &cut, m.Method(pass.MethodPrefix).String()
	return lowered(m, linked)
}

// openPrefix opens the run's cache.
func (r *trainRun) openPrefix(context.Context) error {
	if r.cut == nil {
		return nil
	}
	identity, err := r.prefixIdentity()
	if err != nil {
		return err
	}
	options := prefix.Options{
		Identity: identity, Codec: prefix.Codec{Columns: r.model.FrozenColumns()}, Budget: r.config.PrefixCache,
		Notice: func(line string) { fmt.Fprintln(r.stderr, "zeroth: notice:", line) },
	}
	if r.config.PrefixDir != "" {
		r.cache, err = prefix.OpenIn(r.config.PrefixDir, options)
	} else {
		r.cache, err = prefix.Open(filepath.Join(r.folder, prefixName), options)
	}
	switch {
	case errors.Is(err, prefix.ErrLocked):
		return withHint(err, "another run has the cache open: give this one another --prefix-cache-dir")
	case errors.Is(err, prefix.ErrPayload):
		return withHint(err, "name another --prefix-cache-dir")
	case err != nil:
		return err
	}
	r.model.UseCache(r.cache)
	return nil
}

// prefixIdentity names all that decides the bits of the cached values but the
// tokens: the weights, the nodes that this build's compiler makes of them, and the
// arithmetic of this build's kernels.
func (r *trainRun) prefixIdentity() (string, error) {
	features, err := cpu.DetectLimited()
	if err != nil {
		return "", usageError{err}
	}
	backend := "cpu"
	if r.engine.Backend != "cpu" {
		b, err := r.engine.find()
		if err != nil {
			return "", err
		}
		backend = fmt.Sprintf("%q (%q) with %q of %s, %q of %s and cpu", r.engine.Backend, b.About,
			os.Getenv(vulkan.ArithmeticVariable), vulkan.Bits(), os.Getenv(opencl.ArithmeticVariable), opencl.Bits())
	}
	p := r.file.Program
	return fmt.Sprintf("%x %q by %s %s of %s\n%s", p.Fingerprint, r.cut.Values, backend, cpu.Arithmetic(features, weightTypes(p)), cpu.Bits(), r.below), nil
}

// cached is what a run's prefix cache did, as JSON has it.
type cached struct {
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"`
	Budget  int64 `json:"budget"`
	Hits    int64 `json:"hits"`
	Misses  int64 `json:"misses"`
}

func (r *trainRun) cached() cached {
	s := r.cache.Stats()
	return cached{s.Entries, s.Bytes, r.config.PrefixCache, s.Hits, s.Misses}
}

// print says it to people.
func (c cached) print(out io.Writer) {
	var found strings.Builder
	if asked := c.Hits + c.Misses; asked > 0 {
		fmt.Fprintf(&found, "; %.1f %% of %d looked up were there", 100*float64(c.Hits)/float64(asked), asked)
	}
	fmt.Fprintf(out, "prefix  %d sequences in %s of %s%s\n", c.Entries, bytesize.Format(c.Bytes), bytesize.Format(c.Budget), &found)
}
