// Package importing takes spreadsheets in.
//
// A person uploads a file, chooses the sheet, says which column fills which field, and what happens to records that are
// there already. A worker reads the rows into a staging table that nothing else looks at, and says for each what is wrong
// with it and how to mend it. The person looks at the result, downloads the bad rows with the reasons, and publishes: a
// worker then gives each good record to the module it belongs to, in small transactions, and notes beside the row what came
// of it. A worker that is killed is followed by one that goes on with the next row.
//
// States: mapping → reading → checked → publishing → done; every state before done may be cancelled; reading and publishing
// may fail. Rows and files are removed after some days, the counts and the audit log stay.
//
// Tables: imports, import_rows, import_mappings. Needs: what is imported into (sheet.Target), a word on the person's rights
// of the moment, storage. Announces nothing: the modules announce their records.
package importing
