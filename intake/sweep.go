package intake

// aside is a [Folder], or what a door makes of one.
type aside interface{ asideAt() string }

// asideAt tells folders aside apart, of all stores.
func (f Folder) asideAt() string { return f.Store.Properties().URL + " " + string(f.Aside) }

// SweepFolders calls pending for each of the hotfolders that is there, and aside for each folder aside once, though hotfolders may
// share it.
func SweepFolders[F aside](hotfolders []string, folders func(hotfolder string) (F, bool), pending func(hotfolder string, f F), aside func(f F)) {
	swept := map[string]bool{}
	for _, hotfolder := range hotfolders {
		f, ok := folders(hotfolder)
		if !ok {
			continue
		}
		pending(hotfolder, f)
		if at := f.asideAt(); !swept[at] {
			swept[at] = true
			aside(f)
		}
	}
}
