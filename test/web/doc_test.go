// Package web_test compares what the page's server does for each second of processor time with what others do.
package web_test
