// Package content is what the platform publishes about itself: news in columns, notices that expire, and help articles.
//
// # Words
//
// An article (文章) is of one kind: news (资讯), notice (通知公告) or help (在线帮助). News stand in columns (栏目), help in
// groups. Its text is plain: paragraphs, headings, lists, numbered steps and links, written in a small notation (platform/notation)
// and kept as typed. There is no HTML in it, so nothing to clean: whatever looks like markup is text and is escaped where
// it is shown.
//
// # States
//
//	draft ─edit→ draft ─submit→ review ─publish→ published ─withdraw→ withdrawn ─revise→ draft
//	review ─return→ draft                 (with what to mend)
//
// Whoever wrote, changed or submitted an article may not publish it: a second person does (ErrOwnWork). A published article
// whose time has not come yet (定时发布) is not visible before it, and a notice disappears at the end of its time; both
// follow from the clock when the article is asked for, so no job has to run for it.
//
// # Tables
//
// articles, article_files, search_article (the full text, kept by platform/search). The history is read from the events of the article.
//
// # Needs
//
// Files ties an uploaded file to the article and opens it again for readers, who need no account.
//
// # Announces
//
// Created, Edited, Submitted, Published, Returned, Withdrawn, Revised: see events.go.
package content
