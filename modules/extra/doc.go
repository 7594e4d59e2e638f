// Package extra keeps the fields that administrators define for products and for applications beside what the program knows
// (requirement C5). Those of companies are defined with the companies, because a company's consent goes with them.
//
// A field is for a subject, and there for some kinds of products or for all. A field of a product is filled in by its
// institution and is part of the edition that is reviewed; a field of an application is filled in by the company that applies,
// or, where the company does not see it, by the institution that handles the case. What is filled in is kept by the catalogue
// and by the applications, each with the label it had: a definition may change or be retired and what was said stays readable.
//
// A definition is never deleted, and never changes its kind or unit.
//
// Tables: extra_fields. Needs: the kinds of products. Announces: Changed.
package extra
