package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zeroth/internal/bytesize"
	"zeroth/tools/phone"

	"github.com/urfave/cli/v2"
)

// phoneBinary is what make android builds.
const phoneBinary = "zeroth-android-arm64"

type pushOptions struct {
	ADB, Serial, Binary string
	Program             string
	Data                []string
	Run, Resume         string
	Out, Name           string
	outGiven            bool // by --out or --resume
	Attach, Stop, JSON  bool
	Wait                time.Duration
}

func pushCommand() *cli.Command {
	return &cli.Command{
		Name: "push", Usage: "run zeroth on an Android phone, and fetch what comes of it",
		UsageText: "zeroth push --program m.zpt --data FILE [--data FILE …] --run \"train --task sst2\" [--out FOLDER]\n" +
			"zeroth push --resume FOLDER\nzeroth push --attach [--name NAME]\nzeroth push --stop [--name NAME]",
		Description: "Sends the binary, the program and the data by adb, unless the phone has them, starts\n" +
			"the command there and shows what it prints. The run outlives the connection: Ctrl-C\n" +
			"and a pulled cable leave it going, --attach picks it up, --stop has it save and end.\n" +
			"When it has ended its folder is fetched to --out.\n\n" +
			"In --run files are named as in --program and --data. A program that is not named\n" +
			"there is put behind the command, and the first of --data is train's and eval's. A name\n" +
			"is a file's where the command reads one: --task sst2 stays a task beside a file sst2.\n\n" +
			"--resume sends a run that was begun here, with all that its run.json names, goes on\n" +
			"with it there, and brings it back: the same bits as if it had stayed.\n\n" +
			"Example:\n" +
			"  zeroth push --program m.zpt --data train.tsv --data dev.tsv --out run \\\n" +
			"    --run \"train --held-out dev.tsv --task sst2 --steps 500 --max-temp 45\"",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "adb", Usage: "the adb `EXECUTABLE`", DefaultText: "$ADB, or adb on PATH or in $ANDROID_HOME/platform-tools"},
			&cli.StringFlag{Name: "serial", Usage: "`SERIAL` number of the phone, where there are several", EnvVars: []string{"ANDROID_SERIAL"}},
			&cli.StringFlag{Name: "binary", Usage: "zeroth for the phone, a `FILE`", DefaultText: phoneBinary + " beside this zeroth, or in bin"},
			&cli.StringFlag{Name: "program", Usage: "program `FILE` to send"},
			&cli.StringSliceFlag{Name: "data", Usage: "`FILE` to send; may be repeated"},
			&cli.StringFlag{Name: "run", Usage: "`COMMAND` of zeroth to run on the phone, such as \"train --task sst2\""},
			&cli.StringFlag{Name: "resume", Usage: "go on, on the phone, with the run in `FOLDER`; --run may hold flags of train such as \"--steps 40\""},
			&cli.StringFlag{Name: "out", Usage: "new `FOLDER` for what is fetched; with --attach that of the run's push, unless it is given", Value: "zeroth-run"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the run on the phone", DefaultText: "that of the folder"},
			&cli.BoolFlag{Name: "attach", Usage: "follow a run that goes on, or fetch one that has ended", DisableDefaultText: true},
			&cli.BoolFlag{Name: "stop", Usage: "have the run save and end; then --attach fetches it", DisableDefaultText: true},
			&cli.DurationFlag{Name: "wait", Usage: "`TIME` that a lost connection is waited for", Value: 10 * time.Minute},
			&cli.BoolFlag{Name: "json", Usage: "print what happens as lines of JSON, among what the run prints", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return withHint(err, "what is to run stands in --run \"…\"")
			}
			o := pushOptions{
				ADB: c.String("adb"), Serial: c.String("serial"), Binary: c.String("binary"), Program: c.String("program"),
				Data: c.StringSlice("data"), Run: c.String("run"), Resume: c.String("resume"), Out: c.String("out"), Name: c.String("name"),
				Attach: c.Bool("attach"), Stop: c.Bool("stop"), JSON: c.Bool("json"), Wait: c.Duration("wait"),
			}
			o.outGiven = c.IsSet("out") || c.IsSet("resume")
			if c.IsSet("resume") && !c.IsSet("out") {
				o.Out = o.Resume
			}
			if err := o.check(c); err != nil {
				return err
			}
			p := pusher{pushOptions: o, app: c.App, stdout: c.App.Writer, stderr: c.App.ErrWriter}
			return withPhoneHint(p.push(c.Context))
		},
	}
}

