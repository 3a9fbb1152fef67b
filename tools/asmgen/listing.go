package main

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

var (
	errAssembler = errors.New("GNU as for arm64")
	errListing   = errors.New("the assembler's listing and its object file do not agree")
)

// assembler is Debian's name of GNU as for arm64.
const assembler = "aarch64-linux-gnu-as"

// line is one line of the listing: of the source, or of a macro's expansion.
type line struct {
	number   int    // in the source
	text     string // as it was assembled
	indented bool
	expanded bool  // from a macro or a repetition
	offset   int64 // in its section; −1 where nothing was assembled
}

// object is what GNU as made of a source.
type object struct {
	lines  []line
	code   []byte // section .text
	tables []byte // section .rodata
}

// assemble runs GNU as on the source.
func assemble(source string) (*object, error) {
	if _, err := exec.LookPath(assembler); err != nil {
		return nil, fmt.Errorf("%w is missing (%w): apt-get install binutils-aarch64-linux-gnu", errAssembler, err)
	}
	dir, err := os.MkdirTemp("", "asmgen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "object")
	// -aclnm: a listing with macros expanded, no forms and nothing that a condition
	// leaves out; one word a line is enough.
	command := exec.Command(assembler, "-aclnm", "--listing-lhs-width=1", "--listing-rhs-width=1000", "--listing-cont-lines=1", "-o", path, source)
	var problems strings.Builder
	command.Stderr = &problems
	listing, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %w\n%s", errAssembler, err, problems.String())
	}
	o := &object{lines: parseListing(string(listing))}
	return o, o.readSections(path)
}

// listed is a line of the listing: number, offset and the first word where
// something was assembled, a tab, the text with a > for each level of expansion.
var listed = regexp.MustCompile(`^ *(\d+) (?:([0-9a-f]{4,}) [0-9A-F]+)? *\t(>*)(.*)$`)

func parseListing(text string) []line {
	var lines []line
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		m := listed.FindStringSubmatch(s.Text())
		if m == nil {
			continue // more bytes of the line before
		}
		l := line{text: strings.TrimSpace(m[4]), indented: m[4] != "" && (m[4][0] == '\t' || m[4][0] == ' '), expanded: m[3] != "", offset: -1}
		l.number, _ = strconv.Atoi(m[1])
		if m[2] != "" {
			l.offset, _ = strconv.ParseInt(m[2], 16, 64)
		}
		lines = append(lines, l)
	}
	return lines
}

// readSections reads the code and the tables. Only a literal, the address of a
// table, may wait for a linker.
func (o *object) readSections(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for _, section := range file.Sections {
		switch section.Name {
		case ".text":
			o.code, err = section.Data()
		case ".rodata":
			o.tables, err = section.Data()
		case ".rela.text":
			err = checkRelocations(section)
		case ".data", ".bss":
			if section.Size > 0 {
				err = fmt.Errorf("%w: section %s is not empty: only .text and .rodata are carried over", errListing, section.Name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkRelocations(section *elf.Section) error {
	data, err := section.Data()
	if err != nil {
		return err
	}
	for ; len(data) >= 24; data = data[24:] {
		if kind := elf.R_AARCH64(binary.LittleEndian.Uint32(data[8:])); kind != elf.R_AARCH64_ABS64 {
			return fmt.Errorf("%w: relocation %s at %#x: use ldr x…, =table for addresses", errListing, kind, binary.LittleEndian.Uint64(data))
		}
	}
	return nil
}
