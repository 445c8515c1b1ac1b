package jpegscale

import (
	"fmt"
	"image/jpeg"
)

// The markers that mean something here.
const (
	sof0, sof1, sof2 = 0xc0, 0xc1, 0xc2
	dht              = 0xc4
	rst0, rst7       = 0xd0, 0xd7
	soi, eoi         = 0xd8, 0xd9
	sos              = 0xda
	dqt              = 0xdb
	dri              = 0xdd
	app0, app14      = 0xe0, 0xee
	tem              = 0x01
)

// segments walks the file until the picture is complete or the file is at its end. Its error ends the decoding.
func (d *decoder) segments() error {
	if !d.in.peek(2) {
		return d.in.ended()
	}
	if d.in.data[0] != 0xff || d.in.data[1] != soi {
		return jpeg.FormatError("missing SOI marker")
	}
	d.in.data = d.in.data[2:]
	for !d.complete() {
		m, err := d.in.marker()
		if err != nil {
			return err
		}
		if m == eoi {
			return d.missing()
		}
		if err := d.segment(m); err != nil {
			return err
		}
	}
	return nil
}

// missing is the error of a file that ends in order.
func (d *decoder) missing() error {
	if d.started {
		return nil
	}
	return jpeg.FormatError("missing SOS marker")
}

func (d *decoder) segment(m byte) error {
	if m >= rst0 && m <= soi || m == tem {
		return nil // without a payload
	}
	limit := 0
	if m == app0 || m == app14 || m < app0 {
		limit = 1 << 16
	}
	p, err := d.in.payload(limit)
	if err != nil {
		return err
	}
	switch m {
	case sof0, sof1, sof2:
		return d.header(p, m == sof2)
	case dht:
		return d.huffmanTables(p)
	case dqt:
		return d.quantTables(p)
	case dri:
		return d.restartInterval(p)
	case app0:
		d.jfif = d.jfif || len(p) >= 5 && string(p[:5]) == "JFIF\x00"
	case app14:
		if len(p) >= 12 && string(p[:5]) == "Adobe" {
			d.adobe, d.transform = true, p[11]
		}
	case sos:
		return d.scan(p)
	}
	if m < app0 && (m < sos || m > 0xdf) {
		return jpeg.UnsupportedError(fmt.Sprintf("marker %#x", m))
	}
	return nil
}

func (d *decoder) restartInterval(p []byte) error {
	if len(p) != 2 {
		return jpeg.FormatError("DRI has wrong length")
	}
	d.restart = int(p[0])<<8 | int(p[1])
	return nil
}

func (d *decoder) huffmanTables(p []byte) error {
	for len(p) > 0 {
		if len(p) < 17 {
			return jpeg.FormatError("DHT has wrong length")
		}
		class, at := p[0]>>4, p[0]&15
		if class > 1 || at > 3 {
			return jpeg.FormatError("bad Huffman table number")
		}
		n := 0
		for _, count := range p[1:17] {
			n += int(count)
		}
		if n > 256 || len(p) < 17+n {
			return jpeg.FormatError("DHT has wrong length")
		}
		d.tables[class][at].build(p[1:17], p[17:17+n])
		p = p[17+n:]
	}
	return nil
}

// quantTables overlooks a last byte that begins no table, as image/jpeg does.
func (d *decoder) quantTables(p []byte) error {
	for len(p) > 1 {
		wide, at := int(p[0]>>4), p[0]&15
		if wide > 1 || at > 3 {
			return jpeg.FormatError("bad quantization table number")
		}
		if len(p) < 1+64*(1+wide) {
			return jpeg.FormatError("DQT has wrong length")
		}
		p = p[1:]
		for i := range d.quant[at] {
			v := int32(p[0])
			if p = p[1:]; wide == 1 {
				v = v<<8 | int32(p[0])
				p = p[1:]
			}
			d.quant[at][i] = v
		}
	}
	return nil
}