// check names flags that do not go together.
func (o *pushOptions) check(c *cli.Context) error {
	if o.Attach && o.Stop {
		return usagef("--attach and --stop exclude each other")
	}
	if o.Attach || o.Stop {
		for _, name := range []string{"program", "data", "run", "binary"} {
			if c.IsSet(name) {
				return usagef("--%s: a run that was started already has it", name)
			}
		}
	}
	switch {
	case o.Out == "":
		return usagef("--out is empty: name a folder")
	case c.IsSet("resume") && o.Resume == "":
		return usagef("--resume is empty: name the run's folder")
	case o.Resume != "" && (o.Program != "" || len(o.Data) > 0):
		return usagef("--program, --data and --resume exclude each other: the run knows its files")
	case o.Resume != "" && filepath.Clean(o.Out) != filepath.Clean(o.Resume):
		return usagef("--out and --resume exclude each other: the run comes back to its folder")
	case o.Resume == "" && o.Run == "" && !o.Attach && !o.Stop:
		return withHint(usagef("--run is missing: what is to run on the phone"), `for example --run "train --task sst2"`)
	case o.Wait < 0:
		return usagef("--wait %s: must be 0 or more", o.Wait)
	}
	if o.Name == "" {
		whole, err := filepath.Abs(o.Out)
		if err != nil {
			return err
		}
		o.Name = filepath.Base(whole)
	}
	return nil
}

// withPhoneHint adds what can be done about a fault of the phone's side.
func withPhoneHint(err error) error {
	for _, h := range []struct {
		is   error
		hint string
	}{
		{phone.ErrNoADB, "install Android's platform-tools (Debian: apt-get install adb), or name the executable with --adb"},
		{phone.ErrUnauthorized, "unlock the phone and allow USB debugging when it asks"},
		{phone.ErrSeveral, "choose one with --serial"},
		{phone.ErrNoDevice, "connect it by USB, switch on USB debugging in its developer options, and see what adb devices lists"},
		{phone.ErrNoSpace, "free some, or remove what earlier runs left: adb shell rm -rf " + phone.Root},
		{phone.ErrLost, "the run goes on there: zeroth push --attach picks it up"},
	} {
		var has hinted
		if errors.Is(err, h.is) && !errors.As(err, &has) {
			return withHint(err, h.hint)
		}
	}
	return err
}

// pusher carries a push out.
type pusher struct {
	pushOptions
	app            *cli.App // whose commands run on the phone
	stdout, stderr io.Writer
	adb            phone.ADB
	run            *phone.Run
	origin         pushOrigin
}

// pushOrigin is kept on the phone beside the run, so that the paths in its run.json
// can be those of this computer again.
type pushOrigin struct {
	Resumes bool              `json:"resumes"` // it was begun here
	Out     string            `json:"out"`     // this computer's folder for it
	Paths   map[string]string `json:"paths"`   // the phone's to this computer's
}

const originName = "push.json"

// event shows what happens: a line of JSON, or of text.
func (p *pusher) event(name string, value any, format string, args ...any) {
	if !p.JSON {
		fmt.Fprintf(p.stderr, format+"\n", args...)
		return
	}
	line, err := json.Marshal(map[string]any{"event": name, name: value})
	if err == nil {
		fmt.Fprintf(p.stdout, "%s\n", line)
	}
}

func (p *pusher) push(ctx context.Context) (err error) {
	if p.adb.Path, err = phone.FindADB(p.ADB); err != nil {
		return err
	}
	// What can be seen here is seen before the phone is asked.
	var job pushJob
	if !p.Attach && !p.Stop {
		if job, err = p.plan(); err != nil {
			return err
		}
	}
	device, err := p.adb.Choose(ctx, p.Serial)
	if err != nil {
		return err
	}
	if p.run, err = p.adb.Run(p.Name); err != nil {
		return withHint(usageError{err}, "name the run with --name")
	}
	switch {
	case p.Stop:
		if err := p.run.Stop(ctx); err != nil {
			return err
		}
		p.event("stopped", p.Name, "%s saves and ends", p.Name)
		return nil
	case p.Attach:
		return p.attach(ctx)
	}
	facts, err := p.adb.Facts(ctx)
	if err != nil {
		return err
	}
	p.event("phone", facts, "%s %s: Android %s, %s available, %s free", device.Serial, facts.Model, facts.Android, bytesize.Format(facts.Available), bytesize.Format(facts.Free))
	if err := facts.Check(); err != nil {
		return err
	}
	defer p.run.Release()
	const again = "the same command again sends what is missing"
	words, err := p.send(ctx, job)
	switch {
	case errors.Is(err, phone.ErrLost):
		return withHint(err, "nothing was started: "+again)
	case err != nil:
		return err
	}
	err = p.run.Start(ctx, words)
	switch {
	case errors.Is(err, phone.ErrClaim):
		return withHint(err, again)
	case err != nil:
		return err
	}
	p.run.Release()
	p.event("started", p.Name, "%s runs on the phone", p.Name)
	return p.follow(ctx)
}

