package hotfolder

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage/storagetest"
)

// Some clients that are stopped end their data like a file that is whole, and live on. The door cannot know better; the format can.
func TestKnown_theFormatIsBelievedRatherThanTheDoor(t *testing.T) {
	for name, f := range map[string]*folder{"share": onShare(rule(nil)), "whole objects": aFolder(storagetest.NewMem(), rule(nil))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := picture(t)
				for _, half := range [][]byte{whole[:len(whole)-1], whole[:len(whole)/2]} {
					src := openedWith(half)
					c := &candidate{key: "x"}
					f.known[c.key] = known{version: src.obj.Version, door: asset.DoorFTP}
					if s := looked(t, f, c, src); s.wait == "" {
						t.Errorf("want it to wait for its end, got %+v", s)
					}
					time.Sleep(f.rule.Complete.Patience.D())
					if s := looked(t, f, c, src); !strings.Contains(s.how, "although incomplete") {
						t.Errorf("want it taken after its patience, got %+v", s)
					}
				}
			})
		})
	}
}

func TestKnown_theDoorIsBelievedWhereTheFormatSaysNothing(t *testing.T) {
	for name, r := range map[string]config.Rule{
		"proves": rule(nil), "proves nothing": rule(func(r *config.Rule) { r.Complete.Prove = false }),
	} {
		f := onShare(r)
		for content, data := range map[string][]byte{"whole": picture(t), "of no format": []byte("text"), "half": picture(t)[:20]} {
			if content == "half" && r.Complete.Prove {
				continue
			}
			src := openedWith(data)
			f.known["x"] = known{version: src.obj.Version, door: asset.DoorFTP}
			if s := looked(t, f, &candidate{key: "x"}, src); s.how != "known: it came whole by ftp" {
				t.Errorf("%s, %s: want it known, got %+v", name, content, s)
			}
		}
	}
}

// Where all objects are whole a drop may be seen, and taken, before its door has heard what its version is.
func TestExpect_aDropOfABucketIsKnownBeforeItsDoorHasAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket, share := aFolder(storagetest.NewMem(), rule(nil)), onShare(rule(nil))
		for _, f := range []*folder{bucket, share} {
			r := f.r
			r.folders = append(r.folders, f)
			earlier := &candidate{key: "x", first: time.Now()}
			time.Sleep(time.Millisecond)
			r.Expect(f.rule.Hotfolder, "x", "", asset.DoorHTTP)
			time.Sleep(time.Millisecond)
			r.Expect(f.rule.Hotfolder, "x", "", asset.DoorHTTP)
			if _, ok := f.knows(earlier, "1"); ok {
				t.Error("what was there before is taken for it")
			}
			seen := &candidate{key: "x", first: time.Now().Add(-time.Microsecond)}
			if door, ok := f.knows(seen, "1"); ok != f.store.Properties().WholeObjects || ok && door != asset.DoorHTTP {
				t.Errorf("want what is seen now known where all objects are whole only, got %q", door)
			}
			r.expect(f.rule.Hotfolder, "x", "2", asset.DoorHTTP)
			if _, ok := f.knows(seen, "1"); ok {
				t.Error("another version is taken for the one that the door told of")
			}
		}
	})
}
