package admin

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"hotfolderd/admin/access"
)

// Each change leaves one line that says who, with which role, from where, what, and what came of it; and no secret.
func TestAudit_saysWhoChangesWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, lines := observer.New(zapcore.InfoLevel)
		var told []Change
		b := newFake().backend()
		b.Audit = func(c Change) { told = append(told, c) }
		s, err := New(b, Options{Token: testToken, Users: somePeople(t), Log: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		as := func(name string) func(*http.Request) { return header("Authorization", "Bearer "+tokenOf(name)) }
		wantStatus(t, 202, request(t, s, "POST", "/v1/hotfolders/inbox/scan", as("otto")))
		wantStatus(t, 403, request(t, s, "POST", "/v1/hotfolders/inbox/pause", as("vera")))
		wantStatus(t, 404, request(t, s, "POST", "/v1/failed/none/retry", as("anna")))
		wantStatus(t, 401, request(t, s, "GET", "/v1/node", as("nobody")))
		wantStatus(t, 403, request(t, s, "POST", "/v1/hotfolders/inbox/pause", as("otto"), header("Sec-Fetch-Site", "cross-site")))
		wantStatus(t, 200, request(t, s, "GET", "/v1/node", as("vera"))) // reading is no change
		want := []Change{
			{Who: access.Identity{Name: "otto", Role: access.Operator}, Path: "/v1/hotfolders/inbox/scan", Hotfolder: "inbox", Status: 202},
			{Who: access.Identity{Name: "vera", Role: access.Viewer}, Path: "/v1/hotfolders/inbox/pause", Hotfolder: "inbox", Status: 403},
			{Who: access.Identity{Name: "anna", Role: access.Admin}, Path: "/v1/failed/none/retry", Status: 404},
			{Path: "/v1/node", Status: 401},
			{Path: "/v1/hotfolders/inbox/pause", Status: 403}, // a page of another origin sent it, whoever it is
		}
		if len(told) != len(want) || lines.Len() != len(want) {
			t.Fatalf("want %d changes told and logged, got %d and %d: %+v", len(want), len(told), lines.Len(), told)
		}
		for i, w := range want {
			got := told[i]
			if got.Who.Name != w.Who.Name || got.Who.Role != w.Who.Role || got.Who.Address != "192.0.2.1" || got.Path != w.Path || got.Hotfolder != w.Hotfolder || got.Status != w.Status || (w.Status >= 400) != (got.Refused != "") {
				t.Errorf("want %+v, got %+v", w, got)
			}
			if user := lines.All()[i].ContextMap()["user"]; w.Who.Name != "" && user != w.Who.Name {
				t.Errorf("want the user %s named as it is, got %v", w.Who.Name, user)
			}
			for key, value := range lines.All()[i].ContextMap() {
				if text, ok := value.(string); ok && (strings.Contains(text, "ottootto") || strings.Contains(text, "nobodynobody")) {
					t.Errorf("the line holds a token as %s: %s", key, text)
				}
			}
		}
	})
}

// A door of another protocol answers by itself, and why it did not do what was asked is told all the same.
func TestAudit_saysWhyADoorRefused(t *testing.T) {
	for _, c := range []struct{ mediaType, body, want string }{
		{problemType, `{"detail":"ask for the offset"}`, "ask for the offset"},
		{"text/plain", "whatever", "Conflict"},
		{problemType, `{"detail":"` + strings.Repeat("long", mostReason) + `"}`, "Conflict"},
	} {
		core, lines := observer.New(zapcore.InfoLevel)
		b := newFake().backend()
		b.Drops = &Drops{Uploads: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.mediaType)
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(c.body))
		})}
		s, err := New(b, Options{Log: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		wantStatus(t, 409, request(t, s, "PATCH", "/v1/uploads/x"))
		if lines.Len() != 1 || lines.All()[0].ContextMap()["refused"] != c.want {
			t.Errorf("want one line with %q, got %v", c.want, lines.All())
		}
	}
}

// Who mounts a folder is told what its two fields are for.
func TestAccess_aMountedFolderSaysWhatNameAndPasswordAre(t *testing.T) {
	s, err := New(newFake().backend(), Options{Token: testToken, Users: somePeople(t)})
	if err != nil {
		t.Fatal(err)
	}
	w := request(t, s, "PROPFIND", "/dav/")
	wantStatus(t, 401, w)
	wantText(t, "send the token as the password", w)
	w = request(t, s, "PROPFIND", "/dav/", func(r *http.Request) { r.SetBasicAuth("otto", tokenOf("anna")) })
	wantStatus(t, 401, w)
	wantText(t, "another user's than the name says", w)
}
