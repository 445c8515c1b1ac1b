package hotfolder

import "strings"

// Names that are never drops: half-written, hidden or left by systems and programs. Compared without regard to case. Every
// name that begins with a dot is hidden and not listed here one by one (.DS_Store, ._*, .nfs*, .~lock.*#, .#*, .syncthing.*.tmp,
// .sftpgo-upload.*, rsync's .name.XXXXXX, ...).
var (
	systemNames = set(
		"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "lost+found", "@eadir", "__macosx", "#recycle",
		"$recycle.bin", "system volume information", "@recycle", "@tmp",
	)
	systemSuffixes = []string{
		".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".tacitpart", ".swp", ".swx", "~",
	}
	systemPrefixes = []string{"~$", ".", "#sync"}
)

func set(names ...string) map[string]struct{} {
	m := map[string]struct{}{}
	for _, n := range names {
		m[n] = struct{}{}
	}
	return m
}

// systemName says why a name is never a drop, or "" when it may be one.
func systemName(base string) string {
	lower := strings.ToLower(base)
	if _, ok := systemNames[lower]; ok {
		return "a system name"
	}
	for _, p := range systemPrefixes {
		if strings.HasPrefix(lower, p) {
			return "names that begin with " + p + " are hidden or temporary"
		}
	}
	for _, s := range systemSuffixes {
		if strings.HasSuffix(lower, s) {
			return "names that end in " + s + " are temporary or partial"
		}
	}
	return ""
}
