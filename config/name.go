package config

// NameTemplate is the text of a rule's name, a Go text/template over [NameData].
type NameTemplate string
