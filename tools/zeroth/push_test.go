//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"zeroth/internal/testdata"
	"zeroth/kernels/cpu"
	"zeroth/tools/phone"
	"zeroth/tools/phone/standin"
)

// crossRoot is where Debian's libraries for arm64 lie.
const crossRoot = "/usr/aarch64-linux-gnu/lib"

// emulatedPhone is a stand-in for a phone that adb is connected to, on which
// binaries for Android run by emulation.
type emulatedPhone struct {
	*standin.Phone
	folder string   // of the test
	root   string   // the phone's files
	env    []string // of zeroth: adb's server is the test's own
	binary string
}

// android makes what an Android binary without cgo needs of a phone: its
// linker and the C library's names.
func android(t *testing.T, root string) (emulator []string) {
	t.Helper()
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Skip("skipped: no qemu-aarch64-static (apt-get install qemu-user-static)")
	}
	copies := map[string]string{
		"system/bin/linker64": "ld-linux-aarch64.so.1", "lib/libc.so.6": "libc.so.6", "lib/libc.so": "libc.so.6",
		"lib/liblog.so": "libc.so.6", "lib/libdl.so.2": "libdl.so.2", "lib/libdl.so": "libdl.so.2",
	}
	for to, from := range copies {
		raw, err := os.ReadFile(filepath.Join(crossRoot, from))
		if err != nil {
			t.Skipf("skipped: no C library for arm64 (apt-get install libc6-arm64-cross): %v", err)
		}
		path := filepath.Join(root, to)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return []string{qemu, "-cpu", "max", "-L", root, "-E", "LD_LIBRARY_PATH=" + filepath.Join(root, "lib")}
}

