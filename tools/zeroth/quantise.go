package main

import (
	"fmt"
	"io"
	"path"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"

	"zeroth/graph"
	"zeroth/graph/model"
	"zeroth/internal/bytesize"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"

	"github.com/urfave/cli/v2"
)

// quantOptions say which element types weight matrices get.
type quantOptions struct {
	Type    string
	Rules   []string // PATTERN=TYPE
	Verbose bool     // report on each tensor, not on each type
}

func quantFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "quant", Value: "f32", Usage: "weight `TYPE`: " + quantNames() + "; with those of 4 bits the embedding and the head are i8"},
		&cli.StringSliceFlag{Name: "quant-rule", Usage: "`PATTERN=TYPE`: another type for the matrices whose names match, such as 'lm_head.*=bf16' or '*.down_proj.weight=i8'; the first rule that matches counts; can be given several times"},
		&cli.BoolFlag{Name: "quant-report", Usage: "print what each matrix loses, not only each type", DisableDefaultText: true},
	}
}

func readQuant(c *cli.Context) quantOptions {
	return quantOptions{Type: c.String("quant"), Rules: c.StringSlice("quant-rule"), Verbose: c.Bool("quant-report")}
}

// quantNames are the names of the weight types: "f32, bf16, i8, nf4 or q4".
func quantNames() string {
	var names []string
	for _, d := range op.WeightTypes() {
		names = append(names, d.String())
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// apply sets what model.Options has of it.
func (q *quantOptions) apply(o *model.Options) error {
	weightType := func(name, where string) (op.DType, error) {
		d, err := op.ParseDType(name)
		if err != nil || !d.Weight() {
			return 0, usagef("%s: want %s", where, quantNames())
		}
		return d, nil
	}
	var err error
	if o.Weights, err = weightType(q.Type, fmt.Sprintf("--quant %q", q.Type)); err != nil {
		return err
	}
	for _, rule := range q.Rules {
		pattern, name, ok := strings.Cut(rule, "=")
		if !ok || pattern == "" {
			return usagef("--quant-rule %q: want PATTERN=TYPE, such as 'lm_head.*=i8'", rule)
		}
		d, err := weightType(name, fmt.Sprintf("--quant-rule %q", rule))
		if err != nil {
			return err
		}
		if _, err := path.Match(pattern, ""); err != nil {
			return usagef("--quant-rule %q: %w", rule, err)
		}
		o.Rules = append(o.Rules, model.Rule{Pattern: pattern, Type: d})
	}
	return nil
}

// checkRules refuses a rule that is for no weight matrix of the module: a misspelt one.
func checkRules(rules []model.Rule, m *graph.Module) error {
	for _, r := range rules {
		matches := func(c *graph.Constant) bool {
			matched, _ := path.Match(r.Pattern, c.Name)
			return matched && c.Type.Layout == op.Panels16
		}
		if !slices.ContainsFunc(m.Constants, matches) {
			return withHint(usagef("--quant-rule %s=%s: no matrix has such a name", r.Pattern, r.Type),
				"zeroth inspect lists the names, such as model.layers.0.mlp.down_proj.weight; * stands for any part of one")
		}
	}
	return nil
}

// quantReport collects what matrices lose by their types.
type quantReport struct {
	rows []quantRow
}

// quantRow is a line of the report: a matrix, or all of one type.
type quantRow struct {
	name     string
	matrices int
	dtype    op.DType
	bytes    int64
	lost     quant.Error
	worst    string // the matrix that lost most
	relative float64
}

func (r *quantReport) add(name string, t op.Type, lost quant.Error) {
	panels := t.Panels()
	r.rows = append(r.rows, quantRow{name, 1, t.DType, panels.Bytes, lost, name, lost.Relative()})
}

// print writes a table of the types, or of every matrix.
func (r *quantReport) print(w io.Writer, verbose bool) error {
	if len(r.rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if verbose {
		fmt.Fprintln(table, "matrix\ttype\tsize\trelative error\tlargest error")
		for _, row := range r.rows {
			fmt.Fprintf(table, "%s\t%s\t%s\t%.3g\t%.3g\n", row.name, row.dtype, bytesize.Format(row.bytes), row.relative, row.lost.Largest)
		}
		return table.Flush()
	}
	fmt.Fprintln(table, "type\tmatrices\tsize\trelative error\tworst matrix")
	for _, row := range r.byType() {
		fmt.Fprintf(table, "%s\t%d\t%s\t%.3g\t%s (%.3g)\n", row.dtype, row.matrices, bytesize.Format(row.bytes), row.lost.Relative(), row.worst, row.relative)
	}
	return table.Flush()
}

func (r *quantReport) byType() []quantRow {
	types := make(map[op.DType]*quantRow)
	for _, row := range r.rows {
		sum := types[row.dtype]
		if sum == nil {
			sum = &quantRow{dtype: row.dtype, relative: -1}
			types[row.dtype] = sum
		}
		sum.matrices++
		sum.bytes += row.bytes
		sum.lost.Add(row.lost)
		if row.relative > sum.relative {
			sum.worst, sum.relative = row.name, row.relative
		}
	}
	var list []quantRow
	for _, row := range types {
		list = append(list, *row)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].dtype < list[j].dtype })
	return list
}
