package standin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// syncChunk is the most data in a message of the sync service.
const syncChunk = 64 << 10

// sync sends and receives files. A request is four letters, a length and a path.
func (p *Phone) sync(s *stream) {
	for {
		kind, length, err := syncHead(s)
		if err != nil || length > 4096 {
			return
		}
		path := make([]byte, length)
		if _, err := io.ReadFull(s, path); err != nil {
			return
		}
		switch kind {
		case "STAT":
			err = p.syncStat(s, string(path))
		case "LIST":
			err = p.syncList(s, string(path))
		case "RECV":
			err = p.syncReceive(s, string(path))
		case "SEND":
			err = p.syncSend(s, string(path))
		default: // QUIT too
			return
		}
		if err != nil {
			return
		}
	}
}

func syncHead(from io.Reader) (kind string, value uint32, err error) {
	var head [8]byte
	_, err = io.ReadFull(from, head[:])
	return string(head[:4]), binary.LittleEndian.Uint32(head[4:]), err
}

// syncMessage is four letters, words and data.
func syncMessage(to io.Writer, kind string, data []byte, words ...uint32) error {
	message := []byte(kind)
	for _, word := range words {
		message = binary.LittleEndian.AppendUint32(message, word)
	}
	_, err := to.Write(append(message, data...))
	return err
}

func syncFail(to io.Writer, cause error) error {
	text := cause.Error()
	return syncMessage(to, "FAIL", []byte(text), uint32(len(text)))
}

// modeOf is a file's mode as Unix has it.
func modeOf(info os.FileInfo) uint32 {
	const folder, file = 0o040000, 0o100000
	if info.IsDir() {
		return folder | uint32(info.Mode().Perm())
	}
	return file | uint32(info.Mode().Perm())
}

func (p *Phone) syncStat(s *stream, path string) error {
	info, err := os.Stat(p.local(path))
	if err != nil {
		return syncMessage(s, "STAT", nil, 0, 0, 0)
	}
	return syncMessage(s, "STAT", nil, modeOf(info), uint32(info.Size()), uint32(info.ModTime().Unix()))
}

func (p *Phone) syncList(s *stream, path string) error {
	entries, _ := os.ReadDir(p.local(path)) // a folder that is not there has none
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue
		}
		name := []byte(entry.Name())
		if err := syncMessage(s, "DENT", name, modeOf(info), uint32(info.Size()), uint32(info.ModTime().Unix()), uint32(len(name))); err != nil {
			return err
		}
	}
	return syncMessage(s, "DONE", nil, 0, 0, 0, 0)
}

// syncReceive sends a file to the computer.
func (p *Phone) syncReceive(s *stream, path string) error {
	file, err := os.Open(p.local(path))
	if err != nil {
		return syncFail(s, err)
	}
	defer file.Close()
	data := make([]byte, syncChunk)
	for {
		n, err := file.Read(data)
		if n > 0 {
			if err := syncMessage(s, "DATA", data[:n], uint32(n)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return syncMessage(s, "DONE", nil, 0)
		}
		if err != nil {
			return syncFail(s, err)
		}
	}
}

// syncSend takes a file "PATH,MODE" from the computer.
func (p *Phone) syncSend(s *stream, request string) error {
	comma := strings.LastIndexByte(request, ',')
	if comma < 0 {
		return syncFail(s, fmt.Errorf("%q has no mode", request))
	}
	path := p.local(request[:comma])
	mode, err := strconv.ParseUint(request[comma+1:], 10, 32)
	var file *os.File
	if err == nil {
		if err = os.MkdirAll(filepath.Dir(path), 0o777); err == nil {
			file, err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, os.FileMode(mode&0o777))
		}
	}
	for {
		kind, value, headErr := syncHead(s)
		if headErr != nil {
			return headErr
		}
		if kind == "DONE" {
			if file != nil {
				err = errors.Join(err, file.Close(), os.Chtimes(path, time.Time{}, time.Unix(int64(value), 0)))
			}
			break
		}
		if kind != "DATA" || value > syncChunk {
			return fmt.Errorf("%s of %d bytes", kind, value)
		}
		to := io.Writer(io.Discard)
		if file != nil {
			to = file
		}
		if _, copyErr := io.CopyN(to, s, int64(value)); copyErr != nil {
			return copyErr
		}
	}
	if err != nil {
		return syncFail(s, err)
	}
	return syncMessage(s, "OKAY", nil, 0)
}
