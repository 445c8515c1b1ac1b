package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"hotfolderd/client"
)

// What is written by one node is read by any other, at once.
func Example() {
	nodes, end := client.PlayNodes(2) // in a program: the addresses of one node or of several, as "10.0.0.11:8480"
	defer end()
	c, err := client.New(nodes, client.Options{Token: os.Getenv("TOKEN")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	ctx := context.Background()
	stored, err := c.Put(ctx, "notes/today.txt", strings.NewReader("two pairs of shoes"), client.PutOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stored.Name, "version", stored.Number)
	r, err := c.Get(ctx, "notes/today.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	text, err := io.ReadAll(r) // its error may say that the bytes do not have their hash
	fmt.Println(string(text), err)
	// Output:
	// notes/today.txt version 1
	// two pairs of shoes <nil>
}

// A write may depend on what the name has, and errors tell why it was not done.
func ExampleClient_Put_ifAbsent() {
	nodes, end := client.PlayNodes(1)
	defer end()
	c, err := client.New(nodes, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	ctx := context.Background()
	for _, text := range []string{"first", "second"} {
		_, err := c.Put(ctx, "lock.txt", strings.NewReader(text), client.PutOptions{IfAbsent: true})
		fmt.Println(text, "was too late:", errors.Is(err, client.ErrCondition))
	}
	_, err = c.Get(ctx, "nowhere.txt")
	fmt.Println("there is no such name:", errors.Is(err, fs.ErrNotExist))
	// Output:
	// first was too late: false
	// second was too late: true
	// there is no such name: true
}

// A file for a hotfolder goes on at another node when the one that it is sent to dies.
func ExampleClient_Drop() {
	nodes, end := client.PlayNodes(3)
	defer end()
	c, err := client.New(nodes, client.Options{Moved: func(m client.Move) {
		if m.Why != nil {
			fmt.Println("going on at", m.To)
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	f := strings.NewReader("a scan of many megabytes") // in a program: an *os.File
	d, err := c.Drop(context.Background(), "inbox", "scans/0001.tif", f, client.DropOptions{})
	fmt.Println(d.Size, "bytes are a drop:", err == nil)
	// Output: 24 bytes are a drop: true
}
