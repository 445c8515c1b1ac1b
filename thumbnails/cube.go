package thumbnails

// cube is a transformation of colours as a table with values between which is interpolated: exact transformations cost
// a microsecond for each pixel. Values outside 0 to 1 are kept in the table, so that cutting them comes last and bends nothing.
type cube struct {
	side   int        // points on each axis
	values []float32  // red, green and blue of each point, the last channel fastest
	place  [256]place // of a byte on an axis
}

// place is the point below a value and how far it is to the next, 0 to 1.
type place struct {
	below int
	part  float32
}

// sides is how many points an axis has, by channels: an exact table, 36 thousand points, 84 thousand points.
var sides = map[int]int{1: 256, 3: 33, 4: 17}

func newCube(channels int, f func(in []float64) (r, g, b float64)) cube {
	c := cube{side: sides[channels]}
	for v := range c.place {
		at := float32(v) / 255 * float32(c.side-1)
		below := min(int(at), c.side-2)
		c.place[v] = place{below, at - float32(below)}
	}
	points := 1
	for range channels {
		points *= c.side
	}
	c.values = make([]float32, 0, 3*points)
	in := make([]float64, channels)
	for i := range points {
		for ch, rest := channels-1, i; ch >= 0; ch, rest = ch-1, rest/c.side {
			in[ch] = float64(rest%c.side) / float64(c.side-1)
		}
		r, g, b := f(in)
		c.values = append(c.values, float32(r)*255, float32(g)*255, float32(b)*255)
	}
	return c
}

// at1 is the table of a single channel.
func (c *cube) at1(v byte) (r, g, b byte) {
	p := c.values[3*int(v):][:3]
	return colourByte(p[0]), colourByte(p[1]), colourByte(p[2])
}

func (c *cube) at3(x, y, z byte) (r, g, b byte) {
	var sum [3]float32
	c.within(&sum, 0, c.place[x], c.place[y], c.place[z], 1)
	return colourByte(sum[0]), colourByte(sum[1]), colourByte(sum[2])
}

// at4 goes straight between two cubes of the first channel's points.
func (c *cube) at4(x, y, z, k byte) (r, g, b byte) {
	var sum [3]float32
	first := c.place[x]
	base, step := first.below*c.side*c.side*c.side, c.side*c.side*c.side
	if first.part < 1 {
		c.within(&sum, base, c.place[y], c.place[z], c.place[k], 1-first.part)
	}
	if first.part > 0 {
		c.within(&sum, base+step, c.place[y], c.place[z], c.place[k], first.part)
	}
	return colourByte(sum[0]), colourByte(sum[1]), colourByte(sum[2])
}

// within adds what a cube has at a place, by weight: along the edges from its lowest corner to its highest, the longest way first. So the
// diagonal from black to white stays as it is in the table.
func (c *cube) within(sum *[3]float32, base int, x, y, z place, weight float32) {
	xs, ys, zs := c.side*c.side, c.side, 1
	at := base + x.below*xs + y.below*ys + z.below*zs
	a, b, d := x.part, y.part, z.part
	if a < b {
		a, b, xs, ys = b, a, ys, xs
	}
	if b < d {
		b, d, ys, zs = d, b, zs, ys
	}
	if a < b {
		a, b, xs, ys = b, a, ys, xs
	}
	c.add(sum, at, (1-a)*weight)
	c.add(sum, at+xs, (a-b)*weight)
	c.add(sum, at+xs+ys, (b-d)*weight)
	c.add(sum, at+xs+ys+zs, d*weight)
}

func (c *cube) add(sum *[3]float32, point int, weight float32) {
	p := c.values[3*point : 3*point+3 : 3*point+3]
	sum[0] += float32(weight * p[0]) // the conversions keep all processors to the same result
	sum[1] += float32(weight * p[1])
	sum[2] += float32(weight * p[2])
}

func colourByte(v float32) byte { return byte(min(max(v, 0), 255) + 0.5) }
