package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
)

// newLog makes the logger of a node: for people on a terminal, else JSON for machines.
func newLog(l config.Log, out *os.File) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(l.Level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	encoder := jsonLines()
	if l.Format == "console" || l.Format == "auto" && isTerminal(out) {
		encoder = newLines()
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(out), level), zap.ErrorOutput(zapcore.Lock(out))), nil
}

func jsonLines() zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.TimeKey, c.EncodeTime, c.EncodeDuration = "time", zapcore.RFC3339NanoTimeEncoder, zapcore.StringDurationEncoder
	return zapcore.NewJSONEncoder(c)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// lines writes what happens as one line for people: time, what, and facts as key=value. The level stands there only when
// somebody should look. The embedded encoder collects the fields of a logger's With.
type lines struct {
	*zapcore.MapObjectEncoder
	pool buffer.Pool
}

func newLines() zapcore.Encoder { return &lines{zapcore.NewMapObjectEncoder(), buffer.NewPool()} }

// Clone implements zapcore.Encoder.
func (l *lines) Clone() zapcore.Encoder {
	m := zapcore.NewMapObjectEncoder()
	maps.Copy(m.Fields, l.Fields)
	return &lines{m, l.pool}
}

// EncodeEntry implements zapcore.Encoder.
func (l *lines) EncodeEntry(e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b := l.pool.Get()
	b.AppendString(e.Time.Format("15:04:05"))
	if e.Level != zapcore.InfoLevel {
		b.AppendString(" " + strings.ToUpper(e.Level.String()))
	}
	b.AppendString("  " + admin.Visible(e.Message))
	appendFields(b, l.Fields)
	for _, f := range fields {
		one := zapcore.NewMapObjectEncoder()
		f.AddTo(one)
		appendFields(b, one.Fields)
	}
	b.AppendByte('\n')
	return b, nil
}

func appendFields(b *buffer.Buffer, fields map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if !strings.HasSuffix(k, "Verbose") { // zap's long form of an error that has one
			b.AppendString("  " + k + "=" + fieldText(fields[k]))
		}
	}
}

// fieldText is a value on its line. What comes as a quotation already is not quoted twice.
func fieldText(v any) string {
	var s string
	switch v := v.(type) {
	case time.Duration:
		return span(v)
	case string:
		s = v
		if name, err := strconv.Unquote(s); err == nil {
			s = name
		}
	default:
		s = fmt.Sprint(v)
	}
	if s == "" || !asset.Printable(s) || strings.ContainsAny(s, ` "\=`) {
		return strconv.Quote(s)
	}
	return s
}
