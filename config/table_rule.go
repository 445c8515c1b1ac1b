package config

import "time"

// The words of a rule.
var (
	conflictWords = []string{"version", "replace", "skip", "rename", "reject"}
	afterWords    = []string{"remove", "archive", "keep"}
)

// Limits of a rule, as in the table and in messages.
const (
	maxDay      = int64(24 * time.Hour)
	maxPatterns = 100
	maxNodes    = 100
)

// ruleTable describes a rule file; what is read goes into r. It is a list, whatever its length.
func ruleTable(r *Rule) []entry {
	return []entry{
		{
			name: "hotfolder", to: &r.Hotfolder, required: true, derived: true, pattern: hotfolderPattern,
			expect: `must be 1 to 64 of a-z, 0-9, "-" and "_"`,
			doc:    "Name of the hotfolder, unique in the rule set.",
		},
		{
			name: "path", to: &r.Path, derived: true, check: rulePath,
			doc: "Where people drop: a folder below the store, or a store of its own (file:// or s3://). Default: hotfolders/ and the name.",
		},
		{
			name: "run_on", to: &r.RunOn, most: maxNodes, pattern: nodeIDPattern, expect: nodeIDWords,
			doc: "Ids of the only nodes that import its drops. None: all nodes may.",
		},
		{
			name: "prefer", to: &r.Prefer, most: maxNodes, pattern: nodeIDPattern, expect: nodeIDWords,
			doc: "Ids of the nodes that import its drops as long as one of them is there. None: no node is preferred.",
		},
		{name: "match", doc: "Which files are drops.", keys: []entry{
			{
				name: "include", to: &r.Match.Include, least: 1, most: maxPatterns, check: glob,
				doc: "Globs on the path below the hotfolder, in any case: ** is any folders, {a,b} either.",
			},
			{name: "exclude", to: &r.Match.Exclude, most: maxPatterns, check: glob, doc: "Globs of files to leave alone; they win over include."},
			{name: "max_size", to: &r.Match.MaxSize, doc: "Larger files fail. 0 is no limit."},
			{name: "empty", to: &r.Match.Empty, words: []string{"reject", "import", "ignore"}, doc: "What happens to files of zero bytes; reject moves them to failed."},
			{name: "system", to: &r.Match.System, words: []string{"ignore", "import"}, doc: "What happens to temporary, hidden and system names."},
		}},
		{name: "complete", doc: "When a drop is complete.", keys: []entry{
			{name: "settle", to: &r.Complete.Settle, max: maxDay, doc: "How long a file must be quiet when nothing proves it whole."},
			{name: "patience", to: &r.Complete.Patience, max: maxDay, doc: "How long a file must be quiet when its own format says that its end is missing."},
			{
				name: "incomplete", to: &r.Complete.Incomplete, words: []string{"import", "reject"},
				doc: "What happens to such a file then; reject moves it to failed.",
			},
			{
				name: "done_marker", to: &r.Complete.DoneMarker, check: doneMarker,
				doc: "A drop is taken only when this file is beside it: {name}.done for each file, or .ready for the folder. Empty: none.",
			},
			{name: "prove", to: &r.Complete.Prove, doc: "Take a file at once when its format proves it whole."},
			{name: "watch", to: &r.Complete.Watch, words: []string{"auto", "events", "poll"}, doc: "How new files are noticed; auto chooses by the kind of store."},
			{name: "poll", to: &r.Complete.Poll, max: maxDay, doc: "Longest time between two scans. 0 lets the node choose."},
		}},
		{
			name: "name", to: (*string)(&r.Name), derived: true, check: nameFault,
			doc: "The asset's name, a template: .Path .Dir .File .Base .Ext .Date .Year .Month .Day .Hash .Hotfolder .Meta.X; lower upper trim replace default. Default: the hotfolder and the path.",
		},
		{name: "conflict", to: (*string)(&r.Conflict), words: conflictWords, doc: "What happens when other bytes have the name already."},
		{name: "after", to: (*string)(&r.After), words: afterWords, doc: "What happens to the drop once it was imported."},
		{name: "library", to: &r.Library, doc: "Also keep a readable tree library/<name> in the work area."},
		{name: "thumbnails", doc: "Thumbnails of the assets.", keys: []entry{
			{
				name: "sizes", to: &r.Thumbnails.Sizes, min: 16, max: 4096, most: 8,
				doc: "Pixels of the longer side. None: no thumbnails.",
			},
			{name: "format", to: &r.Thumbnails.Format, words: []string{"jpeg", "png", "webp", "auto"}, doc: "auto is png where there is transparency, else jpeg."},
			{name: "quality", to: &r.Thumbnails.Quality, min: 1, max: 100, doc: "Of JPEG and WebP; a WebP of 100 is lossless."},
			{name: "progressive", to: &r.Thumbnails.Progressive, doc: "JPEGs begin with the whole picture, coarsely: for slow lines. They are a little smaller, and take longer to write."},
			{name: "animated", to: &r.Thumbnails.Animated, doc: "An animated GIF or WebP stays animated, as webp or png; auto is png then. A jpeg is its first frame."},
			{
				name: "background", to: &r.Thumbnails.Background, pattern: backgroundPattern, expect: `must be "#rrggbb", six hexadecimal digits`,
				doc: "Under transparency when the format has none.",
			},
			{
				name: "keep", to: &r.Thumbnails.Keep, words: KeepWords(),
				doc: "What thumbnails have of the original's metadata, as XMP. None: nothing. A place is never kept.",
			},
		}},
		{
			name: "check", to: &r.Check, most: 5, words: []string{CheckName, CheckSize, CheckType, CheckWhole, CheckImage},
			doc: "What the FTP gate looks at before it says that an upload is stored; what does not pass is refused. None: nothing.",
		},
		{name: "retry", doc: "How often a failed import is tried again before the drop moves to failed.", keys: []entry{
			{name: "attempts", to: &r.Retry.Attempts, min: 1, max: 100, doc: "In all."},
			{name: "backoff", to: &r.Retry.Backoff, max: maxDay, doc: "Before the second attempt; doubles each time."},
			{name: "max_backoff", to: &r.Retry.MaxBackoff, max: maxDay, doc: "Never longer than this."},
		}},
		{name: "paused", to: &r.Paused, doc: "Watch and report, import nothing."},
	}
}
