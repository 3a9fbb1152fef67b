package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"zeroth/mpzo/adapter"
	"zeroth/runtime/op"

	"github.com/urfave/cli/v2"
)

type adapterInspectOptions struct {
	Folder, Program string
	JSON            bool
}

func adapterInspectCommand() *cli.Command {
	return &cli.Command{
		Name: "inspect", Usage: "show what an adapter changes, and by how much", UsageText: "zeroth adapter inspect FOLDER [flags]",
		Description: "The last column is the Frobenius norm of what is added to the weight, alpha/r B A.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "program", Usage: "check that it fits the program `FILE`"},
			&cli.BoolFlag{Name: "json", Usage: "print it as JSON", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			folder, err := oneArgument(c, "FOLDER")
			if err != nil {
				return err
			}
			return runAdapterInspect(adapterInspectOptions{Folder: folder, Program: c.String("program"), JSON: c.Bool("json")}, c.App.Writer)
		},
	}
}

func runAdapterInspect(o adapterInspectOptions, stdout io.Writer) error {
	a, err := readAdapter(o.Folder)
	if err != nil {
		return err
	}
	if o.Program != "" {
		file, err := openProgram(o.Program)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := checkFits(a, o.Folder, file.Program); err != nil {
			return err
		}
	}
	d := describeAdapter(a)
	if o.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(d)
	}
	return printAdapter(stdout, o, d)
}

// adapterDescription is the JSON form of an adapter.
type adapterDescription struct {
	Base   string                   `json:"base,omitempty"`
	Rank   int                      `json:"rank"`
	Alpha  float64                  `json:"alpha"`
	Scale  float64                  `json:"scale"`
	Values int                      `json:"values"`
	Sites  []adapterSiteDescription `json:"sites"`
}

type adapterSiteDescription struct {
	Module string   `json:"module"`
	Out    int      `json:"out"`
	In     int      `json:"in"`
	Norm   *float64 `json:"norm,omitempty"`
}

func describeAdapter(a *adapter.Adapter) adapterDescription {
	d := adapterDescription{Base: a.Base, Rank: a.Rank, Alpha: a.Alpha, Scale: a.Scale()}
	for i, site := range a.Sites {
		d.Values += len(a.A[i]) + len(a.B[i])
		s := adapterSiteDescription{Module: site.Module, Out: site.Out, In: site.In}
		if a.Rank <= op.MaxRankLoRA { // its time grows with the square of the rank
			norm := a.Norm(i)
			s.Norm = &norm
		}
		d.Sites = append(d.Sites, s)
	}
	return d
}

func printAdapter(stdout io.Writer, o adapterInspectOptions, d adapterDescription) error {
	var b strings.Builder
	fmt.Fprintln(&b, o.Folder)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	base := d.Base
	if base == "" {
		base = "not named"
	}
	fmt.Fprintf(w, "├─ base\t%s\n", base)
	fmt.Fprintf(w, "├─ rank\t%d, alpha %g: scale %.6g\n", d.Rank, d.Alpha, d.Scale)
	if o.Program != "" {
		fmt.Fprintf(w, "├─ fits\t%s\n", o.Program)
	}
	fmt.Fprintf(w, "└─ sites\t%d, %d values\n", len(d.Sites), d.Values)
	for _, s := range d.Sites {
		norm := "-"
		if s.Norm != nil {
			norm = fmt.Sprintf("%.4g", *s.Norm)
		}
		fmt.Fprintf(w, "     %s\t[%d, %d]\t%s\n", s.Module, s.Out, s.In, norm)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}
