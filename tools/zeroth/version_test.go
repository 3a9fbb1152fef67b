package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	v := versionOf(&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.modified", Value: "true"},
	}})
	if text := v.String(); !strings.HasPrefix(text, "zeroth v1.2.3, revision 0123abcd with changes, go") {
		t.Error(text)
	}
	if text := versionOf(nil).String(); !strings.HasPrefix(text, "zeroth (devel), go") {
		t.Error(text)
	}
}