// send sends what the job needs and returns the words to start it with.
func (p *pusher) send(ctx context.Context, job pushJob) (words []string, err error) {
	if err := p.run.Prepare(ctx); err != nil {
		switch {
		case errors.Is(err, phone.ErrSending):
			err = withHint(err, "wait for it, or give this one another name with --name")
		case errors.Is(err, phone.ErrRun):
			err = withHint(err, "zeroth push --attach --name "+p.Name+" follows and fetches it; --name starts another beside it")
		}
		return nil, err
	}
	remote := map[string]string{}
	p.origin = pushOrigin{Resumes: p.Resume != "", Out: wholePath(p.Out), Paths: map[string]string{}}
	for _, f := range job.files {
		if err := p.run.Send(ctx, f, f == job.binary); err != nil {
			return nil, err
		}
		verb := "has"
		if f.Sent {
			verb = "sent"
		}
		p.event("file", f, "%s %s (%s)", verb, f.Local, bytesize.Format(f.Bytes))
		remote[f.Local], p.origin.Paths[f.Remote] = f.Remote, wholePath(f.Local)
	}
	if job.send != nil {
		if err := job.send(ctx, remote); err != nil {
			return nil, err
		}
	}
	origin, err := json.Marshal(p.origin)
	if err != nil {
		return nil, err
	}
	if err := p.run.Keep(ctx, originName, origin); err != nil {
		return nil, err
	}
	return append([]string{job.binary.Remote}, job.words(remote, p.run.Folder())...), nil
}

// attach takes up a run that was started before.
func (p *pusher) attach(ctx context.Context) error {
	state, err := p.run.State(ctx)
	if err != nil {
		return err
	}
	switch state {
	case phone.Absent:
		return withHint(fmt.Errorf("%w: there is no %s", phone.ErrRun, p.Name), "--name names the run; it is the name of its --out")
	case phone.Sending:
		return fmt.Errorf("%w: %s is being sent by another push", phone.ErrRun, p.Name)
	case phone.Fetched:
		return fmt.Errorf("%w: %s has ended and was fetched", phone.ErrRun, p.Name)
	}
	raw, err := p.run.Kept(ctx, originName)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &p.origin); err != nil {
		return fmt.Errorf("%s on the phone: %w", originName, err)
	}
	if !p.outGiven && p.origin.Out != "" {
		p.Out = p.origin.Out
	}
	if state == phone.Killed {
		p.event("killed", p.Name, "zeroth: notice: %s was killed on the phone; what it saved is fetched", p.Name)
		return p.fetch(ctx)
	}
	return p.follow(ctx)
}

// follow shows the run to its end and fetches what it made.
func (p *pusher) follow(ctx context.Context) error {
	code, err := p.run.Follow(ctx, p.stdout, p.stderr, p.Wait, func(cause error) {
		if cause != nil {
			p.event("lost", cause.Error(), "zeroth: notice: %v; waiting for it up to %s", cause, p.Wait)
		} else {
			p.event("back", p.Name, "zeroth: notice: the phone is back")
		}
	})
	switch {
	case errors.Is(err, context.Canceled):
		again := "--name " + p.Name
		return withHint(interrupted{p.Name + " goes on in the phone"}, "zeroth push --attach "+again+" follows it; zeroth push --stop "+again+" has it save and end")
	case errors.Is(err, phone.ErrRun): // it was killed
		return withHint(err, "zeroth push --attach --name "+p.Name+" fetches what it saved")
	case err != nil:
		return err
	}
	// What was fetched counts even where the run failed: it may have saved.
	err = p.fetch(context.WithoutCancel(ctx))
	p.event("end", code, "%s ended with exit code %d", p.Name, code)
	if code != 0 && code != exitInterrupted {
		return errors.Join(fmt.Errorf("%w: %s ended with exit code %d", phone.ErrRun, p.Name, code), err)
	}
	return err
}

// findPhoneBinary finds and checks zeroth for the phone.
func (p *pusher) findPhoneBinary() (string, error) {
	candidates := []string{p.Binary}
	if p.Binary == "" {
		candidates = []string{filepath.Join("bin", phoneBinary)}
		if self, err := os.Executable(); err == nil {
			candidates = slices.Insert(candidates, 0, filepath.Join(filepath.Dir(self), phoneBinary))
		}
	}
	for _, path := range candidates {
		if !isFile(path) {
			continue
		}
		if err := checkPhoneBinary(path); err != nil {
			return "", withHint(err, "build it with: make android")
		}
		return path, nil
	}
	return "", withHint(fmt.Errorf("no zeroth for the phone: %s", strings.Join(candidates, ", ")), "build it with make android, or name it with --binary")
}

// checkPhoneBinary sees that a binary is one for Android on arm64.
func checkPhoneBinary(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s is no program for a phone: %w", path, err)
	}
	defer file.Close()
	if file.Machine != elf.EM_AARCH64 {
		return fmt.Errorf("%s is for %s, not for arm64", path, file.Machine)
	}
	const linker = "/system/bin/linker64"
	for _, s := range file.Progs {
		if s.Type != elf.PT_INTERP || s.Filesz > 4096 {
			continue
		}
		name, err := io.ReadAll(s.Open())
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if strings.TrimRight(string(name), "\x00") == linker {
			return nil
		}
	}
	return fmt.Errorf("%s is not for Android: it does not ask for %s", path, linker)
}
