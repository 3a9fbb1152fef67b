// Asmgen turns arm64 assembly in GNU syntax into Go assembly.
//
// Go's assembler lacks many vector instructions (multiplication by an element,
// SDOT, SMMLA, BFMMLA and plain FADD among them). Asmgen lets GNU as assemble
// the source and writes each instruction as its word, the instruction beside it:
//
//	WORD $0x4f801088 // fmla v8.4s, v4.4s, v0.s[0]
//
// What depends on where things lie is left to Go's assembler: arguments and
// results, branches and their labels, RET, the addresses of tables.
//
//	asmgen [-check] FOLDER
//
// reads FOLDER/*.S and writes z<name>_arm64.s for each <name>.S to the working
// directory. With -check it writes nothing and fails unless the files there are
// what it would write.
//
// # The source
//
// A source is what aarch64-linux-gnu-as takes, macros and all, with // comments.
// Comments and blank lines are carried over, except those within macros. A
// function is a label that stands under two directives:
//
//	//go: func sumSquaresLoop(x *float32, n int) float32
//	//go: x=x1 n=x3 ret=s0
//	sumSquaresLoop:
//
// The first is its Go declaration. The second says in which register each
// argument arrives, at the label, and in which one the result is at each ret;
// arguments that are not named there are not loaded. Integers take x and w
// registers by their size, pointers x, floats s and d. Other labels begin with
// .L; one named .L<function>_<rest> becomes <rest>.
//
// Tables lie in section .rodata, in units of four bytes, each under a label of
// its own, and "ldr x4, =table" gives the address of one.
//
// A function is a leaf without a frame. It may use all vector registers and
// x0–x15, x19–x25; the others belong to Go, the linker or the system.
package main
