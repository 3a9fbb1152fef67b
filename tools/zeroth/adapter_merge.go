package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"zeroth/graph/importer"

	"github.com/urfave/cli/v2"
)

type adapterMergeOptions struct {
	Source          adapterSource
	Checkpoint, Out string
}

func adapterMergeCommand() *cli.Command {
	flags := append(adapterSourceFlags(),
		&cli.StringFlag{Name: "checkpoint", Usage: "`FOLDER` of the Hugging Face checkpoint that the adapter was trained on"},
		&cli.StringFlag{Name: "out", Usage: "new `FOLDER` for the merged checkpoint"})
	return &cli.Command{
		Name: "merge", Usage: "write a checkpoint with an adapter in its weights",
		UsageText: "zeroth adapter merge --checkpoint FOLDER --run FOLDER --out FOLDER\nzeroth adapter merge --checkpoint FOLDER --adapter FOLDER --out FOLDER",
		Description: "Each adapted weight becomes W + alpha/r B A, rounded to the type it is stored in (16-bit\n" +
			"weights lose a little of the adapter). Shards, config and tokenizer stay as they are. It\n" +
			"takes little memory, and the new folder appears when it is whole.",
		Flags: flags,
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			o := adapterMergeOptions{Source: readAdapterSource(c), Checkpoint: c.String("checkpoint"), Out: c.String("out")}
			return runAdapterMerge(c.Context, o, c.App.Writer, c.App.ErrWriter)
		},
	}
}

func (o *adapterMergeOptions) check() error {
	if err := o.Source.check(); err != nil {
		return err
	}
	switch {
	case o.Checkpoint == "":
		return usagef("--checkpoint is missing: the folder to merge the adapter into")
	case o.Out == "":
		return usagef("--out is missing: the folder for the merged checkpoint")
	}
	if _, err := os.Lstat(o.Out); err == nil {
		return withHint(usagef("--out %s: is there already", o.Out), "name a new folder")
	}
	return nil
}

func runAdapterMerge(ctx context.Context, o adapterMergeOptions, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	a, folder, err := o.Source.read()
	if err != nil {
		return err
	}
	products := make([]importer.LowRank, len(a.Sites))
	for i, site := range a.Sites {
		products[i] = importer.LowRank{
			Module: site.Module, Out: site.Out, In: site.In, Rank: a.Rank, Scale: a.Scale(), A: a.A[i], B: a.B[i],
		}
	}
	bar := newByteBar(stderr, "merging")
	left, err := importer.Merge(ctx, o.Checkpoint, o.Out, products, bar.set)
	bar.finish()
	if errors.Is(err, importer.ErrMismatch) {
		err = withHint(err, fmt.Sprintf("zeroth adapter inspect %s lists what it changes, and names its model", folder))
	}
	if err != nil {
		return err
	}
	if len(left) > 0 {
		fmt.Fprintf(stderr, "zeroth: notice: not copied, being no part of the checkpoint: %s\n", strings.Join(left, ", "))
	}
	_, err = fmt.Fprintf(stdout, "%s: %s with %s in %d weights (rank %d, alpha %g)\n", o.Out, o.Checkpoint, folder, len(a.Sites), a.Rank, a.Alpha)
	return err
}
