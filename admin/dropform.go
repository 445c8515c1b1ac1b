package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"

	"hotfolderd/asset"
)

// dropByForm takes the files of a form, one after the other as they come, for browsers without the script. What came before one that
// is refused stays dropped, and the answer says so.
func (s *Server) dropByForm(w http.ResponseWriter, r *http.Request) error {
	hotfolder := r.PathValue("hotfolder")
	if s.b.Drops == nil {
		return notOffered("drops by HTTP")
	}
	if err := s.known(hotfolder); err != nil {
		return err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return newProblem(http.StatusBadRequest, "expected a form with files: "+Visible(err.Error()))
	}
	n, err := s.dropParts(w, r, hotfolder, parts)
	if err != nil {
		return afterSome(n, err)
	}
	if n == 0 {
		return newProblem(http.StatusBadRequest, "no file was chosen")
	}
	http.SetCookie(w, flash(hotfolder, strconv.Itoa(n), flashLife))
	http.Redirect(w, r, folderURL(hotfolder), http.StatusSeeOther)
	return nil
}

func folderURL(hotfolder string) string { return "/hotfolders/" + url.PathEscape(hotfolder) }

const (
	flashName = "hotfolderd_dropped"
	flashLife = 60 // seconds; the browser follows the redirect at once
)

// flash is a cookie for the next look at the page of a hotfolder, at whatever node. It says how many files a form has dropped, and is
// taken back with the page that shows it, so that a reload does not show it again. An age below 0 takes it back.
func flash(hotfolder, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: flashName, Value: value, Path: folderURL(hotfolder), MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// takeFlash is what a form has sent just before, in words; empty when there is nothing to say.
func takeFlash(w http.ResponseWriter, r *http.Request, hotfolder string) string {
	c, err := r.Cookie(flashName)
	if err != nil {
		return ""
	}
	http.SetCookie(w, flash(hotfolder, "", -1))
	return droppedText(c.Value)
}

// dropParts says how many were dropped.
func (s *Server) dropParts(w http.ResponseWriter, r *http.Request, hotfolder string, parts *multipart.Reader) (n int, err error) {
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, newProblem(http.StatusBadRequest, "the form ended before its last file: "+Visible(err.Error()))
		case part.FileName() == "":
			continue
		}
		if err := s.dropPart(w, r, hotfolder, part); err != nil {
			return n, err
		}
		n++
	}
}

func (s *Server) dropPart(w http.ResponseWriter, r *http.Request, hotfolder string, part *multipart.Part) error {
	a := Arrival{Hotfolder: hotfolder, Size: -1}
	var err error
	if a.Key, err = asset.ParseKey(part.FileName()); err != nil {
		return err
	}
	u := newUpload(w, r)
	u.body = part
	_, stop, err := askFor(r.Context(), s.uploads, u.patience, func(ctx context.Context) (Drop, error) { return s.b.Drops.Put(ctx, a, u) }, nil)
	stop()
	if clientErr := u.end(); err != nil {
		return putFault(a.Key, err, clientErr)
	}
	return nil
}

// afterSome adds to a refusal how many files came before it.
func afterSome(n int, err error) error {
	if n == 0 {
		return err
	}
	p := *problemOf(err)
	p.Detail += fmt.Sprintf(" (the %d before it came whole and will be imported)", n)
	return &p
}
