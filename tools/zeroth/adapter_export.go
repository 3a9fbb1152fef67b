package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"zeroth/internal/bytesize"
	"zeroth/mpzo/adapter"

	"github.com/urfave/cli/v2"
)

type adapterExportOptions struct {
	Source                     adapterSource
	Program, Format, Type, Out string
}

func adapterExportCommand() *cli.Command {
	flags := append(adapterSourceFlags(),
		&cli.StringFlag{Name: "program", Usage: "`FILE` of the program of the adapter's model", DefaultText: "the run's"},
		&cli.StringFlag{Name: "format", Value: "gguf", Usage: "`FORMAT` to write: gguf, for llama.cpp"},
		&cli.StringFlag{Name: "type", Value: "f32", Usage: "`TYPE` of the values: f32 or f16"},
		&cli.StringFlag{Name: "out", Usage: "`FILE` to write"})
	return &cli.Command{
		Name: "export", Usage: "write an adapter for llama.cpp",
		UsageText: "zeroth adapter export --run FOLDER --out FILE.gguf [flags]\nzeroth adapter export --adapter FOLDER --program PROGRAM --out FILE.gguf [flags]",
		Description: "The file goes beside any GGUF of the same base model, quantised or not:\n" +
			"  llama-cli -m MODEL.gguf --lora FILE.gguf\n" +
			"Of the models that Zeroth trains, llama.cpp runs Llama, Qwen2, Qwen3 and GPT-2. For\n" +
			"others, zeroth adapter merge writes a checkpoint with the adapter in its weights.",
		Flags: flags,
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return runAdapterExport(adapterExportOptions{
				Source: readAdapterSource(c), Program: c.String("program"), Format: c.String("format"),
				Type: c.String("type"), Out: c.String("out"),
			}, c.App.Writer)
		},
	}
}

func runAdapterExport(o adapterExportOptions, stdout io.Writer) error {
	if err := o.Source.check(); err != nil {
		return err
	}
	kind, known := map[string]adapter.GGUFType{"f32": adapter.GGUFF32, "f16": adapter.GGUFF16}[o.Type]
	switch {
	case o.Format == "peft":
		return withHint(usagef("--format peft: an adapter is PEFT as it is"), "copy its folder")
	case o.Format != "gguf":
		return usagef("--format %q: gguf is known", o.Format)
	case !known:
		return usagef("--type %q: f32 and f16 are known", o.Type)
	}
	if err := checkOut(o.Out, "file"); err != nil {
		return err
	}
	a, folder, err := o.Source.read()
	if err != nil {
		return err
	}
	file, path, err := o.Source.program(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	precious := append(runFiles(filepath.Dir(folder)), filepath.Join(folder, "adapter_config.json"), filepath.Join(folder, "adapter_model.safetensors"), path)
	if err := refuseOverwriting(o.Out, precious...); err != nil {
		return err
	}
	if err := checkFits(a, folder, file.Program); err != nil {
		return err
	}
	headDim, err := metaInt(file.Program, "head_dim")
	if err != nil {
		return err
	}
	architecture, _ := file.Program.Lookup("arch")
	if err := adapter.WriteGGUF(o.Out, a, adapter.Base{Architecture: architecture, HeadDim: headDim}, kind); err != nil {
		return err
	}
	info, err := os.Stat(o.Out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %s for llama.cpp, %s, %d sites (rank %d, alpha %g), %s\n",
		o.Out, folder, architecture, len(a.Sites), a.Rank, a.Alpha, bytesize.Format(info.Size()))
	return err
}
