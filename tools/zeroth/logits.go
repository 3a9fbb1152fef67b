package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"zeroth/internal/atomicfile"

	"github.com/urfave/cli/v2"
)

type logitsOptions struct {
	Program, IDs, Out, Adapter string
	Engine                     engine
}

func logitsCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "ids", Usage: "token `IDS`, separated by commas: 1,403,407"},
		&cli.StringFlag{Name: "out", Usage: "`FILE` to write: float32, little endian, [positions, vocabulary]"},
		&cli.StringFlag{Name: "adapter", Usage: "use the PEFT adapter in `FOLDER`"},
	}
	return &cli.Command{
		Name: "logits", Usage: "write the logits of every position, to compare with other engines",
		UsageText: "zeroth logits PROGRAM --ids IDS --out FILE [flags]", Flags: append(flags, engineFlags()...),
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "PROGRAM")
			if err != nil {
				return err
			}
			o := logitsOptions{Program: path, IDs: c.String("ids"), Out: c.String("out"), Adapter: c.String("adapter")}
			if o.Engine, err = readEngine(c); err != nil {
				return err
			}
			return runLogits(c.Context, o, c.App.Writer)
		},
	}
}

func runLogits(ctx context.Context, o logitsOptions, stdout io.Writer) error {
	if o.IDs == "" {
		return usagef("--ids is missing: the token ids to run")
	}
	if err := checkOut(o.Out, "file"); err != nil {
		return err
	}
	if err := refuseOverwriting(o.Out, o.Program, filepath.Join(filepath.Dir(o.Out), journalName)); err != nil {
		return err
	}
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	vocab, err := metaInt(file.Program, "vocab_size")
	if err != nil {
		return err
	}
	ids, err := parseIDs(o.IDs, vocab)
	if err != nil {
		return err
	}
	if err := checkContext(file.Program, len(ids)); err != nil {
		return err
	}
	f, err := newForwarder(file.Program, o.Adapter, o.Engine, len(ids), len(ids))
	if err != nil {
		return err
	}
	defer f.session.Close()
	rows := make([]int32, len(ids))
	for i := range rows {
		rows[i] = int32(i)
	}
	logits, err := f.logits(ctx, ids, rows)
	if err != nil {
		return err
	}
	if err := writeFloats(o.Out, logits); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d positions × %d logits\n", o.Out, len(ids), f.vocab)
	return err
}

func writeFloats(path string, values []float32) error {
	return atomicfile.Write(path, func(file *os.File) error {
		w := bufio.NewWriter(file)
		if err := binary.Write(w, binary.LittleEndian, values); err != nil {
			return err
		}
		return w.Flush()
	})
}
