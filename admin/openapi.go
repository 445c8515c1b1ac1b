package admin

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v4"
)

// openapiFiles describe the API, one file for each subject. They are joined to one document.
//
//go:embed openapi/*.yaml
var openapiFiles embed.FS

// openapiDocument is the document as JSON. It is made once; a test makes sure that it can be.
var openapiDocument = sync.OnceValues(func() ([]byte, error) {
	files, err := fs.Glob(openapiFiles, "openapi/*.yaml")
	if err != nil {
		return nil, err
	}
	whole := map[string]any{}
	for _, name := range files {
		text, err := openapiFiles.ReadFile(name)
		part := map[string]any{}
		if err == nil {
			err = yaml.Unmarshal(text, &part)
		}
		if err == nil {
			err = join(whole, part)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return json.Marshal(whole)
})

// join adds what is in part to whole; what stands in both must be made of parts itself.
func join(whole, part map[string]any) error {
	for k, v := range part {
		old, both := whole[k].(map[string]any)
		add, deep := v.(map[string]any)
		switch _, taken := whole[k]; {
		case !taken:
			whole[k] = v
		case !both || !deep:
			return fmt.Errorf("%s stands in two files", k)
		default:
			if err := join(old, add); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) error {
	doc, err := openapiDocument()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, json.RawMessage(doc))
}
