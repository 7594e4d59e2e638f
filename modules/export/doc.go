// Package export takes lists out as spreadsheets, in the background.
//
// A person asks for a list with a purpose; a worker reads it page by page with the rights the person has then, and writes
// the file to the storage of files; the person, and nobody else, downloads it until it expires. Asking, ending and every
// download are in the audit log, and the first row of the file says who took it, when and what for.
//
// States: queued → running → done → expired; queued and running → cancelled or failed; failed, cancelled and expired →
// queued again. A CSV is written in parts, each kept before the next is begun: a worker that is killed is followed by one
// that goes on after the last part. An XLSX is begun anew. The file is offered once it is whole.
//
// Tables: exports, export_parts. Needs: the lists (sheet.Source), a word on the person's rights of the moment, storage.
// Announces nothing.
package export
