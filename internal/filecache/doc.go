// Package filecache keeps data that takes long to make, from one process to the
// next, in a folder that does not grow for ever.
//
//	folder := filecache.Folder{Path: path, Magic: "what this is, version 1", MaxBytes: 64 << 20}
//	key := filecache.Key(driver, source, options)
//	data, ok := folder.Read(key)
//	folder.Write(key, data)
//
// A piece is a file: the magic, the SHA-256 of the rest, the data; it is named for
// its key, the hash of all that it depends on. One that is damaged, or of another
// kind, is as if it were not there. Files are replaced as a whole, and the ones
// that were used least lately are removed when there is too much, so any number of
// processes may share a folder. Nothing fails: without a folder nothing is kept.
package filecache
