// Package sheet takes tables out to spreadsheets and in from them.
//
// Out: NewXLSX and NewCSV write row after row to a stream and keep nothing of what is written, so that a hundred thousand
// rows need no more memory than ten. What people typed is data in the file, never a formula. A list that can leave is a
// Source: its columns with the right each of them needs, and its pages, cut by the viewer's own rights.
//
// In: Open looks at a file that came from outside and refuses what could harm (entities, links to other files, macros,
// encryption, bombs) before anything is read; its rows are then read one by one. What a file is imported into is a Target.
package sheet
