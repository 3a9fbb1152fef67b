//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// slotsSource stands in for bionic: its errno, and slot 2 of a thread's storage,
// which Android leaves to Go and glibc gives to the first library that asks.
const slotsSource = `#include <errno.h>
__thread char slots[256] __attribute__((tls_model("initial-exec"), aligned(16)));
char *touch(void) { return slots; }
int *__errno(void) { return __errno_location(); }
`

// The tests of kernels/dl pass in an emulated phone: glibc's linker and libraries
// under Android's names, for want of bionic.
func TestLibrariesLoadOnAnEmulatedPhone(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	tools := map[string]string{}
	for name, from := range map[string]string{"qemu-aarch64-static": "qemu-user-static", "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("skipped: no %s (apt-get install %s)", name, from)
		}
		tools[name] = path
	}
	root := t.TempDir()
	call := func(env []string, folder, name string, args ...string) string {
		t.Helper()
		command := exec.Command(name, args...)
		command.Dir, command.Env = folder, append(os.Environ(), env...)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	const cross = "/usr/aarch64-linux-gnu/lib"
	for to, from := range map[string]string{
		"system/bin/linker64": "ld-linux-aarch64.so.1", "lib/libc.so.6": "libc.so.6", "lib/libdl.so.2": "libdl.so.2", "lib/libpthread.so.0": "libpthread.so.0",
	} {
		raw, err := os.ReadFile(filepath.Join(cross, from))
		if err != nil {
			t.Skip("skipped: ", err)
		}
		write(to, string(raw))
	}
	write("slots.c", slotsSource)
	write("getprop", "#!/bin/sh\necho 34\n")
	for _, name := range []string{"libdl.so", "libc.so"} {
		call(nil, root, tools["aarch64-linux-gnu-gcc"], "-shared", "-fPIC", "-o", "lib/"+name, "slots.c", "-Wl,-soname,"+name, "-Wl,--no-as-needed", "-ldl", "-lpthread", "-lc")
	}

	repo := testdata.Repo("")
	call(nil, repo, "go", "run", "./tools/androiddl", "-out", filepath.Join(root, "dl"))
	call([]string{"GOOS=android", "GOARCH=arm64", "CGO_ENABLED=0"}, repo, "go", "test", "-c", "-modfile", filepath.Join(root, "dl", "go.mod"),
		"-tags", "androiddl", "-o", filepath.Join(root, "dl.test"), "./kernels/dl")
	run := func() string {
		return call([]string{"PATH=" + root + ":" + os.Getenv("PATH")}, root, tools["qemu-aarch64-static"], "-cpu", "max", "-L", root,
			"-E", "LD_LIBRARY_PATH="+filepath.Join(root, "lib"), filepath.Join(root, "dl.test"), "-test.v")
	}
	said := run()
	for _, name := range []string{"TestSymbol", "TestCall", "TestBind", "TestCallback", "TestErrorsOfManyThreads"} {
		if !strings.Contains(said, "--- PASS: "+name+" ") {
			t.Errorf("%s did not pass:\n%s", name, said)
		}
	}
	write("getprop", "#!/bin/sh\necho 28\n")
	if said := run(); !strings.Contains(said, "needs Android 10 (API 29)") {
		t.Errorf("Android 9 was not refused:\n%s", said)
	}
}
