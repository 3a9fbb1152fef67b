package phone

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseDevices(t *testing.T) {
	text := "* daemon started successfully\nList of devices attached\n" +
		"R5CT123 device usb:1-2 product:o1s model:SM_G991B device:o1s transport_id:4\n" +
		"127.0.0.1:5555 offline\nFA6A unauthorized usb:1-3\n????????? no permissions (user in plugdev group); see [url]\n\n"
	want := []Device{
		{"R5CT123", "device", "SM_G991B"},
		{"127.0.0.1:5555", "offline", ""},
		{"FA6A", "unauthorized", ""},
		{"?????????", "no permissions", ""},
	}
	if got := parseDevices(text); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestChoose(t *testing.T) {
	good, other := Device{"A1", "device", "One"}, Device{"B2", "device", "Two"}
	locked, gone := Device{"C3", "unauthorized", ""}, Device{"D4:5555", "offline", ""}
	for _, c := range []struct {
		list   []Device
		serial string
		want   Device
		err    error
		says   string
	}{
		{nil, "", Device{}, ErrNoDevice, ""},
		{[]Device{good}, "", good, nil, ""},
		{[]Device{good, other}, "B2", other, nil, ""},
		{[]Device{good, other}, "", Device{}, ErrSeveral, "A1 One, B2 Two"},
		{[]Device{good}, "X", Device{}, ErrNoDevice, `as "X"; there are: A1 One`},
		{[]Device{locked}, "", locked, ErrUnauthorized, "C3"},
		{[]Device{good, gone}, "D4:5555", gone, ErrNoDevice, "offline"},
	} {
		got, err := choose(c.list, c.serial)
		if got != c.want || !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v %q: %+v, %v", c.list, c.serial, got, err)
		}
	}
}

func TestFacts(t *testing.T) {
	f := parseFacts("model=Pixel 8\nandroid=14\napi=34\nabis=arm64-v8a\nabi=arm64-v8a\nmemory=MemAvailable: 3000 kB\nspace=/dev/block/dm-5 100 60 40 60% /data\n")
	want := Facts{Model: "Pixel 8", Android: "14", API: 34, ABIs: []string{"arm64-v8a"}, Available: 3000 << 10, Free: 40 << 10}
	if !reflect.DeepEqual(f, want) || f.Check() != nil {
		t.Errorf("%+v, %v", f, f.Check())
	}
	for text, says := range map[string]string{
		"abi=x86_64\napi=34":          "it takes programs for x86_64, not for arm64-v8a",
		"":                            "nothing that it tells",
		"abi=arm64-v8a\napi=23":       "API 23",
		"abi=arm64-v8a\napi=many":     "API 0",
		"abis=armeabi-v7a\nmemory=-1": "armeabi-v7a",
	} {
		f := parseFacts(text)
		if err := f.Check(); !errors.Is(err, ErrUnsuitable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNames(t *testing.T) {
	var a ADB
	for _, name := range []string{"", ".", "..", "a/b", "-x", "a b", "ü", strings.Repeat("a", 101)} {
		if _, err := a.Run(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if r, err := a.Run("zeroth-run.2"); err != nil || r.Folder() != Root+"/runs/zeroth-run.2/run" {
		t.Error(r, err)
	}
}

func TestDescribe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "it's.tsv")
	if err := os.WriteFile(name, bytes.Repeat([]byte("a"), 1000), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Describe(name)
	if err != nil || f.Bytes != 1000 || f.Remote != Root+"/files/"+f.Sum[:16]+"/it's.tsv" || len(f.Sum) != 64 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := Describe(t.TempDir()); !errors.Is(err, ErrName) {
		t.Error(err)
	}
}

func TestFindADB(t *testing.T) {
	home := t.TempDir()
	tool := filepath.Join(home, "platform-tools", "adb")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("ADB", "")
	t.Setenv("ANDROID_SDK_ROOT", "")
	t.Setenv("ANDROID_HOME", home)
	if _, err := FindADB(""); !errors.Is(err, ErrNoADB) {
		t.Error(err)
	}
	if err := os.MkdirAll(filepath.Dir(tool), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	if got, err := FindADB(""); err != nil || got != tool {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := FindADB("nosuch"); !errors.Is(err, ErrNoADB) {
		t.Error(err)
	}
}
