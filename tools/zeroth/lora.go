package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"zeroth/graph/pass"
	"zeroth/runtime/noise"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// The defaults of MobiZO: rank 16, alpha 32, all linear layers.
const (
	defaultRank  = 16
	defaultAlpha = 32
)

func loraFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "rank", Usage: "LoRA rank `R`", DefaultText: "the program's; 16 at export"},
		&cli.Float64Flag{Name: "alpha", Usage: "LoRA `ALPHA`; the low-rank product is scaled by ALPHA/R", DefaultText: "the program's; 32 at export"},
		&cli.StringFlag{Name: "modules", Usage: "train these linear layers: a `LIST` of q,k,v,o,gate,up,down (Llama, Qwen) or the names that inspect shows, or all", DefaultText: "the program's; all at export"},
		&cli.StringFlag{Name: "layers", Usage: "train these layers: a `LIST` such as 0,3,12-21, counted from 0, or all", DefaultText: "the program's; all at export"},
		&cli.StringFlag{Name: "sampler", Usage: "`KIND` of perturbations: gaussian or rademacher (+1 and -1)", DefaultText: "the program's; gaussian at export"},
	}
}

// applyLoRAFlags overlays the flags that were given.
func applyLoRAFlags(c *cli.Context, lora *pass.LoRA) error {
	if c.IsSet("rank") {
		lora.Rank = c.Int("rank")
	}
	if c.IsSet("alpha") {
		lora.Alpha = shortAlpha(c.Float64("alpha"))
		if !(lora.Alpha > 0 && lora.Alpha <= math.MaxFloat32) {
			return usagef("--alpha %g: must be above 0 and fit a 32-bit float, at most 3.4e38", c.Float64("alpha"))
		}
	}
	if c.IsSet("modules") || c.IsSet("layers") {
		lora.Sites = nil // chosen anew
	}
	if c.IsSet("modules") {
		lora.Modules = nil
		if list := c.String("modules"); list != "all" {
			lora.Modules = strings.Split(list, ",")
		}
	}
	var err error
	if c.IsSet("layers") {
		if c.String("layers") == "" {
			return usagef("--layers is empty: want a list such as 0,3,12-21, or all")
		}
		if lora.Layers, err = pass.ParseLayers(c.String("layers")); err != nil {
			return usageError{err}
		}
	}
	if c.IsSet("sampler") {
		if lora.Sampler, err = noise.ParseSampler(c.String("sampler")); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// shortAlpha rounds to the shortest decimal that names the same float32: a
// journal keeps alpha as a float32, and replaying it must give the same adapter
// down to the digits in its config.
func shortAlpha(alpha float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(alpha, 'g', -1, 32), 64)
	if err != nil {
		return math.NaN()
	}
	return short
}

func defaultLoRA() pass.LoRA {
	return pass.LoRA{Rank: defaultRank, Alpha: defaultAlpha, Sampler: noise.Gaussian}
}

// loraOf reads from a program which LoRA it has; the defaults where it has none.
func loraOf(p *program.Program) (pass.LoRA, error) {
	lora := defaultLoRA()
	if _, has := p.Lookup(pass.MetaRank); !has {
		return lora, nil
	}
	var err error
	read := func(key string) string {
		value, ok := p.Lookup(key)
		if !ok && err == nil {
			err = fmt.Errorf("the program has no metadata %q", key)
		}
		return value
	}
	rank, alpha, sampler := read(pass.MetaRank), read(pass.MetaAlpha), read(pass.MetaSampler)
	if err != nil {
		return lora, err
	}
	if lora.Rank, err = strconv.Atoi(rank); err != nil {
		return lora, fmt.Errorf("metadata %s: %w", pass.MetaRank, err)
	}
	if lora.Alpha, err = strconv.ParseFloat(alpha, 64); err != nil {
		return lora, fmt.Errorf("metadata %s: %w", pass.MetaAlpha, err)
	}
	if lora.Sampler, err = noise.ParseSampler(sampler); err != nil {
		return lora, fmt.Errorf("metadata %s: %w", pass.MetaSampler, err)
	}
	for _, s := range p.Sites {
		if s.B >= 0 {
			lora.Sites = append(lora.Sites, s.Name)
		}
	}
	return lora, nil
}

// vocabularyOf is the number of tokens that a program knows, at least one.
func vocabularyOf(p *program.Program) (int, error) {
	vocab, err := metaInt(p, "vocab_size")
	if err == nil && vocab < 1 {
		err = fmt.Errorf("the program has a vocabulary of %d", vocab)
	}
	return vocab, err
}

// metaInt reads a whole number from a program's metadata.
func metaInt(p *program.Program, key string) (int, error) {
	value, ok := p.Lookup(key)
	if !ok {
		return 0, fmt.Errorf("the program has no metadata %q", key)
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("metadata %s: %w", key, err)
	}
	return n, nil
}
