package ticket

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// JudgeLevel is what is asked of a requester who chose a level.
type JudgeLevel struct {
	Level  int      `json:"level" minimum:"1" maximum:"5"`
	Label  string   `json:"label"`
	Prompt string   `json:"prompt" doc:"Asked of whoever chose the level."`
	Tags   []string `json:"tags" doc:"Opinions to choose from."`
	Words  bool     `json:"words" doc:"Words are needed."`
}

// JudgeForm is what requesters are asked about a reply.
type JudgeForm struct {
	Question string       `json:"question"`
	Levels   []JudgeLevel `json:"levels" doc:"From 5, the best, to 1."`
}

// Judgement is what a requester says of a reply, by whichever way.
type Judgement struct {
	Level int
	Tags  []string
	Words string
}

// said are the tags and the words in one text.
func (j Judgement) said() string {
	return strings.TrimSpace(strings.Join(j.Tags, "、") + "\n" + j.Words)
}

// Judging tells what is asked about replies, and holds an answer against it.
type Judging interface {
	JudgeForm(ctx context.Context, db bun.IDB) (JudgeForm, error)
	// CheckJudgement tidies the answer and returns a fault with the fields "level", "tags" and "words".
	CheckJudgement(ctx context.Context, db bun.IDB, j *Judgement) error
}

// JudgeForm is what the requester of a ticket is asked about its reply.
func (s *Service) JudgeForm(ctx context.Context) (JudgeForm, error) {
	if s.judging == nil {
		f := JudgeForm{Question: "您对办理结果满意吗"}
		for n := len(levels) - 1; n > 0; n-- {
			f.Levels = append(f.Levels, JudgeLevel{Level: n, Label: levels[n], Prompt: "想补充的话", Tags: []string{}})
		}
		return f, nil
	}
	return s.judging.JudgeForm(ctx, s.db.Read())
}

// checkJudgement holds an answer against the form in force; names are what the fields are called where it was typed.
func (s *Service) checkJudgement(ctx context.Context, db bun.IDB, j *Judgement, names map[string]string) error {
	if s.judging == nil {
		j.Tags = nil
		return nil
	}
	err := s.judging.CheckJudgement(ctx, db, j)
	f, ok := fault.As(err)
	if !ok || len(f.Fields) == 0 {
		return err
	}
	named := *f
	named.Fields = slices.Clone(f.Fields)
	for i := range named.Fields {
		if name := names[named.Fields[i].Name]; name != "" {
			named.Fields[i].Name = name
		}
	}
	return &named
}

// tagsText keeps tags as a column does: "" for none.
func tagsText(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	b, _ := json.Marshal(tags) // strings only
	return string(b)
}

// opinionTags are those of the column, never nil.
func (t *Ticket) opinionTags() []string {
	out := []string{}
	_ = json.Unmarshal([]byte(t.OpinionTags), &out) // written by tagsText
	return out
}

// judgeTagsStep brings the opinions that requesters choose beside their words.
var judgeTagsStep = database.Migration{
	ID: "20261130101000_ticket_opinion_tags",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE tickets ADD COLUMN opinion_tags TEXT NOT NULL DEFAULT ''")
	},
}
