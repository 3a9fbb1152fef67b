package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/graph/pass"
	"zeroth/internal/bytesize"
	"zeroth/mpzo/tokenizer"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

type exportOptions struct {
	From, Out, Tokenizer string
	Context              int
	MeanChoices          bool
	Quant                quantOptions
	LoRA                 pass.LoRA
}

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "turn a checkpoint into a program (.zpt)", UsageText: "zeroth export --from PATH --out FILE [flags]",
		Description: "Reads a Hugging Face folder (config.json and safetensors), a .gguf file (llama, qwen2,\n" +
			"qwen3 or gpt2) or a llama2.c .bin file, and writes one program file with the weights,\n" +
			"the tokenizer and the methods forward, losses and update. The LoRA flags set what\n" +
			"zeroth train starts from; it can change them.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "`PATH` of the checkpoint: a folder, a .gguf or a llama2.c .bin"},
			&cli.StringFlag{Name: "out", Usage: "program `FILE` to write"},
			&cli.StringFlag{Name: "tokenizer", Usage: "tokenizer `FILE` or folder: SentencePiece .model, tokenizer.json, vocab.json with merges.txt, tiktoken ranks or llama2.c tokenizer.bin", DefaultText: "the one in the checkpoint or its folder"},
			contextFlag(),
			&cli.BoolFlag{Name: "mean-choices", Usage: "score candidates by the mean of their token losses instead of the sum", DisableDefaultText: true},
		}, append(quantFlags(), loraFlags()...)...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			o := exportOptions{
				From: c.String("from"), Out: c.String("out"), Tokenizer: c.String("tokenizer"), Quant: readQuant(c),
				Context: c.Int("context"), MeanChoices: c.Bool("mean-choices"), LoRA: defaultLoRA(),
			}
			if err := applyLoRAFlags(c, &o.LoRA); err != nil {
				return err
			}
			return runExport(c.Context, o, c.App.Writer, c.App.ErrWriter)
		},
	}
}

func contextFlag() cli.Flag {
	return &cli.IntFlag{Name: "context", Usage: "longest sequence in `TOKENS`", DefaultText: "the model's own limit, at most 4096"}
}

func (o *exportOptions) check() error {
	if o.From == "" {
		return usagef("--from is missing: the checkpoint to export")
	}
	if err := checkOut(o.Out, "program file"); err != nil {
		return err
	}
	switch {
	case o.overwritesCheckpoint():
		return usagef("--out %s: is a file of the checkpoint", o.Out)
	case o.Context < 0:
		return usagef("--context %d: must be at least 1", o.Context)
	}
	return nil
}

func runExport(ctx context.Context, o exportOptions, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := o.Quant.apply(&model.Options{}); err != nil { // before anything is read
		return err
	}
	checkpoint, err := importer.Open(o.From)
	if err != nil && filepath.Ext(o.From) == ".zpt" {
		return withHint(usagef("--from %s: is a program already, and export reads checkpoints", o.From), "name the model that it was made from")
	}
	if err != nil {
		return err
	}
	defer checkpoint.Close()
	m, report, err := buildModule(checkpoint, model.Options{Context: o.Context, MeanChoices: o.MeanChoices}, &o.Quant)
	if err != nil {
		return err
	}
	if err := o.addTokenizer(m, checkpoint, stderr); err != nil {
		return err
	}
	if err := writeModule(ctx, m, o.Out, o.LoRA, stdout, stderr); err != nil {
		return err
	}
	return report.print(stdout, o.Quant.Verbose)
}

// buildModule builds a checkpoint's model and says where it is from. The report
// is filled as the module is written.
func buildModule(checkpoint importer.Checkpoint, o model.Options, q *quantOptions) (*graph.Module, *quantReport, error) {
	if longest := checkpoint.Config().MaxPositions; o.Context > longest {
		return nil, nil, usagef("--context %d: the model was made for at most %d positions", o.Context, longest)
	}
	report := &quantReport{}
	o.Quantised = report.add
	if err := q.apply(&o); err != nil {
		return nil, nil, err
	}
	m, err := model.Build(checkpoint, o)
	if err != nil {
		return nil, nil, err
	}
	m.Meta["source"] = checkpoint.Source()
	return m, report, checkRules(o.Rules, m)
}

// writeModule puts LoRA into a module, writes its program at path and says so.
func writeModule(ctx context.Context, m *graph.Module, path string, lora pass.LoRA, stdout, stderr io.Writer) error {
	if err := pass.InsertLoRA(m, lora); err != nil {
		return usageError{err}
	}
	p, err := m.Lower()
	if err != nil {
		return err
	}
	bar := newByteBar(stderr, "exporting")
	err = program.WriteStream(path, p, constantSource(ctx, m), bar.set)
	bar.finish()
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %s, %d constants, %d LoRA sites (rank %d), %s\n",
		path, m.Meta["source"], len(p.Constants), len(p.Slots)/2, lora.Rank, bytesize.Format(info.Size()))
	return err
}

// overwritesCheckpoint reports whether --out names what is read.
func (o *exportOptions) overwritesCheckpoint() bool {
	out, err := os.Stat(o.Out)
	if err != nil {
		return false
	}
	inputs := []string{o.From, o.Tokenizer}
	if entries, err := os.ReadDir(o.From); err == nil {
		for _, e := range entries {
			inputs = append(inputs, filepath.Join(o.From, e.Name()))
		}
	}
	return slices.ContainsFunc(inputs, func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && os.SameFile(info, out)
	})
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// constantSource writes the constants until ctx ends.
func constantSource(ctx context.Context, m *graph.Module) program.Source {
	return func(i int, w io.Writer) error { return m.Constants[i].Write(endingWriter{ctx, w}) }
}

// endingWriter is a writer that fails once its context has ended.
type endingWriter struct {
	ctx context.Context
	io.Writer
}

func (w endingWriter) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Writer.Write(b)
}

// addTokenizer puts the tokenizer into the module: the one that was named, or
// the one within the checkpoint, or else one that lies in the checkpoint's folder.
func (o *exportOptions) addTokenizer(m *graph.Module, checkpoint importer.Checkpoint, stderr io.Writer) error {
	path := o.Tokenizer
	var tok tokenizer.Tokenizer
	var kind tokenizer.Kind
	var data []byte
	err := tokenizer.ErrNoTokenizer
	if path == "" {
		path = o.From
		tok, kind, data, err = innerTokenizer(checkpoint)
	}
	if errors.Is(err, tokenizer.ErrNoTokenizer) {
		if info, statErr := os.Stat(path); o.Tokenizer == "" && statErr == nil && !info.IsDir() {
			path = filepath.Dir(path)
		}
		tok, kind, data, err = tokenizer.Open(path)
	}
	missing := errors.Is(err, tokenizer.ErrNoTokenizer) || errors.Is(err, tokenizer.ErrUnsupported)
	if o.Tokenizer == "" && missing {
		fmt.Fprintf(stderr, "zeroth: notice: exported without a tokenizer (%v): the program takes token ids only; --tokenizer FILE gives it one\n", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("tokenizer: %w", err)
	}
	if vocab := checkpoint.Config().VocabSize; tok.VocabSize() > vocab {
		return withHint(fmt.Errorf("tokenizer %s has %d pieces, the model's vocabulary only %d", path, tok.VocabSize(), vocab),
			"give the tokenizer that was made for this model")
	}
	m.Tokenizer = program.Tokenizer{Kind: string(kind), Data: data}
	return nil
}
