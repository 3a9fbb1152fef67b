package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"zeroth/mpzo/tokenizer"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

type generateOptions struct {
	Program, Prompt, IDs, Adapter string
	MaxNew                        int
	Sampling                      sampling
	Engine                        engine
}

func runCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "prompt", Usage: "`TEXT` to go on from"},
		&cli.StringFlag{Name: "ids", Usage: "token `IDS` to go on from, instead of --prompt; prints ids"},
		&cli.StringFlag{Name: "adapter", Usage: "use the PEFT adapter in `FOLDER`"},
		&cli.IntFlag{Name: "max-new", Usage: "most `TOKENS` to generate", Value: 64},
		&cli.Float64Flag{Name: "temperature", Usage: "randomness `T`; 0 always takes the likeliest token"},
		&cli.Float64Flag{Name: "top-p", Usage: "sample among the likeliest tokens of this total `PROBABILITY`", Value: 1},
		&cli.Uint64Flag{Name: "seed", Usage: "`SEED` of the sampling", DefaultText: "0"},
	}
	return &cli.Command{
		Name: "run", Usage: "generate text, with an adapter or without", UsageText: "zeroth run PROGRAM --prompt TEXT [flags]\nzeroth run PROGRAM --ids IDS [flags]",
		Flags: append(flags, engineFlags()...),
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "PROGRAM")
			if err != nil {
				return err
			}
			o := generateOptions{
				Program: path, Prompt: c.String("prompt"), IDs: c.String("ids"), Adapter: c.String("adapter"), MaxNew: c.Int("max-new"),
				Sampling: sampling{Temperature: c.Float64("temperature"), TopP: c.Float64("top-p"), Seed: c.Uint64("seed")},
			}
			if o.Engine, err = readEngine(c); err != nil {
				return err
			}
			if c.IsSet("prompt") == c.IsSet("ids") {
				return usagef("give either --prompt or --ids")
			}
			return runGenerate(c.Context, o, c.App.Writer)
		},
	}
}

func (o *generateOptions) check() error {
	switch {
	case !utf8.ValidString(o.Prompt):
		return usagef("--prompt is not UTF-8: is the terminal set to another encoding?")
	case o.MaxNew < 1:
		return usagef("--max-new %d: must be at least 1", o.MaxNew)
	case !(o.Sampling.Temperature >= 0 && o.Sampling.Temperature <= 100):
		return usagef("--temperature %g: must be 0 to 100", o.Sampling.Temperature)
	case !(o.Sampling.TopP > 0 && o.Sampling.TopP <= 1):
		return usagef("--top-p %g: must be above 0 and at most 1", o.Sampling.TopP)
	}
	return nil
}

func runGenerate(ctx context.Context, o generateOptions, stdout io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	if isMasked(file.Program) {
		return fmt.Errorf("%s is a masked language model: it sees both sides of a token and does not go on with a text", o.Program)
	}
	ids, printer, err := o.start(file.Program, stdout)
	if errors.Is(err, errNoTokenizer) {
		return withHint(err, "give token ids with --ids, or export it again with --tokenizer FILE")
	}
	if err != nil {
		return err
	}
	if err := checkContext(file.Program, len(ids)); err != nil {
		return err
	}
	context, err := metaInt(file.Program, "context")
	if err != nil {
		return err
	}
	eos, err := metaInt(file.Program, "eos_id")
	if err != nil {
		return err
	}
	most := len(ids) + min(o.MaxNew, context-len(ids))
	f, err := newForwarder(file.Program, o.Adapter, o.Engine, most, 1)
	if err != nil {
		return err
	}
	defer f.session.Close()
	if err := printer.prompt(ids); err != nil {
		return err
	}
	for len(ids) < most {
		logits, err := f.logits(ctx, ids, []int32{int32(len(ids) - 1)})
		if err != nil {
			return err
		}
		next := o.Sampling.pick(logits, uint64(len(ids)))
		if int(next) == eos {
			break
		}
		ids = append(ids, next)
		if err := printer.token(next); err != nil {
			return err
		}
	}
	return printer.end()
}

// start gives the ids to go on from and what prints those that follow.
func (o *generateOptions) start(p *program.Program, stdout io.Writer) ([]int32, printer, error) {
	if o.IDs != "" {
		vocab, err := metaInt(p, "vocab_size")
		if err != nil {
			return nil, nil, err
		}
		ids, err := parseIDs(o.IDs, vocab)
		return ids, &idPrinter{out: stdout}, err
	}
	tok, err := programTokenizer(p)
	if err != nil {
		return nil, nil, err
	}
	var ids []int32
	if tok.BOS() >= 0 {
		ids = append(ids, tok.BOS())
	}
	ids = append(ids, tok.Encode(o.Prompt)...)
	if len(ids) == 0 {
		return nil, nil, usagef("--prompt is empty and the vocabulary has no token that begins a text")
	}
	return ids, &textPrinter{out: stdout, decoder: tok.NewDecoder()}, nil
}

// printer shows generated tokens as they come.
type printer interface {
	prompt(ids []int32) error // what they go on from
	token(id int32) error
	end() error
}

type textPrinter struct {
	out     io.Writer
	decoder *tokenizer.Decoder
}

func (p *textPrinter) prompt(ids []int32) error {
	for _, id := range ids {
		if err := p.token(id); err != nil {
			return err
		}
	}
	return nil
}

func (p *textPrinter) token(id int32) error {
	_, err := io.WriteString(p.out, p.decoder.Next(id))
	return err
}

func (p *textPrinter) end() error {
	_, err := io.WriteString(p.out, p.decoder.Flush()+"\n")
	return err
}

type idPrinter struct {
	out io.Writer
	ids []string
}

func (p *idPrinter) prompt([]int32) error { return nil }

func (p *idPrinter) token(id int32) error {
	p.ids = append(p.ids, fmt.Sprint(id))
	return nil
}

func (p *idPrinter) end() error {
	_, err := fmt.Fprintln(p.out, strings.Join(p.ids, ","))
	return err
}
