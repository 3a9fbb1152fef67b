// Package phone runs zeroth on an Android phone through the adb executable:
// find it and the phone, send files, start a run that outlives the connection,
// follow it, stop it, fetch what it made.
//
// On the phone everything lies below Root:
//
//	files/SHA/NAME    what was sent, by the start of its SHA-256: sent once
//	runs/NAME/        a run: what it printed, its process, its exit code
//	runs/NAME/run     the folder that it writes
//
// A file appears under its name when it is whole and its sum is right. Every word
// of a command is quoted for the phone's shell, so a file may have any name.
//
// tools/zeroth calls it. What is in a run's folder is not its business.
package phone

// Root is the folder on the phone: the shell user may write and execute there.
const Root = "/data/local/tmp/zeroth"
