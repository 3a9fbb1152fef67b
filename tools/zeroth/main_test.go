package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"zeroth/internal/testdata"
	"zeroth/kernels/opencl"
	"zeroth/kernels/vulkan"
	"zeroth/kernels/vulkan/vk"
	"zeroth/mpzo/journal"
	"zeroth/runtime/platform"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts call the tool as "zeroth": the test binary is its
// own command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"zeroth": main})
}

// TestScripts runs testdata/*.txtar. Beside testscript's own commands they have
//
//	exits CODE COMMAND…   runs a command that must end with that exit code
//	jsonlines             every line of the last output is a JSON object
//	json                  the last output is one JSON value
//	cut FILE BYTES        takes bytes off a file's end
//	flip FILE OFFSET      changes the byte there; a negative offset counts from the end
//	evaluated LOG STEP FILE  the loss after that step, in what train --json printed,
//	                      is that in FILE, by eval --json
//	losses FILE FILE REL  the losses of all steps in what two runs of train --json printed
//	                      differ by that share at most
//	vocabulary DIR WORD…  writes a RoBERTa vocabulary of 300 tokens, these words among them
//
// the variables $MODEL (the bundled model), $REMARKS (its data), $HEADERS (that of
// plug-ins) and, where the
// condition [shared] holds, $SHARED (see testdata.Shared), and the condition
// [cpu0]: threads can be held to CPU 0; [vulkan]: Vulkan lists a device that can be
// used; [vulkan-validation]: its validation layer is installed.
func TestScripts(t *testing.T) {
	t.Parallel() // scripts and the tests on a phone fill each other's waits
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("MODEL", absolutePath(t, testdata.Repo("third_party/reviews-1m")))
			env.Setenv("REMARKS", absolutePath(t, testdata.Repo("examples/remarks")))
			env.Setenv("HEADERS", absolutePath(t, testdata.Repo("kernels/plugin")))
			env.Setenv("SHARED", sharedData(t))
			keepDriverCaches(env)
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "shared":
				return sharedData(t) != "", nil
			case "cpu0":
				return platform.CPUs{0}.Check() == nil, nil
			case "vulkan":
				list := vulkanDevices(vulkan.Arithmetic{})
				return len(list) > 0 && list[0].Backend != "", nil
			case "vulkan-f16":
				list := vulkanDevices(vulkan.Arithmetic{})
				return len(list) > 0 && list[0].Backend != "" && list[0].Can.(vk.Features).FP16Storage, nil
			case "vulkan-validation":
				instance, err := vk.Open(vk.Options{Validate: true})
				if err == nil {
					instance.Close()
				}
				return err == nil, nil
			case "opencl":
				list := openclDevices(opencl.Arithmetic{})
				return len(list) > 0 && list[0].Backend != "", nil
			}
			return false, errors.New("no condition " + strconv.Quote(name))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "jsonlines": jsonLines, "json": oneJSON, "cut": cutFile, "flip": flipByte, "renumber": renumberSite,
			"vocabulary": writeVocabulary, "evaluated": sameLoss, "losses": closeLosses,
		},
	})
}

func absolutePath(t *testing.T, path string) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

// keepDriverCaches lets scripts find what PoCL and Mesa have compiled before, for
// minutes, though their home is another.
func keepDriverCaches(env *testscript.Env) {
	cache, err := os.UserCacheDir()
	for name, folder := range map[string]string{"POCL_CACHE_DIR": filepath.Join(cache, "pocl", "kcache"), "MESA_SHADER_CACHE_DIR": cache} {
		if given, set := os.LookupEnv(name); set {
			env.Setenv(name, given)
		} else if err == nil {
			env.Setenv(name, folder)
		}
	}
}

// sharedData is the folder of shared models, or "" where there is none.
func sharedData(t *testing.T) string {
	folder := os.Getenv("ZEROTH_SHARED")
	if folder == "" {
		folder = absolutePath(t, testdata.Repo("../shared/data"))
	}
	if !isFolder(filepath.Join(folder, "models")) {
		return ""
	}
	return folder
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if message := ts.ReadFile("stderr"); strings.Contains(message, "goroutine ") {
		ts.Fatalf("a stack trace is shown")
	}
}

func jsonLines(ts *testscript.TestScript, _ bool, _ []string) {
	text := strings.TrimSuffix(ts.ReadFile("stdout"), "\n")
	for i, line := range strings.Split(text, "\n") {
		if err := json.Unmarshal([]byte(line), &map[string]any{}); err != nil {
			ts.Fatalf("line %d is not a JSON object: %v", i+1, err)
		}
	}
}

