package vp8

// add adds what the coefficients of a block come to (section 14.3) to the values from p[0] on.
func add(p []byte, c *[16]int16) {
	var t [16]int
	for i := range 4 {
		c0, c1, c2, c3 := int(c[i]), int(c[4+i]), int(c[8+i]), int(c[12+i])
		even, odd := c0+c2, c0-c2
		small, large := sine(c1)-cosine(c3), cosine(c1)+sine(c3)
		t[i], t[4+i], t[8+i], t[12+i] = even+large, odd+small, odd-small, even-large
	}
	p = p[: 3*pitch+4 : 3*pitch+4]
	for y := range 4 {
		c0, c1, c2, c3 := t[4*y]+4, t[4*y+1], t[4*y+2], t[4*y+3]
		even, odd := c0+c2, c0-c2
		small, large := sine(c1)-cosine(c3), cosine(c1)+sine(c3)
		row := p[y*pitch:][:4:4]
		row[0] = inByte(int(row[0]) + (even+large)>>3)
		row[1] = inByte(int(row[1]) + (odd+small)>>3)
		row[2] = inByte(int(row[2]) + (odd-small)>>3)
		row[3] = inByte(int(row[3]) + (even-large)>>3)
	}
}

// sine and cosine are v times the square root of two times those of an eighth of pi.
func sine(v int) int   { return v * 35468 >> 16 }
func cosine(v int) int { return v * 85627 >> 16 }

func inByte(v int) uint8 {
	if uint(v) > 255 {
		v = ^(v >> 63)
	}
	return uint8(v)
}

// addFlat is add with the first coefficient alone.
func addFlat(p []byte, c int16) {
	v := min(max((int(c)+4)>>3, -255), 255)
	p = p[: 3*pitch+4 : 3*pitch+4]
	for y := 0; y < 4; y += 2 {
		a, b := p[y*pitch:], p[(y+1)*pitch:]
		two := moved(get4(a)|get4(b)<<32, v)
		put4(a, two)
		put4(b, two>>32)
	}
}

// first sets the first coefficients of the 16 blocks of brightness from those of the second order (section 14.3).
func first(blocks *[25][16]int16) {
	in := &blocks[24]
	var t [16]int
	for i := range 4 {
		a, b := int(in[i])+int(in[12+i]), int(in[4+i])+int(in[8+i])
		c, d := int(in[4+i])-int(in[8+i]), int(in[i])-int(in[12+i])
		t[i], t[4+i], t[8+i], t[12+i] = a+b, d+c, a-b, d-c
	}
	for i := range 4 {
		v := t[4*i:][:4:4]
		a, b := v[0]+v[3]+3, v[1]+v[2]
		c, d := v[1]-v[2], v[0]-v[3]+3
		blocks[4*i][0], blocks[4*i+1][0] = int16((a+b)>>3), int16((d+c)>>3)
		blocks[4*i+2][0], blocks[4*i+3][0] = int16((a-b)>>3), int16((d-c)>>3)
	}
}
