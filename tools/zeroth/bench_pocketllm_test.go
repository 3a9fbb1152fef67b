package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/tools/bench"
)

// Each program is made once for all its batches and removed afterwards; every
// step runs in a process of its own.
func TestPocketMeasure(t *testing.T) {
	folder := t.TempDir()
	kept := filepath.Join(folder, "opt-1.3b-i8.zpt")
	if err := os.WriteFile(kept, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var calls []string
	o := pocketOptions{
		Configs: bench.PocketConfigs(), Methods: bench.PocketMethods()[1:3], Folder: folder, Queries: 2, Tokens: 5,
		Progress: func(done, total int, what string) {},
	}
	o.zeroth = func(_ context.Context, args ...string) ([]byte, error) {
		calls = append(calls, strings.ReplaceAll(strings.Join(args, " "), folder+"/", ""))
		if args[0] == "synth" {
			return nil, os.WriteFile(args[len(args)-1], nil, 0o666)
		}
		if !isFile(args[2]) {
			t.Errorf("%s is not there", args[2])
		}
		return json.Marshal(stepReport{Step: bench.Step{Seconds: float64(len(calls))}})
	}
	report, err := o.measure(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	step := func(program, batch, more string) string {
		return "bench step " + program + " --alone --json --q 2 --batch " + batch + " --tokens 5 --threads 0 --seconds 0" + more
	}
	want := []string{
		"synth --arch roberta-large --quant bf16 --context 512 --out roberta-large-bf16.zpt",
		step("roberta-large-bf16.zpt", "8", " --params full"), step("roberta-large-bf16.zpt", "64", " --params full"),
		"synth --arch opt-1.3b --quant bf16 --context 512 --out opt-1.3b-bf16.zpt",
		step("opt-1.3b-bf16.zpt", "16", " --params full"),
		"synth --arch roberta-large --quant i8 --context 512 --out roberta-large-i8.zpt",
		step("roberta-large-i8.zpt", "8", ""), step("roberta-large-i8.zpt", "64", ""),
		step("opt-1.3b-i8.zpt", "16", ""),
	}
	if !slices.Equal(calls, want) {
		t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
	}
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || !slices.Equal(left, []string{kept}) {
		t.Errorf("left: %q, %v", left, err)
	}
	if len(report.Rows) != 6 || report.Rows[0].Step.Seconds != 2 || report.Rows[5].Method.Name != "i8" {
		t.Errorf("report: %+v", report)
	}
	var b strings.Builder
	if err := printPocket(&b, report); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"4.8, 4.6 GB", "about 1800", "LoRA, widened, 8-bit weights"} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("%q is not in\n%s", text, b.String())
		}
	}
}