func oneJSON(ts *testscript.TestScript, _ bool, _ []string) {
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
}

func cutFile(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	info, err := os.Stat(path)
	ts.Check(err)
	ts.Check(os.Truncate(path, info.Size()-n))
}

// renumberSite writes a journal again as one of a run whose first site had another
// number.
func renumberSite(ts *testscript.TestScript, _ bool, args []string) {
	log, err := journal.Read(ts.MkAbs(args[0]))
	ts.Check(err)
	log.Header.Sites[0].ID += 1000
	w, err := journal.Create(ts.MkAbs(args[1]), log.Header)
	ts.Check(err)
	for _, step := range log.Steps {
		ts.Check(w.Step(step))
	}
	ts.Check(w.Close())
}

func flipByte(ts *testscript.TestScript, _ bool, args []string) {
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	raw, err := os.ReadFile(path)
	ts.Check(err)
	if at < 0 {
		at += len(raw)
	}
	raw = bytes.Clone(raw)
	raw[at] ^= 0xA5
	ts.Check(os.WriteFile(path, raw, 0o666))
}

// sameLoss holds an evaluation of a run against one by eval.
func sameLoss(ts *testscript.TestScript, _ bool, args []string) {
	type event struct {
		Event string
		Step  int
		Loss  float64
	}
	step, err := strconv.Atoi(args[1])
	ts.Check(err)
	var want event
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[2])), &want))
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var have event
		ts.Check(json.Unmarshal([]byte(line), &have))
		if have.Event != "eval" || have.Step != step {
			continue
		}
		if have.Loss != want.Loss {
			ts.Fatalf("the loss after step %d is %g in %s, and %g in %s", step, have.Loss, args[0], want.Loss, args[2])
		}
		return
	}
	ts.Fatalf("%s has no evaluation after step %d", args[0], step)
}

// closeLosses holds the losses of a run against those of another.
func closeLosses(ts *testscript.TestScript, _ bool, args []string) {
	limit, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	var losses [2][]float64
	for i := range losses {
		for line := range strings.Lines(ts.ReadFile(args[i])) {
			var event struct {
				Event string
				Loss  float64
			}
			ts.Check(json.Unmarshal([]byte(line), &event))
			if event.Event == "step" {
				losses[i] = append(losses[i], event.Loss)
			}
		}
	}
	if len(losses[0]) == 0 || len(losses[0]) != len(losses[1]) {
		ts.Fatalf("%d steps in %s, %d in %s", len(losses[0]), args[0], len(losses[1]), args[1])
	}
	for i, want := range losses[0] {
		if have := losses[1][i]; !(math.Abs(have-want) <= limit*math.Abs(want)) {
			ts.Fatalf("the loss of step %d is %g in %s, and %g in %s", i+1, want, args[0], have, args[1])
		}
	}
}

// writeVocabulary writes vocab.json and merges.txt as RoBERTa has them: bytes,
// and for each word the merges that make one token of it.
func writeVocabulary(ts *testscript.TestScript, _ bool, args []string) {
	tokens := []string{"<s>", "<pad>", "</s>", "<unk>"}
	shown := 256 // bytes that are no printable letter are spelt by letters from here
	letters := map[byte]string{}
	for b := range 256 {
		letter := string(rune(b))
		if b <= ' ' || b >= 127 && b <= 160 || b == 173 {
			letter = string(rune(shown))
			shown++
		}
		letters[byte(b)] = letter
		tokens = append(tokens, letter)
	}
	merges := []string{"#version: 0.2"}
	for _, word := range args[1:] {
		whole := letters[word[0]]
		for _, b := range []byte(word[1:]) {
			merges = append(merges, whole+" "+letters[b])
			whole += letters[b]
			tokens = append(tokens, whole)
		}
	}
	for len(tokens) < 299 {
		tokens = append(tokens, fmt.Sprintf("<unused%d>", len(tokens)))
	}
	ids := map[string]int{}
	for id, token := range append(tokens, "<mask>") {
		ids[token] = id
	}
	raw, err := json.Marshal(ids)
	ts.Check(err)
	folder := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(filepath.Join(folder, "vocab.json"), raw, 0o666))
	ts.Check(os.WriteFile(filepath.Join(folder, "merges.txt"), []byte(strings.Join(merges, "\n")+"\n"), 0o666))
}
