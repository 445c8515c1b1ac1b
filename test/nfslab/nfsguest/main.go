// Command nfsguest is the first process of a guest of package nfslab.
package main

import (
	"fmt"
	"os"

	"hotfolderd/test/nfslab/guest"
)

func main() {
	fmt.Fprintln(os.Stderr, "nfsguest:", guest.Main())
	os.Exit(1)
}