// buildForPhone builds zeroth as make android does.
func buildForPhone(t *testing.T, to string) {
	t.Helper()
	build := exec.Command("go", "build", "-o", to, "zeroth/tools/zeroth")
	build.Dir = testdata.Repo("")
	build.Env = append(os.Environ(), "GOOS=android", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// connectedADB starts an adb server of its own, which ends with the test.
func connectedADB(t *testing.T, folder, address string) []string {
	t.Helper()
	adb, err := exec.LookPath("adb")
	if err != nil {
		t.Skip("skipped: no adb (apt-get install adb)")
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	env := append(os.Environ(), fmt.Sprintf("ANDROID_ADB_SERVER_PORT=%d", port), "HOME="+folder, "ANDROID_SERIAL=", "ADB="+adb, "ADB_VENDOR_KEYS="+folder)
	call := func(args ...string) string {
		command := exec.Command(adb, args...)
		command.Env = env
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("adb %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	call("start-server")
	t.Cleanup(func() { call("kill-server") })
	if address != "" {
		if out := call("connect", address); !strings.Contains(out, "connected to") {
			t.Fatalf("adb connect: %s", out)
		}
	}
	return env
}

func newEmulatedPhone(t *testing.T) *emulatedPhone {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	p := &emulatedPhone{folder: t.TempDir()}
	p.root = filepath.Join(p.folder, ".phone")
	emulator := android(t, p.root)
	var err error
	if p.Phone, err = standin.Start(standin.Options{Root: p.root, Emulator: emulator}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	p.env = connectedADB(t, p.folder, p.Address())
	p.binary = filepath.Join(p.folder, phoneBinary)
	buildForPhone(t, p.binary)
	return p
}

// zeroth runs the tool in the test's folder.
func (p *emulatedPhone) zeroth(args ...string) *exec.Cmd {
	command := exec.Command("zeroth", args...)
	command.Dir, command.Env = p.folder, p.env
	return command
}

func (p *emulatedPhone) must(t *testing.T, args ...string) string {
	t.Helper()
	begun := time.Now()
	out, err := p.zeroth(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("zeroth %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	t.Logf("%s: zeroth %s", time.Since(begun).Round(100*time.Millisecond), strings.Join(args, " "))
	return string(out)
}

// fails runs a command that must fail and say so.
func (p *emulatedPhone) fails(t *testing.T, code int, pattern string, args ...string) {
	t.Helper()
	command := p.zeroth(args...)
	out, _ := command.CombinedOutput()
	if got := command.ProcessState.ExitCode(); got != code || !regexp.MustCompile(pattern).Match(out) {
		t.Errorf("zeroth %s: exit code %d, want %d, and %q in\n%s", strings.Join(args, " "), got, code, pattern, out)
	}
}

// same compares the files of two runs.
func (p *emulatedPhone) same(t *testing.T, a, b string, names ...string) {
	t.Helper()
	for _, name := range names {
		x, errX := os.ReadFile(filepath.Join(p.folder, a, name))
		y, errY := os.ReadFile(filepath.Join(p.folder, b, name))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("%s of %s (%d bytes, %v) and %s (%d bytes, %v) differ", name, a, len(x), errX, b, len(y), errY)
		}
	}
}

// A name with all that a shell would act upon.
const awkwardName = "it's $(touch gone) `x` \"y\" *;&.tsv"

var learned = []string{journalName, "adapter/adapter_model.safetensors", "best/adapter_model.safetensors"}

func (p *emulatedPhone) prepare(t *testing.T) {
	t.Helper()
	model := []string{"--from", testdata.Repo("third_party/reviews-1m")}
	if shared := sharedData(t); shared != "" { // smaller, and emulation is slow
		folder := filepath.Join(shared, "models/stories260K")
		model = []string{"--from", filepath.Join(folder, "stories260K.bin"), "--tokenizer", filepath.Join(folder, "tok512.bin")}
	}
	p.must(t, append([]string{"export", "--out", "m.zpt"}, model...)...)
	rows := "label\ttext\n1\tgood soup .\n0\ta bad screen .\n"
	for _, name := range []string{awkwardName, "dev.tsv"} {
		if err := os.WriteFile(filepath.Join(p.folder, name), []byte(rows), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *emulatedPhone) train(steps string) []string {
	return []string{
		"train", "m.zpt", "--data", awkwardName, "--held-out", "dev.tsv", "--task", "sst2", "--q", "1", "--batch", "1",
		"--lr", "0.01", "--rank", "2", "--eval-every", "20", "--steps", steps,
	}
}

// pushed is the push of that training; the program and the data go unsaid.
func (p *emulatedPhone) pushed(out, steps string, more ...string) []string {
	return append([]string{
		"push", "--binary", p.binary, "--program", "m.zpt", "--data", awkwardName, "--data", "dev.tsv", "--out", out,
		"--run", "train --held-out dev.tsv --task sst2 --q 1 --batch 1 --lr 0.01 --rank 2 --eval-every 20 --threads 1 --steps " + steps,
	}, more...)
}

// sameBits reports whether this machine's kernels have the phone's bits.
func sameBits() bool {
	f := cpu.Detect()
	return f.AVX2 || f.NEON
}

func TestPushToAPhone(t *testing.T) {
	t.Parallel()
	p := newEmulatedPhone(t)
	p.prepare(t)
	p.must(t, append(p.train("40"), "--out", "whole")...)

	t.Run("there and back", func(t *testing.T) {
		p.must(t, append(p.train("20"), "--out", "begun")...)
		said := p.must(t, "push", "--binary", p.binary, "--resume", "begun", "--run", "--steps 40 --threads 1")
		for _, want := range []string{"Stand-in: Android 14", "sent .*m.zpt", "replayed 20 steps", "step 40/40", "fetched begun"} {
			if !regexp.MustCompile(want).MatchString(said) {
				t.Errorf("%q is not in\n%s", want, said)
			}
		}
		if sameBits() {
			p.same(t, "begun", "whole", learned...)
		}
		// The phone's half alone, begun there and ended here.
		said = p.must(t, p.pushed("phone", "20")...)
		if !regexp.MustCompile(`has .*m.zpt`).MatchString(said) || strings.Contains(said, "sent ") {
			t.Errorf("what the phone had was sent again:\n%s", said)
		}
		p.must(t, "train", "--resume", "phone", "--steps", "40")
		if sameBits() {
			p.same(t, "phone", "whole", learned...)
		}
		// Replaying moves B by the same bits on any processor.
		p.must(t, "replay", "m.zpt", "--journal", "phone", "--out", "replayed")
		p.same(t, "replayed", "phone/adapter", "adapter_model.safetensors")
		plain := p.zeroth("replay", "m.zpt", "--journal", "phone", "--out", "replayed-generic")
		plain.Env = append(plain.Env, cpu.LimitVariable+"=generic")
		if out, err := plain.CombinedOutput(); err != nil {
			t.Fatalf("replay: %v\n%s", err, out)
		}
		p.same(t, "replayed-generic", "phone/adapter", "adapter_model.safetensors")
		if _, err := os.Stat(filepath.Join(p.root, "data/local/tmp", "gone")); err == nil {
			t.Error("a file's name was run as a command")
		}
	})
	t.Run("a lost connection", p.testLost)
	t.Run("a run with a start", p.testStart)
	t.Run("two at once", p.testTwo)
	t.Run("taken", p.testTaken)
	t.Run("words", p.testWords)
	t.Run("unsuitable", p.testUnsuitable)
	t.Run("commands", func(t *testing.T) {
		said := p.must(t, "push", "--binary", p.binary, "--out", "none", "--run", "conformance --op Slice --digest")
		f, err := cpu.DetectLimited()
		if err != nil {
			t.Fatal(err)
		}
		if f.AVX2 && !strings.Contains(said, strings.TrimSpace(p.must(t, "conformance", "--op", "Slice", "--digest"))) {
			t.Errorf("the phone's digests are others:\n%s", said)
		}
		p.must(t, "push", "--binary", p.binary, "--name", "list", "--json", "--run", "devices")
		p.fails(t, 1, `the phone: error|ended with exit code 2`, "push", "--binary", p.binary, "--name", "wrong", "--run", "train --nosuch")
		p.fails(t, 1, `there is no other`, "push", "--attach", "--name", "other")
		p.fails(t, 1, `does not run`, "push", "--stop", "--name", "list")
	})
}

// testUnsuitable pushes to phones that cannot run zeroth.
func (p *emulatedPhone) testUnsuitable(t *testing.T) {
	var addresses []string
	for says, o := range map[string]standin.Options{
		"no space on the phone: .* MiB are free\nhint: free some":  {FreeKB: 20 << 10},
		"programs for x86_64, not for arm64-v8a":                   {Props: map[string]string{"ro.product.cpu.abi": "x86_64", "ro.build.version.sdk": "34"}},
		"Android 6 \\(API 23\\); Android 7 \\(API 24\\) is needed": {Props: map[string]string{"ro.product.cpu.abi": "arm64-v8a", "ro.build.version.sdk": "23", "ro.build.version.release": "6"}},
	} {
		o.Root = t.TempDir()
		other, err := standin.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(other.Close)
		p.adb(t, "connect", other.Address())
		addresses = append(addresses, other.Address())
		p.fails(t, 1, says, "push", "--binary", p.binary, "--serial", other.Address(), "--out", "none", "--run", "devices")
	}
	p.fails(t, 1, "several phones are connected: .*\nhint: choose one with --serial", "push", "--binary", p.binary, "--out", "none", "--run", "devices")
	for _, address := range addresses {
		p.adb(t, "disconnect", address)
	}
	p.fails(t, 1, `no phone is connected as "nosuch"; there are: `, "push", "--binary", p.binary, "--serial", "nosuch", "--out", "none", "--run", "devices")
}

// adb calls it beside zeroth.
func (p *emulatedPhone) adb(t *testing.T, args ...string) {
	t.Helper()
	command := exec.Command("adb", args...)
	command.Env = p.env
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("adb %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// testLost cuts the connection while a run goes on: once for a moment, and once
// for longer than the computer waits.
func (p *emulatedPhone) testLost(t *testing.T) {
	push := func(out string, wait string) (*exec.Cmd, *bytes.Buffer) {
		var said bytes.Buffer
		command := p.zeroth(p.pushed(out, "3000", "--wait", wait)...)
		command.Stdout, command.Stderr = &said, &said
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		p.await(t, out, 1400)
		return command, &said
	}
	command, said := push("lost", "0s")
	p.Cut()
	if err := command.Wait(); err == nil || !strings.Contains(said.String(), "hint: the run goes on there: zeroth push --attach") {
		t.Errorf("%v\n%s", err, said)
	}
	if err := p.Restore(); err != nil {
		t.Fatal(err)
	}
	p.fails(t, 1, `lost goes on\nhint: zeroth push --attach --name lost`, p.pushed("lost", "3000")...)
	p.must(t, "push", "--stop", "--name", "lost")
	if said := p.must(t, "push", "--attach", "--out", "lost"); !strings.Contains(said, "all is saved") {
		t.Errorf("the run was not stopped:\n%s", said)
	}
	p.must(t, "replay", "m.zpt", "--journal", "lost", "--out", "lost-replayed")
	p.same(t, "lost-replayed", "lost/adapter", "adapter_model.safetensors")

	command, said = push("cut", "1m")
	p.Cut()
	time.Sleep(time.Second)
	if err := p.Restore(); err != nil {
		t.Fatal(err)
	}
	// Ctrl-C here leaves the run going.
	for range 200 {
		if time.Sleep(100 * time.Millisecond); strings.Contains(said.String(), "the phone is back") {
			break
		}
	}
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err == nil || command.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(said.String(), "the phone is back") {
		t.Errorf("%v\n%s", err, said)
	}
	p.must(t, "push", "--stop", "--name", "cut")
	p.must(t, "push", "--attach", "--name", "cut", "--out", "cut")
}

// testTwo pushes twice by one name: while the first sends its files, the second is
// refused, and no longer once the first is gone.
func (p *emulatedPhone) testTwo(t *testing.T) {
	large := filepath.Join(p.folder, "large")
	if err := os.WriteFile(large, make([]byte, 32<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	first := p.zeroth("push", "--binary", p.binary, "--name", "two", "--data", large, "--run", "version")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	sender := filepath.Join(p.root, phone.Root, "runs", "two", "sender")
	for range 3000 {
		if _, err := os.Stat(sender); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil { // it takes as long as we want
		t.Fatal(err)
	}
	p.fails(t, 1, `two: another push is sending its files\nhint: wait for it, or give this one another name`,
		"push", "--binary", p.binary, "--name", "two", "--out", "second", "--run", "version")
	p.fails(t, 1, `two is being sent`, "push", "--attach", "--name", "two")
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.Wait()
	if said := p.must(t, "push", "--binary", p.binary, "--name", "two", "--out", "second", "--run", "version"); !strings.Contains(said, "exit code 0") {
		t.Error(said)
	}
}

// testTaken has a run's name taken while its files are sent: it is not started.
func (p *emulatedPhone) testTaken(t *testing.T) {
	large := filepath.Join(p.folder, "larger")
	if err := os.WriteFile(large, make([]byte, 48<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	push := p.zeroth("push", "--binary", p.binary, "--name", "taken", "--data", large, "--run", "version")
	stderr, err := push.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := push.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stderr)
	for line := ""; !strings.HasPrefix(line, "has ") && !strings.HasPrefix(line, "sent "); { // a file: the name is its own
		if line, err = said.ReadString('\n'); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	sender := filepath.Join(p.root, phone.Root, "runs", "taken", "sender")
	if err := os.WriteFile(sender, []byte("1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(said) // what is missing shows
	if err := push.Wait(); err == nil || !strings.Contains(string(rest), "another push took the name taken: nothing was started\nhint: the same command again") {
		t.Errorf("%v\n%s", err, rest)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(sender), "pid")); err == nil {
		t.Error("it was started")
	}
}

// testWords sends files whose names are words that mean something else, too.
func (p *emulatedPhone) testWords(t *testing.T) {
	rows, err := os.ReadFile(filepath.Join(p.folder, "dev.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sst2", "constant"} {
		if err := os.WriteFile(filepath.Join(p.folder, name), rows, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	push := func(run string) []string {
		return []string{"push", "--binary", p.binary, "--program", "m.zpt", "--data", "dev.tsv", "--data", "sst2", "--out", "words", "--run", run}
	}
	p.fails(t, 2, `no command "tune"`, push("tune --steps 1")...)
	p.fails(t, 2, `--run: constant lies here and not on the phone`, push("train --task sst2 --held-out constant")...)
	p.fails(t, 2, `--run: constant lies here`, push("train --task sst2 --held-out=constant")...)
	said := p.must(t, push("train --task sst2 --schedule constant --steps 1 --q 1 --batch 1 --threads 1")...)
	if !strings.Contains(said, "fetched words") {
		t.Error(said)
	}
}

// testStart takes a run whose A was found here to the phone, follows it once its
// folder was moved away, and goes on where an earlier push was cut.
func (p *emulatedPhone) testStart(t *testing.T) {
	flags := []string{"--layers", "4", "--prefix-cache", "1M", "--prefix-cache-dir", "kept", "--init-a", "activations", "--out"}
	p.must(t, append(append(p.train("4"), flags...), "start-whole")...)
	p.must(t, append(append(p.train("2"), flags...), "start-begun")...)
	p.must(t, "push", "--binary", p.binary, "--resume", "start-begun", "--run", "--steps 4 --threads 1")
	if sameBits() {
		p.same(t, "start-begun", "start-whole", "adapter/adapter_model.safetensors", "start/adapter_model.safetensors")
	}
	if _, err := os.Stat(filepath.Join(p.folder, "start-begun", prefixName)); err == nil {
		t.Error("the phone's prefix cache was fetched")
	}
	var config runConfig
	if err := readJSON(filepath.Join(p.folder, "start-begun", configName), &config); err != nil || config.PrefixDir != filepath.Join(p.folder, "kept") {
		t.Errorf("the prefix cache is looked for in %q: %v", config.PrefixDir, err)
	}

	// The connection broke before anything was started.
	if err := os.MkdirAll(filepath.Join(p.root, phone.Root, "runs", "start-begun-2", "run"), 0o777); err != nil {
		t.Fatal(err)
	}
	p.fails(t, 1, `there is no start-begun-2`, "push", "--attach", "--name", "start-begun-2")
	sent, err := os.Stat(filepath.Join(p.folder, "start-begun", journalName))
	if err != nil {
		t.Fatal(err)
	}
	command := p.zeroth("push", "--binary", p.binary, "--name", "start-begun-2", "--resume", "start-begun", "--run", "--steps 3000 --threads 1")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p.await(t, "start-begun-2", sent.Size())
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); command.ProcessState.ExitCode() != exitInterrupted {
		t.Error(err)
	}
	p.must(t, "push", "--stop", "--name", "start-begun-2")
	if err := os.Rename(filepath.Join(p.folder, "start-begun"), filepath.Join(p.folder, "moved")); err != nil {
		t.Fatal(err)
	}
	p.must(t, "push", "--attach", "--name", "start-begun-2")
	p.must(t, "replay", "m.zpt", "--journal", "start-begun", "--out", "start-replayed")
	p.same(t, "start-replayed", "start-begun/adapter", "adapter_model.safetensors")
}

// await waits until a run on the phone has steps in its journal, which had so many
// bytes before the first.
func (p *emulatedPhone) await(t *testing.T, name string, before int64) {
	t.Helper()
	path := filepath.Join(p.root, phone.Root, "runs", name, "run", journalName)
	for range 600 {
		if info, err := os.Stat(path); err == nil && info.Size() > before+100 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s has no steps", path)
}

// The Android binary picks kernels by the processor, and they agree with the
// plain ones.
func TestAndroidBinaryOnProcessors(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	t.Parallel()
	folder := t.TempDir()
	emulator := android(t, filepath.Join(folder, "phone"))
	binary := filepath.Join(folder, phoneBinary)
	buildForPhone(t, binary)
	for _, c := range []struct{ processor, level, kernel string }{
		{"cortex-a53", "neon", "linear_codes_4x16_neon"},
		{"cortex-a76", "dotprod", "linear_codes_6x16_dotprod"},
		{"max", "i8mm", "linear_codes_6x16_i8mm"},
	} {
		run := func(args ...string) string {
			t.Helper()
			words := append(append([]string(nil), emulator...), binary)
			words = append(words, args...)
			for i := range words {
				if words[i] == "-cpu" {
					words[i+1] = c.processor
				}
			}
			command := exec.Command(words[0], words[1:]...)
			command.Env = append(os.Environ(), cpu.LimitVariable+"="+c.level)
			out, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: zeroth %s: %v\n%s", c.processor, strings.Join(args, " "), err, out)
			}
			return string(out)
		}
		if said := run("version"); !strings.Contains(said, "android/arm64") {
			t.Errorf("%s: %s", c.processor, said)
		}
		if said := run("devices"); !strings.Contains(said, c.kernel) {
			t.Errorf("%s: devices does not list %s:\n%s", c.processor, c.kernel, said)
		}
		if said := run("conformance", "--op", "Linear", "--part", "5/120"); !strings.Contains(said, c.level) {
			t.Errorf("%s: %s", c.processor, said)
		}
	}
}
