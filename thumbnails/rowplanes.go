package thumbnails

import (
	"encoding/binary"
	"image"

	"hotfolderd/thumbnails/jpegscale"
)

// rowPlanes are red, green and blue, or grey alone, of an opaque picture that is read row by row: the averages of x by y pixels, where the last may
// be of fewer. No more of the picture is kept.
func (d decoded) rowPlanes(x, y int, gray bool) []plane {
	size := d.Bounds().Size()
	have := image.Pt((size.X+x-1)/x, (size.Y+y-1)/y)
	all := make([]plane, 3)
	if gray {
		all = all[:1]
	}
	sums := make([][]uint64, len(all))
	for i := range all {
		px, py := jpegscale.Pace{Values: d.eighths, Pixels: 8 * x}, jpegscale.Pace{Values: d.eighths, Pixels: 8 * y}
		all[i] = plane{make([]byte, have.X*have.Y), have.X, have, px, py}
		sums[i] = make([]uint64, have.X)
	}
	read, row := d.rowsOnce(), make([]byte, 4*size.X)
	for i := range have.Y {
		rows := min(y, size.Y-i*y)
		for r := range rows {
			read(i*y+r, row)
			if gray {
				addGrays(sums[0], row, x)
			} else {
				addColours(sums[0], sums[1], sums[2], row, x)
			}
		}
		for c := range all {
			averages(all[c].line(i), sums[c], x*rows, (size.X-(have.X-1)*x)*rows)
			clear(sums[c])
		}
	}
	return all
}

// addColours adds boxes of n pixels; the last may be smaller. Red and blue are added in one number, 32 bits for each.
func addColours(red, green, blue []uint64, row []byte, n int) {
	green, blue = green[:len(red)], blue[:len(red)]
	at := 0
	for x := range red {
		end := min(at+4*n, len(row))
		var rb, g uint64
		for ; at < end; at += 4 {
			v := uint64(binary.LittleEndian.Uint32(row[at:]))
			rb += v&0xff | v&0xff0000<<16
			g += v >> 8 & 0xff
		}
		red[x], green[x], blue[x] = red[x]+uint64(uint32(rb)), green[x]+g, blue[x]+rb>>32
	}
}

func addGrays(sums []uint64, row []byte, n int) {
	for x := range sums {
		box := row[:min(4*n, len(row))]
		row = row[len(box):]
		for i := 0; i < len(box); i += 4 {
			sums[x] += uint64(box[i])
		}
	}
}
