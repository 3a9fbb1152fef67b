// Package standin is a phone for tests: the device's side of the adb protocol on
// loopback, as far as tools/phone asks for it, so that the real adb executable is
// the client. It answers the services shell (version 2) and sync.
//
// The phone's file system is a folder: /data/local/tmp in paths and commands is
// that folder's. Commands run in this machine's shell, with getprop and df of its
// own. A program that a command becomes by exec runs under the emulator that is
// given, which is how a binary for Android runs.
//
// A message of adb is a header of six little-endian words, command, two
// arguments, length, sum, and the command's complement, and its data. A stream is
// opened by the computer, and each side waits for OKAY after a WRTE.
package standin
