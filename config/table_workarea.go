package config

import (
	"time"

	"hotfolderd/asset"
)

const mostJobTime = int64(365 * 24 * time.Hour)

// watchAll is the word for all files of the work area.
const watchAll = "*"

// workareaTable describes the section workarea.
func workareaTable(w *Workarea) []entry {
	return []entry{
		{
			name: "watch", to: &w.Watch, most: 100, check: watchedFolder,
			doc: "Folders of the work area's files that programs change on the share, behind the nodes' backs; * is all. The nodes look for changes there and forget what they kept.",
		},
		{name: "jobs", doc: "Batch jobs, each with a folder of its own.", keys: []entry{
			{
				name: "ttl", to: &w.Jobs.TTL, min: int64(time.Second), max: mostJobTime,
				doc: "A job that asks for nothing else ends so long after it was used last, and its folder goes.",
			},
			{name: "max_ttl", to: &w.Jobs.MaxTTL, min: int64(time.Second), max: mostJobTime, doc: "The longest that a job may ask for."},
			{name: "quota", to: &w.Jobs.Quota, min: 1, max: 1 << 60, doc: "Bytes that the files of a job may have together, when it asks for nothing else."},
			{name: "max_quota", to: &w.Jobs.MaxQuota, doc: "The largest quota that a job may ask for; 0: any."},
			{name: "total", to: &w.Jobs.Total, doc: "The quotas of all jobs together; 0: no limit."},
		}},
	}
}

// watchedFolder is a folder below the work area's files.
func watchedFolder(s string) fault {
	if s == watchAll {
		return fault{}
	}
	if _, err := asset.ParseKey(s); err != nil {
		return fault{problem: err.Error(), hint: "write a folder as reports/daily, or * for all"}
	}
	return fault{}
}
