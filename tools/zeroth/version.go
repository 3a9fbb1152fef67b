package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// buildVersion says which source this binary was built of, and for what.
type buildVersion struct {
	Version  string `json:"version"`  // of the module, or "(devel)"
	Revision string `json:"revision"` // of its repository; empty if it was built outside of one
	Modified bool   `json:"modified"` // the source differed from the revision
	Go       string `json:"go"`
	System   string `json:"system"` // operating system/architecture
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "say which source this binary was built of",
		UsageText: "zeroth version [--json]",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print it as JSON", DisableDefaultText: true}},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			info, _ := debug.ReadBuildInfo()
			v := versionOf(info)
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(v)
			}
			_, err := fmt.Fprintln(c.App.Writer, v)
			return err
		},
	}
}

func versionOf(info *debug.BuildInfo) buildVersion {
	v := buildVersion{Version: "(devel)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v buildVersion) String() string {
	text := "zeroth " + v.Version
	if v.Revision != "" {
		text += ", revision " + v.Revision
	}
	if v.Modified {
		text += " with changes"
	}
	return text + ", " + v.Go + ", " + v.System
}
