package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/mpzo/tokenizer"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

type synthOptions struct {
	Arch, Out string
	Context   int
	Quant     quantOptions
	Weights   importer.Synthetic
}

func synthCommand() *cli.Command {
	return &cli.Command{
		Name:  "synth",
		Usage: "make a program of random weights, to measure with", UsageText: "zeroth synth --arch NAME --out FILE [flags]",
		Description: "Writes a program in the shape of a published model without its weights, so that speed\n" +
			"and memory can be measured where the model is not at hand. What it computes means\n" +
			"nothing. Text is read byte by byte: the first 256 token ids are the bytes.\n" +
			"Known are " + wrapped(importer.PublishedNames()) + ".",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "arch", Usage: "`NAME` of a published model"},
			&cli.StringFlag{Name: "out", Usage: "program `FILE` to write"},
			contextFlag(),
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "`SEED` of the weights"},
			&cli.IntFlag{Name: "layers", Usage: "shorten the model to its first `N` layers", DefaultText: "all of them"},
			&cli.BoolFlag{Name: "outliers", Usage: "give a few channels a large scale, as trained models have them", DisableDefaultText: true},
		}, quantFlags()...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			o := synthOptions{
				Arch: c.String("arch"), Out: c.String("out"), Quant: readQuant(c), Context: c.Int("context"),
				Weights: importer.Synthetic{Seed: c.Uint64("seed"), Layers: c.Int("layers"), Outliers: c.Bool("outliers")},
			}
			if c.IsSet("layers") && o.Weights.Layers < 1 {
				return usagef("--layers %d: must be at least 1", o.Weights.Layers)
			}
			return runSynth(c.Context, o, c.App.Writer, c.App.ErrWriter)
		},
	}
}

// wrapped lists names in lines of a help text.
func wrapped(names []string) string {
	var b strings.Builder
	width := len("Known are ")
	for i, name := range names {
		if i > 0 {
			b.WriteString(",")
			width += len(",")
			if width+1+len(name) > 85 {
				b.WriteString("\n")
				width = 0
			} else {
				b.WriteString(" ")
				width++
			}
		}
		b.WriteString(name)
		width += len(name)
	}
	return b.String()
}

func runSynth(ctx context.Context, o synthOptions, stdout, stderr io.Writer) error {
	if o.Arch == "" {
		return usagef("--arch is missing: one of %s", strings.Join(importer.PublishedNames(), ", "))
	}
	if err := checkOut(o.Out, "program file"); err != nil {
		return err
	}
	if err := o.Quant.apply(&model.Options{}); err != nil {
		return err
	}
	if o.Context < 0 {
		return usagef("--context %d: must be at least 1", o.Context)
	}
	checkpoint, err := importer.NewSynthetic(o.Arch, o.Weights)
	if err != nil {
		return withHint(usageError{err}, "known are "+strings.Join(importer.PublishedNames(), ", "))
	}
	m, report, err := buildModule(checkpoint, model.Options{Context: o.Context}, &o.Quant)
	if err != nil {
		return err
	}
	tok, data, err := tokenizer.Bytes(m.Meta["causal"] == "false")
	if err != nil {
		return err
	}
	m.Tokenizer = program.Tokenizer{Kind: string(tokenizer.ByteBPE), Data: data}
	m.Meta["bos_id"], m.Meta["eos_id"] = strconv.Itoa(int(tok.BOS())), strconv.Itoa(int(tok.EOS()))
	m.Meta[randomKey] = "true"
	fmt.Fprintln(stderr, "zeroth: notice: "+randomNotice)
	if err := writeModule(ctx, m, o.Out, defaultLoRA(), stdout, stderr); err != nil {
		return err
	}
	return report.print(stdout, o.Quant.Verbose)
}

// randomKey marks a program of made-up weights in its metadata.
const randomKey = "random_weights"

const randomNotice = "the weights are random: what this program computes means nothing"

// meansNothing reports whether a program's weights are made up.
func meansNothing(p *program.Program) bool {
	for _, m := range p.Meta {
		if m.Key == randomKey {
			return m.Value == "true"
		}
	}
	return false
}
