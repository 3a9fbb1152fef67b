package plugin

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"zeroth/internal/readat"
)

// The symbols that a plug-in exports.
const (
	scoreSymbol = "zeroth_backend_score"
	tableSymbol = "zeroth_backend_table"
)

// isFile reports whether a library's name is that of a file: one with a slash.
// Another is looked for where the system keeps its libraries, never in the
// working folder.
func isFile(name string) bool {
	return strings.ContainsRune(name, '/') || runtime.GOOS == "windows" && strings.ContainsRune(name, '\\')
}

// locate checks the name of a library before the system's loader gets it, and
// makes that of a file absolute. It says what the file is.
func locate(name string) (path, about string, err error) {
	if name == "" {
		return "", "", fmt.Errorf("%w: no name", ErrFile)
	}
	if !isFile(name) {
		if _, err := os.Stat(name); err == nil {
			return "", "", fmt.Errorf("%w: %s: a name without a slash is looked for among the system's libraries; the file here is ./%s", ErrFile, name, name)
		}
		return name, "to be found by the system's loader", nil
	}
	if path, err = filepath.Abs(name); err != nil {
		return "", "", fmt.Errorf("%w: %s: %w", ErrFile, name, err)
	}
	file, _, err := readat.Open(path)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer file.Close()
	if about, err = inspect(file, runtime.GOOS, runtime.GOARCH); err != nil {
		return "", "", fmt.Errorf("%w: %s: %w", ErrFile, name, err)
	}
	return path, about, nil
}

// inspect says what a library is, with an error if it is not for that system or
// lacks a symbol. The readers of these formats are not made for files that are
// broken on purpose, so what they panic with is an error too.
func inspect(file io.ReaderAt, goos, goarch string) (about string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be read as a library: %v", p)
		}
	}()
	magic := make([]byte, 4)
	if n, err := file.ReadAt(magic, 0); n < len(magic) {
		return "", fmt.Errorf("it is too short to be a library: %w", err)
	}
	found, inspectFormat := format(magic)
	want := map[string]string{"windows": "PE", "darwin": "Mach-O", "ios": "Mach-O"}[goos]
	if want == "" {
		want = "ELF"
	}
	switch {
	case found == "":
		return "", fmt.Errorf("it is no library: it begins with %q, not as %s does", magic, want)
	case found != want:
		return "", fmt.Errorf("it is a library in %s, and %s takes %s", found, goos, want)
	}
	machine, symbols, err := inspectFormat(file, goarch)
	if err != nil {
		return "", err
	}
	if machine != goarch {
		return "", fmt.Errorf("it is for %s, and this is %s", machine, goarch)
	}
	for _, name := range []string{scoreSymbol, tableSymbol} {
		if symbols != nil && !slices.Contains(symbols, name) {
			return "", fmt.Errorf("it exports no %s; it must be defined with C linkage and default visibility", name)
		}
	}
	return found + " for " + machine, nil
}

// inspector gives the processor that a library is for and the symbols that it
// exports, nil where they are not read.
type inspector func(file io.ReaderAt, goarch string) (machine string, symbols []string, err error)

func format(magic []byte) (name string, inspect inspector) {
	switch {
	case string(magic) == elf.ELFMAG:
		return "ELF", inspectELF
	case string(magic[:2]) == "MZ":
		return "PE", inspectPE
	case string(magic) == "\xcf\xfa\xed\xfe", string(magic) == "\xca\xfe\xba\xbe":
		return "Mach-O", inspectMachO
	}
	return "", nil
}

func inspectELF(file io.ReaderAt, _ string) (machine string, symbols []string, err error) {
	f, err := elf.NewFile(file)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	if f.Type != elf.ET_DYN {
		return "", nil, fmt.Errorf("it is no shared library but %s: link it with -shared", f.Type)
	}
	machine = map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm", elf.EM_RISCV: "riscv64"}[f.Machine]
	if machine == "" {
		machine = f.Machine.String()
	}
	list, err := f.DynamicSymbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return "", nil, err
	}
	symbols = []string{}
	for _, s := range list {
		if s.Section != elf.SHN_UNDEF && elf.ST_BIND(s.Info) != elf.STB_LOCAL {
			symbols = append(symbols, s.Name)
		}
	}
	return machine, symbols, nil
}

// inspectMachO takes the part for goarch out of a file for several processors.
func inspectMachO(file io.ReaderAt, goarch string) (machine string, symbols []string, err error) {
	names := map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}
	f, err := macho.NewFile(file)
	if err != nil {
		fat, fatErr := macho.NewFatFile(file)
		if fatErr != nil {
			return "", nil, errors.Join(err, fatErr)
		}
		for _, arch := range fat.Arches {
			f, machine = arch.File, names[arch.Cpu]
			if machine == goarch {
				break
			}
		}
	}
	if f.Type != macho.TypeDylib && f.Type != macho.TypeBundle {
		return "", nil, fmt.Errorf("it is no shared library but %s", f.Type)
	}
	machine = names[f.Cpu]
	if machine == "" {
		machine = f.Cpu.String()
	}
	return machine, nil, nil
}

func inspectPE(file io.ReaderAt, _ string) (machine string, symbols []string, err error) {
	f, err := pe.NewFile(file)
	if err != nil {
		return "", nil, err
	}
	if f.Characteristics&pe.IMAGE_FILE_DLL == 0 {
		return "", nil, errors.New("it is no DLL")
	}
	machine = map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64", pe.IMAGE_FILE_MACHINE_I386: "386"}[f.Machine]
	if machine == "" {
		machine = fmt.Sprintf("machine %#x", f.Machine)
	}
	return machine, nil, nil
}
