// Package catalog is what institutions offer to companies: service products of seven kinds and financing products, from the
// operator's draft through the two reviews to the public list and its search.
//
// # Words
//
// A product (产品) belongs to an institution and has editions (版本) numbered 1, 2, 3 …. One edition at most is public: the
// listed one. A change of a listed product makes a new edition that goes through review while the listed one stays public;
// the reviewer sees what differs from the last approved edition, field by field. 初审 is the platform operator's review,
// 终审 the government's; one person never does both, and nobody reviews what they submitted.
//
// # States
//
//	draft ─submit→ platform_review ─pass→ government_review ─pass→ listed
//	platform_review, government_review ─return→ returned ─submit→ platform_review
//	platform_review, government_review ─withdraw→ withdrawn ─submit→ platform_review
//	listed ─take-down, unlist→ taken_down        listed ─expire→ expired
//	listed ─(a newer edition is listed)→ replaced
//	listed, taken_down, expired ─revise→ draft   (of the next edition)
//
// These are states of an edition; a product's state is that of its newest edition. The table is data in lifecycle.go; a
// test validates it.
//
// # Tables
//
// products, product_editions (with the answers to the fields that administrators define, the picture and the attachments, and
// whom the product suits), product_extra_values (the newest edition's answers, by which lists are narrowed), product_files,
// product_thumbs (covers as the cards of lists show them, made when they are first asked for), product_suits (what
// recommendations go by), search_product (the full text of what is public, kept by platform/search and written in the
// transaction in which a product becomes public or leaves).
//
// # Needs
//
// Institutions tells an institution's name, contact and whether it is in service. Fields tells what administrators ask beside the
// rest, Files keeps pictures and attachments, Ratings tells what companies say.
//
// # Announces
//
// Drafted, Edited, Submitted, Withdrawn, PassedPlatform, Listed, Returned, Unlisted, Expired, Revised, Featured: see
// events.go. Offer answers the application module.
package catalog
